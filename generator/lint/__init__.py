"""Holds a bundled description to the rules of openapi/README.md and to OpenAPI."""

from __future__ import annotations

from ..spec.bundler import Bundle
from ..spec.diagnostics import Diagnostic
from ._context import Rule, build_context
from ._examples import EXAMPLE_RULES
from ._extensions import EXTENSION_RULES
from ._keyword_types import SHAPE_RULES
from ._messages import MESSAGE_RULES
from ._names import NAME_RULES
from ._openapi import OPENAPI_RULES
from ._operations import OPERATION_RULES
from ._protocols import PROTOCOL_RULES
from ._schemas import SCHEMA_RULES
from ._source_files import SOURCE_RULES

__all__ = ["RULES", "lint"]

#: Every rule by its name, in the order in which they run. A rule's docstring is the rule in words.
RULES: dict[str, Rule] = {
    **SOURCE_RULES,
    **OPERATION_RULES,
    **PROTOCOL_RULES,
    **MESSAGE_RULES,
    **SHAPE_RULES,
    **SCHEMA_RULES,
    **NAME_RULES,
    **EXTENSION_RULES,
    **EXAMPLE_RULES,
    **OPENAPI_RULES,
}


def lint(bundled: Bundle) -> list[Diagnostic]:
    """Find everything in a description that breaks a rule.

    The validator of OpenAPI runs only if no other rule is broken: the other rules report the same faults
    with a better place, and the validator is slow.

    Returns:
        The problems, each once, sorted by place; none if the description is clean.
    """
    description = build_context(bundled)
    problems: set[Diagnostic] = set()
    for name, rule in RULES.items():
        if name in OPENAPI_RULES and problems:
            continue
        if name in EXAMPLE_RULES and any(problem.rule in SHAPE_RULES for problem in problems):
            continue  # jsonschema raises on schemas that are none
        # What should be there and is not has no place of its own.
        problems |= {
            Diagnostic(violation.file or bundled.document.file, violation.line or 1, name, violation.message)
            for violation in rule(description)
        }
    return sorted(problems)
