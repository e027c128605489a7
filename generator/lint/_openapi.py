"""The rule that the document is valid OpenAPI 3.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs

from ._context import Description, Rule, Violation, violation
from ._values import innermost, precise, shortened

__all__ = ["OPENAPI_RULES"]

_PUBLISHED = Path(__file__).parent / "openapi_3_1"  # by the OpenAPI Initiative, unchanged


def openapi(description: Description) -> Iterator[Violation]:
    """The document is valid by the JSON Schema of OpenAPI 3.1, its schemas by that of their dialect."""
    document, dialect, vocabulary = (
        json.loads((_PUBLISHED / name).read_text(encoding="utf-8"))
        for name in ("schema.json", "dialect.json", "vocabulary.json")
    )
    # The schema of documents takes any mapping for a schema. Which dialect it takes instead is set by this anchor.
    strict = {"$ref": document["$id"], "$defs": {"schema": {"$dynamicAnchor": "meta", "$ref": dialect["$id"]}}}
    published = [(schema["$id"], schema) for schema in (document, dialect, vocabulary)]
    registry = jsonschema_rs.Registry(published, draft=jsonschema_rs.Draft202012)
    validator = jsonschema_rs.Draft202012Validator(strict, registry=registry, validate_formats=True)
    for error in map(precise, validator.iter_errors(description.document)):
        place, key = innermost(description.document, error.instance_path, description.document)
        yield violation(place, shortened(error.message), key)


OPENAPI_RULES: dict[str, Rule] = {"openapi": openapi}
