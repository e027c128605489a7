"""Holding values to the schemas of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import attrs
import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from ..spec.yaml_loader import LocatedMapping

__all__ = ["ValueProblem", "Values", "innermost", "precise", "shortened"]

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
        self._registry = jsonschema_rs.Registry([(_DOCUMENT, document)], draft=jsonschema_rs.Draft202012)

    def errors(self, pointer: tuple[str, ...], value: Any) -> Iterator[ValueProblem]:
        """Return what is wrong with *value*, nothing if it obeys the schema at *pointer*."""
        # A pointer in a URI: what is not encoded may end it, and line feeds would be lost.
        steps = [quote(step.replace("~", "~0").replace("/", "~1"), safe="") for step in pointer]
        reference = {"$ref": f"{_DOCUMENT}#/{'/'.join(steps)}"}
        try:
            validator = jsonschema_rs.Draft202012Validator(reference, registry=self._registry)
        except jsonschema_rs.ValidationError:
            return  # the schema is wrong itself: rule `openapi` reports it, `component-name` names that no URI can have
        try:
            errors = list(validator.iter_errors(value))
        except ValueError:  # from escapes in the data of events
            yield ValueProblem((), "a surrogate is not a character")
            return
        for error in map(precise, errors):
            yield ValueProblem(tuple(error.instance_path), shortened(error.message))


def precise(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Return the error inside the variant of anyOf or oneOf that fits best, or *error* where none fits in part."""
    if not isinstance(error.kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
        return error
    fitting = [variant for variant in error.kind.context if not any(_is_other(inner, error) for inner in variant)]
    return precise(min(fitting, key=len)[0]) if fitting else error


def _is_other(inner: jsonschema_rs.ValidationError, union: jsonschema_rs.ValidationError) -> bool:
    """Return whether an error inside a variant shows that the value is meant for another variant."""
    at_union = len(inner.instance_path) == len(union.instance_path)
    return isinstance(inner.kind, ValidationErrorKind.Constant) or (
        at_union and isinstance(inner.kind, ValidationErrorKind.Type | ValidationErrorKind.Enum)
    )


def innermost(
    inner: Any, path: Iterable[str | int], place: LocatedMapping, key: str | None = None
) -> tuple[LocatedMapping, str | None]:
    """Return the last mapping on a path inside a value that stands at *key* of *place*, and the key that leads on."""
    for step in path:
        if isinstance(inner, list) and isinstance(step, int):
            inner = inner[step]
        elif isinstance(inner, LocatedMapping) and str(step) in inner:  # jsonschema-rs returns the key "200" as 200
            place, key, inner = inner, str(step), inner[str(step)]
        else:
            break  # ... and the key "007" as 7
        if isinstance(inner, LocatedMapping):
            place, key = inner, None
    return place, key


def shortened(text: str) -> str:
    """Return a message without the end of a long value that it quotes."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
