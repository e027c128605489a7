"""Rules for the keys of OpenAPI: which there are, and in which order they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..spec.diagnostics import suggestion
from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Rule, Violation, violation

__all__ = ["KEY_RULES", "check_keys"]

#: The keys of each kind of mapping in `Description.places`. `*` stands for any ending.
_KEYS: dict[str, tuple[str, ...]] = {
    "index": (
        "openapi", "info", "externalDocs", "servers", "security", "tags", "paths", "webhooks", "components",
    ),
    "info": ("title", "version", "summary", "description", "termsOfService", "license", "contact"),
    "tag": ("name", "description"),
    "server": ("url", "description"),
    "externalDocs": ("url", "description"),
    "components": ("securitySchemes", "schemas", "responses", "parameters", "headers", "requestBodies"),
    "operation": (
        "operationId", "summary", "description", "externalDocs", "tags", "deprecated", "x-coze-replaced-by",
        "x-coze-formerly", "servers", "x-coze-permission", "x-coze-idempotent", "x-coze-result", "x-coze-pagination",
        "x-coze-stream", "x-coze-websocket", "x-coze-callback", "x-coze-poll", "x-coze-max-body-bytes",
        "x-coze-evidence", "x-coze-notes", "security", "parameters", "requestBody", "responses", "components",
    ),
    "parameter": ("name", "in", "required", "deprecated", "style", "explode", "description", "schema", "example"),
    "request body": ("$ref", "description", "required", "content"),
    "response": ("$ref", "description", "headers", "content"),
    "header": ("description", "required", "schema", "example"),
    "media type": ("schema", "example"),
    "schema": (
        "$ref", "type", "format", "description", "deprecated", "enum", "const", "default",
        "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems",
        "minProperties", "maxProperties", "propertyNames",
        "required", "properties", "items", "additionalProperties", "anyOf", "oneOf", "discriminator",
        "contentMediaType", "contentSchema", "x-coze-*", "examples",
    ),
}  # fmt: skip
_ORDERED = ("operation", "schema")
_OTHER_RULES = {"schema": ("title", "nullable")}


def known_key(description: Description) -> Iterator[Violation]:
    """There are no keys but those that the generator and the sandbox understand."""
    for kind, place in description.places():
        known = _KEYS.get(kind, tuple(place))
        for key in place:
            if key not in known + _OTHER_RULES.get(kind, ()) and not key.startswith("x-"):
                yield violation(place, f"there is no key {key} in this {kind}{suggestion(key, known)}", key)


def key_order(description: Description) -> Iterator[Violation]:
    """The keys of an operation and of a schema stand in the order of openapi/README.md."""
    for kind, place in description.places():
        if kind in _ORDERED:
            # `components` is gone from the bundled operation, but its line is still known.
            written = [key for key in place.lines if key in place or key == "components"]
            yield from _misplaced(place, written, _KEYS[kind])


def _misplaced(place: LocatedMapping, written: Sequence[str], expected: Sequence[str]) -> Iterator[Violation]:
    """Report the first key that stands after one that it should stand before. Unknown keys are not judged."""
    ranks = {key: rank for rank, key in enumerate(expected)}
    prefixes = [key[:-1] for key in expected if key.endswith("*")]

    def rank(key: str) -> int | None:
        prefix = next((prefix for prefix in prefixes if key.startswith(prefix)), None)
        return ranks.get(key if prefix is None else f"{prefix}*")

    known = [(position, key) for key in written if (position := rank(key)) is not None]
    for (before, _), (position, key) in pairwise(known):
        if position < before:
            order = ", ".join(name for _, name in sorted(known, key=lambda item: item[0]))
            yield violation(place, f"move {key} up: the order is {order}", key)
            return


def check_keys(
    value: LocatedMapping, owner: LocatedMapping, name: str, allowed: tuple[str, ...], required: tuple[str, ...]
) -> Iterator[Violation]:
    """Report keys of an object that are missing or unknown.

    Args:
        value: The object, empty if it is none.
        owner: What has it: the place of the fault if the object is empty.
        name: What messages call the object.
        allowed: Keys that the object may have.
        required: Keys that it must have.
    """
    for key in required:
        if key not in value:
            yield violation(value or owner, f"{name} lacks {key}")
    for key in value:
        if key not in allowed:
            remedy = suggestion(key, allowed) or f"; it has {', '.join(allowed)}"
            yield violation(value, f"{name} has no key {key}{remedy}", key)


KEY_RULES: dict[str, Rule] = {"known-key": known_key, "key-order": key_order}
