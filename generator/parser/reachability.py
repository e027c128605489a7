"""Finds what the client needs of the description."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .. import ir
from .schemas import SchemaParser

__all__ = ["holds_secrets", "reachable_schemas"]


def reachable_schemas(
    parser: SchemaParser, operations: Iterable[ir.Operation], callbacks: ir.Callbacks | None
) -> set[str]:
    """Find the schemas that the client's users can meet: all but envelopes, frames and flattened bodies."""
    reach = _Reach(parser)
    for operation in operations:
        for argument in operation.arguments:
            reach.visit(argument.type)
        reach.visit(operation.result_type)
        for event in operation.stream.events if operation.stream else ():
            reach.visit(event.data)
    for message in parser.messages.values():
        for field in message.fields:
            reach.visit(field.type)
    for name in (*(name for _, name in callbacks.messages.kinds), *callbacks.answers) if callbacks else ():
        reach.visit(ir.ModelRef(name))
    # Every list of values has its use: names of events, reasons of errors, queries of WebSockets.
    return reach.found | {name for name, schema in parser.schemas.items() if "enum" in schema}


def holds_secrets(parser: SchemaParser, schema: str) -> bool:
    """Return whether anything in an object must not be shown. "" is the name of no object."""
    reach = _Reach(parser)
    reach.visit(ir.ModelRef(schema))
    objects = [name for name in reach.found & parser.schemas.keys() if "properties" in parser.schemas[name]]
    return any(field.secret for name in objects for field in parser.fields(name))


class _Reach:
    def __init__(self, parser: SchemaParser) -> None:
        self.parser = parser
        self.found: set[str] = set()

    def visit(self, kind: ir.Type | None) -> None:
        match kind:
            case ir.ModelRef(name):
                if name not in self.found:
                    self.found.add(name)
                    for field in self.parser.fields(name) if name in self.parser.schemas else ():
                        self.visit(field.type)
                        for key in ("contentSchema", "x-coze-json-text"):
                            for reference in _references(field.schema.get(key)):
                                self.visit(self.parser.schema_type(reference))
            case ir.EnumRef(name):
                self.found.add(name)
            case ir.ListOf(inner) | ir.MapOf(inner):
                self.visit(inner)
            case ir.OneOf(members):
                for member in members:
                    self.visit(member)


def _references(value: Any) -> Iterator[Mapping[str, Any]]:
    """Find every `$ref` inside a schema."""
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield value
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
