"""The description in a form that other tools take whole.

The document stays OpenAPI 3.1 and describes the same API. docs/guides/portable.md has the reason for each change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .bundler import LITERALS, operations_of

__all__ = ["portable"]

_SCHEMAS = "#/components/schemas/"
_NAMED = {"properties", "responses"}
"""Keys whose members the API names."""
_TAKEN = frozenset(
    {"Any", "ApiClient", "ApiException", "ApiResponse", "Array", "AuthenticatedClient", "Blob", "Boolean", "Client"}
    | {"Configuration", "Date", "Dict", "Error", "File", "FormData", "Function", "Headers", "List", "Map", "Model"}
    | {"Number", "Object", "Optional", "Promise", "Record", "Request", "Response", "Set", "String", "Union", "Unset"}
)
"""Names that generated code uses for its own: a class `File` of the API replaces the one for uploads."""


def portable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bundled description as a new document without what other tools stumble over.

    Args:
        document: `Bundle.document`, from a description that passes the lint. It is not changed.
    """
    components = document["components"]
    schemas = dict(components.get("schemas", {}))
    schemas |= _messages(components, schemas)
    rewriter = _Rewriter(schemas)
    result = {
        **rewriter.rewrite({key: value for key, value in document.items() if key != "components"}),
        "components": {
            **rewriter.rewrite({key: value for key, value in components.items() if key != "schemas"}, "components"),
            "schemas": dict(sorted(rewriter.rewrite(schemas, "schemas").items())),
        },
    }
    for _, _, operation in operations_of(result):
        operation["responses"] = _with_client_error(operation["responses"])
    for _, _, callback in operations_of(result, "webhooks"):
        callback.setdefault("security", [])  # the token of the client has no part in what Coze sends
    return result


class _Rewriter:
    def __init__(self, schemas: Iterable[str]) -> None:
        self.names = {name: f"Coze{name}" if name in _TAKEN else name for name in schemas}
        self.titles = set(self.names.values())

    def rewrite(self, value: Any, *place: str, named: bool = False) -> Any:
        """Copy *value*, whose key is the last of *place*; below a schema, *place* begins with its name.

        If *named*, the API names the members of *value*: one may be called `default` or `x-ray`.
        """
        if isinstance(value, list):
            return [self.rewrite(item, *place, "item") for item in value]
        if not isinstance(value, Mapping):
            return value
        if named:
            return {name: self.rewrite(member, *place, name) for name, member in value.items()}
        if place == ("schemas",):
            return {self.names[name]: self.rewrite(schema, self.names[name]) for name, schema in value.items()}
        return self.improved({key: self.member(key, member, place) for key, member in value.items()}, place)

    def member(self, key: str, value: Any, place: tuple[str, ...]) -> Any:
        if key == "$ref":
            return self.target(value)
        if key == "mapping" and place[-1:] == ("discriminator",):
            return {tag: self.target(target) for tag, target in value.items()}
        if key.startswith("x-"):
            return self.without_references(value)
        return value if key in LITERALS else self.rewrite(value, *place, key, named=key in _NAMED)

    def without_references(self, value: Any) -> Any:
        """Write `reference` for `$ref`, which below `x-` some tools replace and others do not see."""
        if isinstance(value, list):
            return [self.without_references(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        plain = {key: self.without_references(member) for key, member in value.items() if key != "$ref"}
        return {"reference": self.target(value["$ref"]), **plain} if "$ref" in value else plain

    def target(self, reference: str) -> str:
        name = reference.removeprefix(_SCHEMAS)
        return _SCHEMAS + self.names[name] if name != reference else reference

    def improved(self, schema: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
        """Return a schema, or what else is not a map of names, with the keys that tools need."""
        if "const" in schema:
            # openapi-python-client leaves out operations with a constant header
            value = schema.pop("const")
            schema |= {"enum": [value], "default": value}
        if "additionalProperties" in schema and "properties" not in schema and len(place) > 1:
            # without one, openapi-python-client takes the name of the place, which may be that of another schema
            schema = {"title": self.title(place), **schema}
        if "x-coze-enum-names" in schema:
            schema["x-enum-varnames"] = schema["x-coze-enum-names"]
        if "x-coze-enum-descriptions" in schema:
            texts = schema["x-coze-enum-descriptions"]
            schema["x-enum-descriptions"] = [texts.get(str(value), "") for value in schema["enum"]]
        return schema

    def title(self, place: tuple[str, ...]) -> str:
        keys = [key.replace("additionalProperties", "value") for key in place if key not in {"properties", "items"}]
        words = re.split(r"[^A-Za-z0-9]+", "_".join(keys))
        first = title = "".join(word[:1].upper() + word[1:] for word in words) + "Map"
        number = 2
        while title in self.titles:
            title, number = f"{first}{number}", number + 1
        self.titles.add(title)
        return title


def _with_client_error(responses: dict[str, Any]) -> dict[str, Any]:
    """Add the response `4XX`, which Redocly requires, where only `default` covers it."""
    if "default" not in responses or any(status.startswith("4") for status in responses):
        return responses
    result: dict[str, Any] = {}
    for status, response in responses.items():
        if status == "default":
            result["4XX"] = dict(response)
        result[status] = response
    return result


def _messages(components: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a schema for each event of a stream and each message of a WebSocket, and for their unions.

    OpenAPI 3.1 has no place for them, and no tool finds what only an `x-` key names.
    """
    for protocol in components.get("x-coze-streams", {}).values():
        about = f"One event of a stream, its `data` parsed. {protocol['description']}"
        number = {"id": _text("Number of the event within the stream, counting from 0.")} if protocol.get("ids") else {}
        yield protocol["event"], _union(about, "event", protocol["events"])
        for kind, event in protocol["events"].items():
            yield event["class"], _message("event", kind, event, schemas, number, number)
    for protocol in components.get("x-coze-websockets", {}).values():
        for direction, sender in (("uplink", "you"), ("downlink", "Coze")):
            side = protocol[direction]
            about = f"One message that {sender} can send. {protocol['description']}"
            envelope = {"id": _text("Id of the message, made by who sends it.")}
            if "detail" in side:
                envelope["detail"] = side["detail"]
            yield side["union"], _union(about, "event_type", side["messages"])
            for kind, message in side["messages"].items():
                yield message["class"], _message("event_type", kind, message, schemas, envelope)


def _union(description: str, tag: str, members: Mapping[str, Any]) -> dict[str, Any]:
    references = {kind: _SCHEMAS + member["class"] for kind, member in members.items()}
    return {
        "description": description,
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": tag, "mapping": references},
    }


def _message(
    tag: str,
    kind: str,
    described: Mapping[str, Any],
    schemas: Mapping[str, Any],
    envelope: Mapping[str, Any],
    required: Iterable[str] = (),
) -> dict[str, Any]:
    fixed = {"type": "string", "description": "Kind of the message.", "enum": [kind], "default": kind}
    data = described.get("data", {})
    needed = schemas.get(data.get("$ref", "").removeprefix(_SCHEMAS), data).get("required")  # see extensions.md
    return {
        "type": "object",
        "description": described["description"],
        "required": [*required, tag, *(["data"] if needed else [])],
        "properties": {**envelope, tag: fixed, **({"data": data} if data else {})},
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}
