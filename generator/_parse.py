"""From the bundled document to what the templates need."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from typing import Any

from . import _ir as ir
from ._bundle import Bundle
from ._opc import Parsed
from ._problems import DescriptionError, Problem
from ._yaml import Mapping as Located

__all__ = ["build_api"]

_SHARED_ARGUMENTS = {"extra_headers", "extra_query", "extra_body", "timeout"}
_ANSWER_PATHS = {"items", "total", "has_more", "next"}
_BASE_MEMBERS = {"extra_fields", "response", "logid", "to_dict", "from_dict"}


def build_api(bundled: Bundle, parsed: Parsed) -> ir.Api:
    """Decide every name and type of the client.

    Raises:
        DescriptionError: A name is unusable, or the description asks for something that cannot be generated.
    """
    return _Builder(bundled, parsed).build()


class _Builder:
    def __init__(self, bundled: Bundle, parsed: Parsed) -> None:
        self.bundle = bundled
        self.parsed = parsed
        self.components: Mapping[str, Any] = bundled.document["components"]
        self.schemas: Mapping[str, Any] = self.components.get("schemas", {})
        self.problems: list[Problem] = []
        self.streams: dict[str, ir.Stream] = {}

    def build(self) -> ir.Api:
        operations = [op for entry in self.bundle.operations().values() for op in self.operation(*entry)]
        wanted = _Reach(self).from_operations(operations)
        api = ir.Api(
            version=str(self.bundle.document["info"]["version"]),
            models=tuple(self.model(name) for name in sorted(wanted) if self.schemas[name].get("properties")),
            enums=tuple(self.enum(name) for name in sorted(wanted) if "enum" in self.schemas[name]),
            streams=tuple(stream for _, stream in sorted(self.streams.items())),
            operations=tuple(sorted(operations, key=lambda operation: operation.id)),
            errors=tuple(self.error_codes()),
            tags={tag["name"]: tag["description"] for tag in self.bundle.document.get("tags", ())},
        )
        self.check_clashes(api)
        if self.problems:
            raise DescriptionError(self.problems)
        return api

    # -- operations

    def operation(self, path: str, verb: str, raw: Located) -> Iterator[ir.Operation]:
        self.identifier(raw, "operationId", *raw["operationId"].split("."))
        endpoint = self.parsed.endpoint(raw["operationId"])
        arguments = [*self.parameters(endpoint, raw), *self.body(endpoint, raw)]
        stream_key = raw.get("x-coze-stream")
        flag = stream_key.get("flag") if stream_key else None
        if flag:
            arguments = [argument for argument in arguments if argument.wire != flag]
        for argument in arguments:
            if argument.name in _SHARED_ARGUMENTS:
                message = f"argument {argument.name} has a name that every method uses already"
                self.problems.append(raw.problem("name-clash", message))
        arguments.sort(key=lambda argument: not argument.required)  # stable: required ones first
        common: dict[str, Any] = {
            "described_id": raw["operationId"],
            "verb": verb.upper(),
            "path": path,
            "summary": raw.get("summary", ""),
            "description": raw.get("description", ""),
            "notes": tuple(raw.get("x-coze-notes", ())),
            "page": raw.get("externalDocs", {}).get("url", ""),
            "deprecated": raw.get("deprecated", False),
            "permission": raw.get("x-coze-permission"),
            "idempotent": verb == "get" or raw.get("x-coze-idempotent", False),
            "arguments": tuple(arguments),
        }
        if stream_key is None or stream_key.get("method"):
            result, result_type = self.result(raw)
            paging = self.paging(raw, result, arguments) if "x-coze-pagination" in raw else None
            yield ir.Operation(
                id=raw["operationId"], constants={flag: False} if flag else {}, result=result,
                result_type=result_type, paging=paging, poll=raw.get("x-coze-poll"), stream=None, **common,
            )  # fmt: skip
        if stream_key is not None:
            name = stream_key.get("method") or raw["operationId"].rpartition(".")[2]
            self.identifier(stream_key, "method", name)
            yield ir.Operation(
                id=f"{raw['operationId'].rpartition('.')[0]}.{name}", constants={flag: True} if flag else {},
                result=".", result_type=None, paging=None, poll=None,
                stream=self.stream(stream_key["protocol"]["$ref"].rpartition("/")[2]), **common,
            )  # fmt: skip

    def parameters(self, endpoint: Any, raw: Located) -> Iterator[ir.Field]:
        parsed = {
            (place, prop.name.get_untrusted_value()): prop
            for place, props in (
                ("path", endpoint.path_parameters),
                ("query", endpoint.query_parameters),
                ("header", endpoint.header_parameters),
            )
            for prop in props
        }
        for parameter in raw.get("parameters", ()):
            if "$ref" in parameter:
                parameter = self.components["parameters"][parameter["$ref"].rpartition("/")[2]]  # noqa: PLW2901
            prop = parsed.get((parameter["in"], parameter["name"]))
            if prop is None:
                message = f"openapi-python-client dropped parameter {parameter['name']}"
                self.problems.append(parameter.problem("dropped", message, "name"))
                continue
            kind, nullable = self.parsed.resolve(prop, parameter["schema"])
            self.identifier(parameter, "name", str(prop.python_name))
            yield ir.Field(
                str(prop.python_name), parameter["name"], kind, prop.required, nullable,
                parameter.get("description", ""), self.parsed.deref(parameter["schema"]), parameter["in"],
            )  # fmt: skip

    def body(self, endpoint: Any, raw: Located) -> Iterator[ir.Field]:
        if "requestBody" not in raw:
            return
        [(media, content)] = raw["requestBody"]["content"].items()
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        if media not in {"application/json", "multipart/form-data"} or not self.schemas.get(name, {}).get("properties"):
            message = "a body must be application/json or multipart/form-data with a named object schema"
            self.problems.append(raw.problem("unsupported", message, "requestBody"))
            return
        if not endpoint.bodies:
            message = "openapi-python-client dropped the body"
            self.problems.append(raw.problem("dropped", message, "requestBody"))
        for field in self.fields(name):
            is_file = media != "application/json" and field.type == ir.Scalar("binary")
            place = "part" if is_file else "body"
            yield ir.Field(
                field.name, field.wire, field.type, field.required, field.nullable, field.description, field.schema,
                place,  # type: ignore[arg-type]  # one of two literals
            )  # fmt: skip

    def result(self, raw: Located) -> tuple[str, ir.Type | None]:
        response = raw["responses"]["200"]
        if "$ref" in response:
            response = self.components["responses"][response["$ref"].rpartition("/")[2]]
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        if not name:
            self.problems.append(raw.problem("unsupported", "a JSON answer must have a named schema", "responses"))
            return "data", None
        member = raw.get("x-coze-result", "data")
        paths = [value for key, value in raw.get("x-coze-pagination", {}).items() if key in _ANSWER_PATHS]
        if any(path.partition(".")[0] != member for path in paths):
            member = "."  # the items lie beside what tells the next page
        if member == ".":
            return member, ir.ModelRef(name)
        for field in self.fields(name):
            if field.wire == member:
                if not isinstance(field.type, ir.ModelRef) and not (isinstance(field.type, ir.ListOf)):
                    message = f"member {member} is neither an object nor a list; set x-coze-result to '.'"
                    self.problems.append(raw.problem("unsupported", message, "responses"))
                return member, field.type
        if "x-coze-result" in raw:
            self.problems.append(raw.problem("unsupported", f"{name} has no member {member}", "x-coze-result"))
        return member, None

    def paging(self, raw: Located, result: str, arguments: list[ir.Field]) -> ir.Paging | None:
        described = raw["x-coze-pagination"]
        by_wire = {argument.wire: argument.name for argument in arguments}
        root = f"{raw['operationId']}: x-coze-pagination"
        response = raw["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]

        def path(key: str) -> tuple[tuple[str, ...], ir.Type] | None:
            """Turn a dotted path of the answer into attribute names of the result."""
            if key not in described:
                return None
            segments = described[key].split(".")
            kind: ir.Type = ir.ModelRef(response)
            names: list[str] = []
            for segment in segments:
                fields = self.fields(kind.name) if isinstance(kind, ir.ModelRef) else ()
                field = next((field for field in fields if field.wire == segment), None)
                if field is None:
                    self.problems.append(described.problem("pagination", f"{root}: no member {described[key]}", key))
                    return None
                names.append(field.name)
                kind = field.type
            return tuple(names if result == "." else names[1:]), kind

        items = path("items")
        if items is None or not isinstance(items[1], ir.ListOf):
            self.problems.append(described.problem("pagination", f"{root}: items must name a list", "items"))
            return None
        for key in ("param", "size"):
            if key in described and described[key] not in by_wire:
                self.problems.append(described.problem("pagination", f"{root}: no argument {described[key]}", key))
                return None
        other = {key: found[0] if (found := path(key)) else None for key in ("total", "has_more", "next")}
        size = by_wire.get(described.get("size", ""))
        return ir.Paging(described["style"], by_wire[described["param"]], items[0], items[1].item, size, **other)

    def stream(self, name: str) -> ir.Stream:
        if name not in self.streams:
            raw = self.components["x-coze-streams"][name]
            self.identifier(raw, "event", raw["event"])
            events = tuple(self.event(wire, event) for wire, event in raw["events"].items())
            self.streams[name] = ir.Stream(
                name, _module(raw), raw["event"], raw["description"], events, raw.get("ids", False)
            )
        return self.streams[name]

    def event(self, wire: str, raw: Located) -> ir.Event:
        self.identifier(raw, "class", raw["class"])
        data: ir.Type | None = None
        if "data" in raw:
            data = self.schema_type(raw["data"])
        return ir.Event(wire, raw["class"], raw["description"], data, raw.get("ends", "never"), raw.get("fails", False))

    def schema_type(self, reference: Mapping[str, Any]) -> ir.Type:
        """Decide the type of a `$ref` that openapi-python-client does not see, since it is in a key of our own."""
        name = reference["$ref"].rpartition("/")[2]
        schema = self.schemas[name]
        if schema.get("properties"):
            return ir.ModelRef(name)
        parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        if parts and all("$ref" in part for part in parts):
            return ir.OneOf(tuple(self.schema_type(part) for part in parts))
        return ir.MapOf(ir.Scalar("any")) if schema.get("type") == "object" else ir.Scalar("any")

    # -- schemas

    def fields(self, model: str) -> tuple[ir.Field, ...]:
        raw = self.schemas[model]
        fields = []
        for prop in self.parsed.properties(model):
            wire = prop.name.get_untrusted_value()
            schema = raw["properties"][wire]
            name = str(prop.python_name)
            name = f"{name}_" if name in _BASE_MEMBERS else name
            self.identifier(schema, "description", name)
            kind, nullable = self.parsed.resolve(prop, schema)
            merged = self.parsed.deref(schema)
            fields.append(ir.Field(name, wire, kind, prop.required, nullable, merged.get("description", ""), merged))
        return tuple(fields)

    def model(self, name: str) -> ir.Model:
        raw = self.schemas[name]
        self.identifier(raw, "type", name)
        shorthand = raw.get("x-coze-from-string")
        return ir.Model(
            name, _module(raw), raw.get("description", ""), self.fields(name), shorthand, raw.get("deprecated", False)
        )

    def enum(self, name: str) -> ir.Enum:
        raw = self.schemas[name]
        self.identifier(raw, "enum", name)
        meanings = raw.get("x-coze-enum-descriptions", {})
        members = []
        for constant, value in self.parsed.enums[name].items():
            self.identifier(raw, "enum", constant)
            members.append((constant, value, str(meanings.get(str(value), ""))))
        return ir.Enum(
            name, _module(raw), raw.get("description", ""), "int" if raw.get("type") == "integer" else "str",
            tuple(members),
        )  # fmt: skip

    def error_codes(self) -> Iterator[ir.ErrorCode]:
        for row in self.components.get("x-coze-errors", ()):
            self.identifier(row, "name", row["name"])
            yield ir.ErrorCode(
                row["code"], row["name"], row["meaning"], row["category"], row["retryable"], row.get("http_status"),
                row.get("hint", ""),
            )  # fmt: skip

    # -- names

    def identifier(self, raw: Located, key: str, *names: str) -> None:
        """Refuse what could not stand in Python code as a name, and so also what could be more than a name."""
        for name in names:
            if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name):
                self.problems.append(raw.problem("name", f"{name!r:.60} cannot be a Python name", key))

    def check_clashes(self, api: ir.Api) -> None:
        seen: dict[str, str] = {}
        for operation in api.operations:
            if (other := seen.setdefault(operation.id, operation.described_id)) != operation.described_id:
                _, _, raw = self.bundle.operations()[operation.described_id]
                message = f"{operation.described_id} and {other} both become method {operation.id}"
                self.problems.append(raw.problem("name-clash", message, "operationId"))
        resources = {operation.resource for operation in api.operations}
        for operation in api.operations:
            if operation.id in resources:
                _, _, raw = self.bundle.operations()[operation.described_id]
                message = f"{operation.id} is a method and holds other operations"
                self.problems.append(raw.problem("name-clash", message, "operationId"))
        names = [model.name for model in api.models] + [enum.name for enum in api.enums]
        classes: list[tuple[str, Located]] = [(name, self.schemas[name]) for name in names]
        classes += [
            (event.name, self.components["x-coze-streams"][stream.name]["events"][event.wire])
            for stream in api.streams
            for event in stream.events
        ]
        lowered: dict[str, str] = {}
        for name, raw in classes:
            if name.lower() in lowered:
                self.problems.append(
                    raw.problem("name-clash", f"{name} and {lowered[name.lower()]} differ in case only")
                )
            lowered[name.lower()] = name
        for model in api.models:
            names = [field.name for field in model.fields]
            for name in {name for name in names if names.count(name) > 1}:
                raw = self.schemas[model.name]
                self.problems.append(raw.problem("name-clash", f"two properties become {name}", "properties"))


def _module(raw: Located) -> str:
    """Name the module of a schema by the folder that it is described in: openapi/bots/versions/… is in `bots`."""
    return raw.file.split("/")[1]


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


class _Reach:
    """Finds the schemas that the client's users can meet. Envelopes and flattened bodies are not among them."""

    def __init__(self, builder: _Builder) -> None:
        self.builder = builder
        self.found: set[str] = set()

    def from_operations(self, operations: list[ir.Operation]) -> set[str]:
        for operation in operations:
            for argument in operation.arguments:
                self.visit(argument.type)
            self.visit(operation.result_type)
            for event in operation.stream.events if operation.stream else ():
                self.visit(event.data)
        return self.found

    def visit(self, kind: ir.Type | None) -> None:
        match kind:
            case ir.ModelRef(name):
                if name not in self.found:
                    self.found.add(name)
                    for field in self.builder.fields(name):
                        self.visit(field.type)
                        for reference in _references(field.schema.get("x-coze-json-text")):
                            self.visit(self.builder.schema_type(reference))
            case ir.EnumRef(name):
                self.found.add(name)
            case ir.ListOf(inner) | ir.MapOf(inner):
                self.visit(inner)
            case ir.OneOf(members):
                for member in members:
                    self.visit(member)
