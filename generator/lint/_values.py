"""Holding values to the schemas of a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import attrs
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # as above
from referencing import Registry
from referencing.jsonschema import DRAFT202012

__all__ = ["ValueProblem", "Values"]

_DOCUMENT = "urn:coze"
_LONGEST = 200


@attrs.frozen
class ValueProblem:
    """One way in which a value breaks its schema.

    Attributes:
        path: Keys and positions that lead from the value to the part that is wrong.
        message: What is wrong.
    """

    path: tuple[str | int, ...]
    message: str


class Values:
    """Checks values against schemas by the place of the schema in the document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, DRAFT202012.create_resource(document))

    def errors(self, pointer: tuple[str, ...], value: Any) -> Iterator[ValueProblem]:
        """Return what is wrong with *value*, nothing if it obeys the schema at *pointer*."""
        # A pointer in a URI: what is not encoded may end it, and line feeds would be lost.
        steps = [quote(step.replace("~", "~0").replace("/", "~1"), safe="") for step in pointer]
        reference = {"$ref": f"{_DOCUMENT}#/{'/'.join(steps)}"}
        try:
            errors = list(Draft202012Validator(reference, registry=self._registry).iter_errors(value))
        except Exception as reason:  # references to nowhere or in circles, patterns that are none
            yield ValueProblem((), f"the schema cannot be applied: {type(reason).__name__}: {reason}"[:_LONGEST])
            return
        for error in errors:
            # Of the variants of anyOf and oneOf, the error of the one that fits best is more precise.
            error = best_match([error]) or error
            message = error.message
            if len(message) > _LONGEST:
                message = f"{message[:_LONGEST]}…"
            yield ValueProblem(tuple(error.absolute_path), message)
