"""Everything in a bundled description that rules look at, found once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from ..spec.bundler import Bundle
from ..spec.yaml_loader import LocatedMapping

__all__ = [
    "EMPTY_RESPONSE",
    "Description",
    "Violation",
    "Media",
    "SchemaNode",
    "Operation",
    "Rule",
    "violation",
    "build_context",
    "mapping",
    "strings",
]

_SINGLE = {
    "items": "items",
    "additionalProperties": "values",
    "propertyNames": "keys",
    "contentSchema": "content",
    "x-coze-json-text": "content",
}
#: The response of operations that return nothing.
EMPTY_RESPONSE = "#/components/responses/Empty"
_NOTHING = LocatedMapping("", 0)


@attrs.frozen
class Violation:
    """A broken rule at a place. `lint` turns it into a problem by adding the rule's name."""

    file: str
    line: int
    message: str


Rule = Callable[["Description"], Iterator[Violation]]


@attrs.frozen(eq=False)
class SchemaNode:
    """A schema.

    Attributes:
        schema: The schema as it is written, `$ref` unfollowed.
        pointer: Its place in the document.
        role: `component`, `property`, `items`, `values` (of a map), `keys` (of a map), `variant`,
            `content`, or `root` for the schema of a parameter, header or media type.
        name: What messages call it, for example `Message.role`.
    """

    schema: LocatedMapping
    pointer: tuple[str, ...]
    role: str
    name: str


@attrs.frozen(eq=False)
class Media:
    """A media type of a request body or response, with its place in the document."""

    content_type: str
    body: LocatedMapping
    pointer: tuple[str, ...]


@attrs.frozen(eq=False)
class Operation:
    """An operation with its id, or an empty one where it has none."""

    id: str
    path: str
    method: str
    body: LocatedMapping


@attrs.frozen(eq=False)
class Description:
    """A bundled description with lists of its parts.

    Attributes:
        bundle: What the lists were made from.
        operations: All operations by id, in the order of the index.
        callbacks: All callbacks by id, in the order of the index. The path is the type of the event.
        nodes: Every schema, each once.
        media: Every media type of a request body or response, each once.
        parameters: Every parameter with its place, each once.
        headers: Every header of a response.
    """

    bundle: Bundle
    operations: dict[str, Operation]
    callbacks: dict[str, Operation]
    nodes: list[SchemaNode]
    media: list[Media]
    parameters: list[tuple[tuple[str, ...], LocatedMapping]]
    headers: list[LocatedMapping]

    @property
    def document(self) -> LocatedMapping:
        """The OpenAPI document."""
        return self.bundle.document

    @property
    def everything(self) -> list[Operation]:
        """All operations and all callbacks."""
        return [*self.operations.values(), *self.callbacks.values()]

    def places(self) -> Iterator[tuple[str, LocatedMapping]]:
        """Yield every mapping whose keys OpenAPI gives a meaning, with the name of its kind."""
        document = self.document
        bodies = [operation.body for operation in self.everything]
        responses = [*self.components("responses").values()]
        responses += [response for body in bodies for response in mapping(body.get("responses")).values()]
        owners = [document, *bodies]
        places: dict[str, Iterable[Any]] = {
            "index": [document],
            "info": [document.get("info")],
            "tag": _items(document.get("tags")),
            "server": [server for owner in owners for server in _items(owner.get("servers"))],
            "externalDocs": [owner.get("externalDocs") for owner in owners],
            "components": [document.get("components")],
            "path": [item for part in ("paths", "webhooks") for item in mapping(document.get(part)).values()],
            "operation": bodies,
            "parameter": [parameter for _, parameter in self.parameters],
            "request body": [body.get("requestBody") for body in bodies],
            "response": responses,
            "header": self.headers,
            "media type": [media.body for media in self.media],
            "schema": [node.schema for node in self.nodes],
        }
        for kind, nodes in places.items():
            yield from ((kind, place) for place in nodes if isinstance(place, LocatedMapping))

    def components(self, kind: str) -> LocatedMapping:
        """Return the components of one kind, none if there are none."""
        return mapping(mapping(self.document.get("components")).get(kind))

    def resolve(self, value: Any) -> LocatedMapping:
        """Follow `$ref` until there is none. What is not a mapping becomes an empty one."""
        resolved = mapping(value)
        for _ in range(20):
            reference = resolved.get("$ref")
            if not isinstance(reference, str):
                return resolved
            kind, _, name = reference.removeprefix("#/components/").partition("/")
            resolved = mapping(self.components(kind).get(name))
        return _NOTHING

    def answer(self, operation: Operation, content_type: str = "application/json") -> LocatedMapping:
        """Return the schema of the 200 response as it is written, an empty one if there is none."""
        response = self.resolve(mapping(operation.body.get("responses")).get("200"))
        return mapping(mapping(mapping(response.get("content")).get(content_type)).get("schema"))

    def parameters_of(self, operation: Operation) -> list[LocatedMapping]:
        """Return the parameters of an operation, references followed."""
        return [self.resolve(item) for item in _items(operation.body.get("parameters"))]

    def request(self, operation: Operation) -> LocatedMapping:
        """Return the schema of the request body as it is written, an empty one if there is none."""
        content = mapping(self.resolve(operation.body.get("requestBody")).get("content"))
        return next((mapping(mapping(media).get("schema")) for media in content.values()), _NOTHING)


def violation(place: LocatedMapping, message: str, key: str | None = None) -> Violation:
    """Return a violation at *key* of *place*, or at *place* as a whole."""
    return Violation(place.file, place.line if key is None else place.line_of(key), message)


def mapping(value: Any) -> LocatedMapping:
    """Return *value* if it is a mapping, else an empty one: rules must survive any shape."""
    return value if isinstance(value, LocatedMapping) else _NOTHING


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    """Return the strings of a list, none if *value* is something else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def build_context(bundle: Bundle) -> Description:
    """Find all parts of a description."""
    context = Description(bundle, {}, {}, [], [], [], [])
    for part, operations in (("paths", context.operations), ("webhooks", context.callbacks)):
        for path, item in mapping(bundle.document.get(part)).items():
            for method, body in mapping(item).items():
                if isinstance(body, LocatedMapping):
                    name = body.get("operationId")
                    operation = Operation(name if isinstance(name, str) else "", path, method, body)
                    operations[operation.id or f"{method} {path}"] = operation
                    _index_operation(context, operation, (part, path, method))
    for name, response in context.components("responses").items():
        _index_response(context, mapping(response), ("components", "responses", name), name)
    for name, parameter in context.components("parameters").items():
        _index_parameter(context, mapping(parameter), ("components", "parameters", name))
    for name, header in context.components("headers").items():
        _index_header(context, mapping(header), ("components", "headers", name), name)
    for name, schema in context.components("schemas").items():
        context.nodes.extend(_nodes(schema, ("components", "schemas", name), "component", name))
    return context


def _index_operation(context: Description, operation: Operation, place: tuple[str, ...]) -> None:
    for number, parameter in enumerate(_items(operation.body.get("parameters"))):
        _index_parameter(context, mapping(parameter), (*place, "parameters", str(number)))
    body = mapping(operation.body.get("requestBody"))
    _index_content(context, body, (*place, "requestBody"), f"{operation.id} body")
    for status, response in mapping(operation.body.get("responses")).items():
        _index_response(context, mapping(response), (*place, "responses", status), f"{operation.id} {status}")


def _index_response(context: Description, response: LocatedMapping, place: tuple[str, ...], name: str) -> None:
    _index_content(context, response, place, name)
    for header, body in mapping(response.get("headers")).items():
        _index_header(context, mapping(body), (*place, "headers", header), f"{name} {header}")


def _index_header(context: Description, header: LocatedMapping, place: tuple[str, ...], name: str) -> None:
    if "$ref" not in header:
        context.headers.append(header)
        context.nodes.extend(_nodes(header.get("schema"), (*place, "schema"), "root", name))


def _index_content(context: Description, owner: LocatedMapping, place: tuple[str, ...], name: str) -> None:
    for content_type, body in mapping(owner.get("content")).items():
        inside = (*place, "content", content_type)
        context.media.append(Media(content_type, mapping(body), inside))
        context.nodes.extend(_nodes(mapping(body).get("schema"), (*inside, "schema"), "root", name))


def _index_parameter(context: Description, parameter: LocatedMapping, place: tuple[str, ...]) -> None:
    if "$ref" not in parameter:
        context.parameters.append((place, parameter))
        name = str(parameter.get("name"))
        context.nodes.extend(_nodes(parameter.get("schema"), (*place, "schema"), "root", name))


def _nodes(schema: Any, place: tuple[str, ...], role: str, name: str) -> Iterator[SchemaNode]:
    if not isinstance(schema, LocatedMapping):
        return
    yield SchemaNode(schema, place, role, name)
    for key, member in mapping(schema.get("properties")).items():
        yield from _nodes(member, (*place, "properties", key), "property", f"{name}.{key}")
    for key, inner in _SINGLE.items():
        yield from _nodes(schema.get(key), (*place, key), inner, f"{name} {key}")
    for key in ("anyOf", "oneOf", "allOf"):
        variants = schema.get(key)
        for number, member in enumerate(variants if isinstance(variants, list) else []):
            inside = (*place, key, str(number))
            yield from _nodes(member, inside, "variant", f"{name} {key}[{number}]")
