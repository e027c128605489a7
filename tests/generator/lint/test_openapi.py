"""The JSON Schemas of OpenAPI that the linter uses."""

from __future__ import annotations

import json
from pathlib import Path

from openapi_schema_validator import OAS31Validator
from openapi_spec_validator.schemas import schema_v31

import generator.lint

FOLDER = Path(generator.lint.__file__).parent / "openapi_3_1"


def test_schemas_are_those_that_other_validators_use() -> None:
    """The copies of the published JSON Schemas of OpenAPI 3.1 are equal to those in two other packages."""
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
    assert schemas.keys() == {"schema.json", "dialect.json", "vocabulary.json"}
    assert schemas["schema.json"] == dict(schema_v31)
    assert schemas["dialect.json"] == OAS31Validator.META_SCHEMA
    assert schemas["vocabulary.json"]["$id"] == schemas["dialect.json"]["allOf"][1]["$ref"]
