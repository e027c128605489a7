"""Holds a bundled description to the house rules of CONTRIBUTING.md and to OpenAPI."""

from __future__ import annotations

from .._bundle import Bundle
from .._problems import Problem
from ._examples import EXAMPLE_RULES
from ._extensions import EXTENSION_RULES
from ._index import Rule, index
from ._names import NAME_RULES
from ._openapi import OPENAPI_RULES
from ._operations import OPERATION_RULES
from ._protocols import PROTOCOL_RULES
from ._schemas import SCHEMA_RULES
from ._sources import SOURCE_RULES

__all__ = ["RULES", "lint"]

#: Every rule by its name, in the order in which they run. A rule's docstring is the rule in words.
RULES: dict[str, Rule] = {
    **SOURCE_RULES,
    **OPERATION_RULES,
    **PROTOCOL_RULES,
    **SCHEMA_RULES,
    **NAME_RULES,
    **EXTENSION_RULES,
    **EXAMPLE_RULES,
    **OPENAPI_RULES,
}


def lint(bundled: Bundle) -> list[Problem]:
    """Find everything in a description that breaks a rule.

    Returns:
        The problems, each once, sorted by place; none if the description is clean.
    """
    description = index(bundled)
    problems = {
        Problem(found.file, found.line, name, found.message)
        for name, rule in RULES.items()
        for found in rule(description)
    }
    return sorted(problems)
