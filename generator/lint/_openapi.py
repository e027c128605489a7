"""The rule that the document is valid OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._yaml import Mapping
from ._index import Description, Finding, Rule, at

__all__ = ["OPENAPI_RULES"]

_LONGEST = 200


def openapi(description: Description) -> Iterator[Finding]:
    """The document is valid by openapi-spec-validator."""
    from openapi_spec_validator import OpenAPIV31SpecValidator  # slow to import

    validator = OpenAPIV31SpecValidator(description.document)
    wrong = list(validator.schema_validator.iter_errors(description.document))
    # The rest of the validator stumbles over a document whose shape is wrong.
    for error in wrong or validator.iter_errors():
        place, key = description.document, None
        inner: Any = place
        for step in error.absolute_path:
            inner = inner[step]
            if isinstance(inner, Mapping):
                place, key = inner, None
            elif isinstance(step, str):
                key = step
        message = error.message if len(error.message) <= _LONGEST else f"{error.message[:_LONGEST]}…"
        yield at(place, message, key)


OPENAPI_RULES: dict[str, Rule] = {"openapi": openapi}
