"""Holds a bundled description to the rules of openapi/README.md and to OpenAPI."""

from __future__ import annotations

from pathlib import Path

from ..spec.bundler import Bundle, bundle
from ..spec.diagnostics import DescriptionError, Diagnostic
from ..spec.structure import structure_errors
from ._context import Rule, build_context
from ._deprecation import DEPRECATION_RULES
from ._examples import EXAMPLE_RULES
from ._extensions import EXTENSION_RULES
from ._keys import KEY_RULES
from ._messages import MESSAGE_RULES
from ._names import NAME_RULES
from ._openapi import OPENAPI_RULES
from ._operations import OPERATION_RULES
from ._protocols import PROTOCOL_RULES
from ._schemas import SCHEMA_RULES
from ._source_files import SOURCE_RULES

__all__ = ["RULES", "lint", "lint_files"]

#: Every rule by its name, in the order in which they run. A rule's docstring is the rule in words.
RULES: dict[str, Rule] = {
    **SOURCE_RULES,
    **KEY_RULES,
    **OPERATION_RULES,
    **DEPRECATION_RULES,
    **PROTOCOL_RULES,
    **MESSAGE_RULES,
    **SCHEMA_RULES,
    **NAME_RULES,
    **EXTENSION_RULES,
    **EXAMPLE_RULES,
    **OPENAPI_RULES,
}
#: Rules that look for the users of a thing, or for the thing that is used, in all files.
_NEED_ALL_FILES = {"poll", "named-in-text", "replaced-by", "tags", "unused-component"}


def lint_files(index: Path) -> tuple[Bundle | None, list[Diagnostic]]:
    """Bundle a description and find everything that is wrong with it.

    A file that cannot be used hides nothing but the problems of operations that depend on it.

    Returns:
        The bundle, or None if some files cannot be used, and the problems, sorted by place.
    """
    problems: set[Diagnostic] = set()
    broken: set[str] = set()
    while True:
        try:
            bundled = bundle(index, broken)
            problems_found = structure_errors(bundled)
        except DescriptionError as error:
            problems_found = error.problems
        if not problems_found:
            return None if broken else bundled, sorted({*problems, *lint(bundled, complete=not broken)})
        problems.update(problems_found)
        if broken.issuperset(problem.file for problem in problems_found):
            return None, sorted(problems)
        broken.update(problem.file for problem in problems_found)


def lint(bundled: Bundle, *, complete: bool = True) -> list[Diagnostic]:
    """Find everything in a description that breaks a rule.

    The JSON Schema of OpenAPI is applied only if no other rule is broken: the other rules report the same faults
    with a better place.

    Args:
        bundled: The description.
        complete: Whether no file was left out. Otherwise rules that need all files do not run.

    Returns:
        The problems, each once, sorted by place; none if the description is clean.
    """
    description = build_context(bundled)
    problems: set[Diagnostic] = set()
    for name, rule in RULES.items():
        if (name in OPENAPI_RULES and problems) or (name in _NEED_ALL_FILES and not complete):
            continue
        # What should be there and is not has no place of its own.
        try:
            problems |= {
                Diagnostic(violation.file or bundled.document.file, violation.line or 1, name, violation.message)
                for violation in rule(description)
            }
        except DescriptionError as error:  # of files that are no part of the bundle
            problems.update(error.problems)
    return sorted(problems)
