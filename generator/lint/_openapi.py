"""The rule that the document is valid OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Rule, Violation, violation

__all__ = ["OPENAPI_RULES"]

_LONGEST = 200


def openapi(description: Description) -> Iterator[Violation]:
    """The document is valid by openapi-spec-validator."""
    from openapi_spec_validator import OpenAPIV31SpecValidator  # slow to import

    validator = OpenAPIV31SpecValidator(description.document)
    try:
        # The rest of the validator stumbles over a document whose shape is wrong.
        wrong = list(validator.schema_validator.iter_errors(description.document)) or list(validator.iter_errors())
    except Exception as error:  # it has several ways to crash on a document; all mean the same to the author
        yield violation(description.document, f"openapi-spec-validator crashed: {type(error).__name__}: {error}")
        return
    for invalid in wrong:
        place, key = _place(description.document, invalid.absolute_path)
        message = invalid.message.partition("\n")[0]  # below are the rule and the value, over many lines
        yield violation(place, message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…", key)


def _place(document: LocatedMapping, path: Iterable[str | int]) -> tuple[LocatedMapping, str | None]:
    """Find the innermost mapping on a path, and the key of it. Some paths do not begin at the document."""
    place, key = document, None
    inner: Any = document
    for step in path:
        if isinstance(inner, LocatedMapping) and step in inner:
            place, key = inner, str(step)
        elif not (isinstance(inner, list) and isinstance(step, int) and step < len(inner)):
            break
        inner = inner[step]
        if isinstance(inner, LocatedMapping):
            place, key = inner, None
    return place, key


OPENAPI_RULES: dict[str, Rule] = {"openapi": openapi}
