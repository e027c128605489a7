"""From the bundled document to what the templates need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from .. import ir
from ..spec.bundler import Bundle, deprecation_note
from ..spec.diagnostics import DescriptionError
from ..spec.yaml_loader import LocatedMapping
from .naming import name_collisions
from .openapi_python_client import Parsed, is_constant
from .reachability import holds_secrets, reachable_schemas
from .schemas import SchemaParser

__all__ = ["build_api"]

_ANSWER_PATHS = {"items", "total", "has_more", "next"}
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STYLES: dict[str, tuple[Any, ...]] = {"style": ("form", "simple"), "explode": (False,), "allowReserved": (False,)}


def build_api(bundled: Bundle, parsed: Parsed) -> ir.Api:
    """Decide every name and type of the client.

    Raises:
        DescriptionError: A name is unusable, or the description contains something that cannot be generated.
    """
    return OperationParser(bundled, parsed).build()


class OperationParser:
    """Decides names and types of what the description has under `paths`."""

    def __init__(self, bundled: Bundle, parsed: Parsed) -> None:
        self.bundle = bundled
        self.parsed = parsed
        self.parser = SchemaParser(bundled, parsed)
        self.problems = self.parser.problems

    def build(self) -> ir.Api:
        sockets = {
            name: self.parser.socket(name) for name in sorted(self.parser.components.get("x-coze-websockets", {}))
        }
        described = self.bundle.operations()
        operations = [op for entry in described.values() for op in self.operation(*entry, sockets)]
        operations += [alias for operation in operations for alias in self.alias(operation, described)]
        callbacks = self.parser.callbacks(self.bundle.callbacks())
        wanted = reachable_schemas(self.parser, operations, callbacks)
        for name in sorted(wanted):
            place = self.parser.schemas.get(name, self.bundle.document)
            if not place.get("properties") and "enum" not in place:
                message = f"{name} must be a schema of its own, under a name, with properties or values of its own"
                self.problems.append(place.problem("unsupported", message))
        if self.problems:
            raise DescriptionError(self.problems)
        api = ir.Api(
            version=str(self.bundle.document["info"]["version"]),
            models=(
                *(self.parser.model(name) for name in sorted(wanted) if self.parser.schemas[name].get("properties")),
                *(self.parser.messages[name] for name in sorted(self.parser.messages)),
            ),
            enums=tuple(self.parser.enum(name) for name in sorted(wanted) if "enum" in self.parser.schemas[name]),
            streams=tuple(stream for _, stream in sorted(self.parser.streams.items())),
            sockets=tuple(sockets.values()),
            callbacks=callbacks,
            operations=tuple(sorted(operations, key=lambda operation: operation.id)),
            errors=tuple(self.parser.error_codes()),
            tags={tag["name"]: tag.get("description", "") for tag in self.bundle.document.get("tags", ())},
        )
        if not self.problems:  # collisions of invalid names are no use to anybody
            self.problems += name_collisions(api, self.bundle)
        if self.problems:
            raise DescriptionError(self.problems)
        return api

    def operation(
        self, path: str, verb: str, raw: LocatedMapping, sockets: Mapping[str, ir.Socket]
    ) -> Iterator[ir.Operation]:
        self.parser.name("member", raw, "operationId", *raw["operationId"].split("."))
        if "." not in raw["operationId"]:
            self.problems.append(raw.problem("name", "an operation id is a resource, a dot and a verb", "operationId"))
        if "callbacks" in raw:
            self.problems.append(raw.problem("unsupported", "the client would not heed callbacks", "callbacks"))
        endpoint = self.parsed.endpoint(raw["operationId"])
        arguments = [*self.parameters(endpoint, raw), *self.body(endpoint, raw)]
        stream_key = raw.get("x-coze-stream")
        flag = stream_key.get("flag") if stream_key else None
        if flag:
            arguments = [argument for argument in arguments if argument.wire != flag]
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
            "replaced_by": raw.get("x-coze-replaced-by"),
            "permission": raw.get("x-coze-permission"),
            "idempotent": verb == "get" or raw.get("x-coze-idempotent", False),
            "arguments": tuple(arguments),
            "headers": {
                parameter["name"]: str(parameter["schema"]["const"])
                for parameter in self.listed(raw)
                if is_constant(parameter)
            },
            "servers": self.servers(raw),
            "authorized": all(raw.get("security", ({"bearer": []},))) and raw.get("security") != [],
            "confidential": holds_secrets(self.parser, self.answer(raw)),
            "answer": self.answer_kind(raw),
            "any_file": self.answer_kind(raw) == "file" and "application/octet-stream" in self.media_types(raw),
        }
        if "x-coze-websocket" in raw:
            socket = sockets[raw["x-coze-websocket"]["protocol"]["$ref"].rpartition("/")[2]]
            yield ir.Operation(
                id=f"{raw['operationId']}.handshake", constants={}, result=".", result_type=None, paging=None,
                poll=None, stream=None, socket=socket, **common,
            )  # fmt: skip
            return
        if stream_key is None or stream_key.get("method"):
            result, result_type = self.result(raw) if common["answer"] == "json" else (".", None)
            paging = self.paging(raw, result, arguments) if "x-coze-pagination" in raw else None
            yield ir.Operation(
                id=raw["operationId"], constants={flag: False} if flag else {}, result=result,
                result_type=result_type, paging=paging, poll=self.poll(raw), stream=None, **common,
            )  # fmt: skip
        if stream_key is not None and "protocol" not in stream_key:
            self.problems.append(stream_key.problem("unsupported", "a stream needs a protocol"))
        elif stream_key is not None:
            self.parser.name("member", stream_key, "method", _stream_id(raw["operationId"], raw).rpartition(".")[2])
            yield ir.Operation(
                id=_stream_id(raw["operationId"], raw), constants={flag: True} if flag else {},
                result=".", result_type=None, paging=None, poll=None,
                stream=self.parser.stream(stream_key["protocol"]["$ref"].rpartition("/")[2]),
                **common | {"replaced_by": self.stream_replacement(raw)},
            )  # fmt: skip

    def stream_replacement(self, raw: LocatedMapping) -> str | None:
        """Find what replaces the streaming method of an operation: the streaming one, if there are two."""
        replacement: str | None = raw.get("x-coze-replaced-by")
        if replacement is None:
            return None
        entry = self.bundle.operations().get(replacement)
        return _stream_id(replacement, entry[2]) if entry else replacement

    def alias(
        self, operation: ir.Operation, described: Mapping[str, tuple[str, str, LocatedMapping]]
    ) -> Iterator[ir.Operation]:
        """Keep the method by the old id of an operation that was renamed."""
        raw = described[operation.described_id][2]
        if "x-coze-formerly" not in raw:
            return
        former = raw["x-coze-formerly"]
        self.parser.name("member", raw, "x-coze-formerly", *former.split("."))
        if "." not in former:
            self.problems.append(
                raw.problem("name", "an operation id is a resource, a dot and a verb", "x-coze-formerly")
            )
        elif operation.socket:
            former = f"{former}.handshake"
        elif operation.stream:
            former = _stream_id(former, raw)
        if former != operation.id:  # the streaming method keeps its name if the resource does
            note = deprecation_note({"deprecated": True, "x-coze-replaced-by": operation.id})
            description = f"{note} {operation.description}"
            yield attrs.evolve(operation, id=former, deprecated=True, replaced_by=operation.id, description=description)

    def parameters(self, endpoint: Any, raw: LocatedMapping) -> Iterator[ir.Field]:
        parsed = {
            (place, prop.name.get_untrusted_value()): prop
            for place, props in (
                ("path", endpoint.path_parameters),
                ("query", endpoint.query_parameters),
                ("header", endpoint.header_parameters),
            )
            for prop in props
        }
        for parameter in self.listed(raw):
            if is_constant(parameter):
                continue
            prop = parsed.get((parameter["in"], parameter["name"]))
            if prop is None or "schema" not in parameter:
                message = f"openapi-python-client dropped parameter {parameter['name']}, or it has no schema"
                self.problems.append(parameter.problem("dropped", message, "name"))
                continue
            if parameter["in"] == "header" and not _HEADER.fullmatch(parameter["name"]):
                message = f"{parameter['name']!r} cannot be the name of a header"
                self.problems.append(parameter.problem("name", message, "name"))
            for key, supported in _STYLES.items():
                if parameter.get(key, supported[0]) not in supported:
                    message = f"{key} {parameter[key]} is not supported: the client joins lists by commas"
                    self.problems.append(parameter.problem("unsupported", message, key))
            kind, nullable = self.parsed.resolve(prop, parameter["schema"])
            self.parser.name("member", parameter, "name", str(prop.python_name))
            yield ir.Field(
                str(prop.python_name), parameter["name"], kind, prop.required, nullable,
                parameter.get("description", ""), self.parsed.deref(parameter["schema"]), parameter["in"],
                self.parser.former_name(parameter, str(prop.python_name)),
            )  # fmt: skip

    def listed(self, raw: LocatedMapping) -> Iterator[Any]:
        """Yield the parameters of an operation."""
        for parameter in raw.get("parameters", ()):
            name = parameter.get("$ref", "").rpartition("/")[2]
            yield self.parser.components["parameters"][name] if name else parameter

    def servers(self, raw: LocatedMapping) -> tuple[str, ...]:
        """List the addresses of an operation that is not served where the others are."""
        urls = tuple(server["url"] for server in raw.get("servers", ()))
        if len({urlsplit(url).netloc.partition(".")[0] for url in urls}) > 1:
            message = "all servers of an operation must be of one kind"
            self.problems.append(raw.problem("unsupported", message, "servers"))
        return urls

    def answer_kind(self, raw: LocatedMapping) -> str:
        """Return whether the response is JSON, a file, a redirect or a WebSocket."""
        responses = raw.get("responses", {})
        if "x-coze-websocket" in raw:
            return "socket"
        if "200" not in responses and "302" in responses:
            return "redirect"
        schemas = [media.get("schema", {}) for media in self.media_types(raw).values()]
        return "file" if schemas and all(schema.get("format") == "binary" for schema in schemas) else "json"

    def media_types(self, raw: LocatedMapping) -> Mapping[str, Any]:
        """Return what the response can be, by media type."""
        content: Mapping[str, Any] = raw.get("responses", {}).get("200", {}).get("content", {})
        return content

    def body(self, endpoint: Any, raw: LocatedMapping) -> Iterator[ir.Field]:
        """Flatten the body into arguments."""
        content = raw.get("requestBody", {"content": {}}).get("content")
        if content == {}:
            return
        media, described = next(iter(content.items())) if content and len(content) == 1 else ("", {})
        name = described.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if media not in {"application/json", "multipart/form-data"} or not self.parser.schemas.get(name, {}).get(
            "properties"
        ):
            message = "a body must be application/json or multipart/form-data with a named object schema"
            self.problems.append(raw.problem("unsupported", message, "requestBody"))
            return
        if not endpoint.bodies:
            message = "openapi-python-client dropped the body"
            self.problems.append(raw.problem("dropped", message, "requestBody"))
        for field in self.parser.fields(name):
            is_file = field.type == ir.Scalar("binary")
            if (is_file and media == "application/json") or ir.Scalar("binary") in _inner(field.type):
                message = f"{field.wire}: a file must be a member of a multipart/form-data body itself"
                self.problems.append(self.parser.schemas[name].problem("unsupported", message, "properties"))
            yield attrs.evolve(field, place="part" if is_file else "body")

    def answer(self, raw: LocatedMapping) -> str:
        """Find the name of the schema of the JSON response; "" if there is none."""
        response = raw.get("responses", {}).get("200", {})
        if "$ref" in response:
            response = self.parser.components["responses"][response["$ref"].rpartition("/")[2]]
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        name: str = schema.get("$ref", "").rpartition("/")[2]
        return name if self.parser.schemas.get(name, {}).get("properties") else ""

    def result(self, raw: LocatedMapping) -> tuple[str, ir.Type | None]:
        """Decide which member of the response the method returns, and its type."""
        name = self.answer(raw)
        if not name:
            message = "the response 200 must be application/json with a named object schema"
            self.problems.append(raw.problem("unsupported", message, "responses"))
            return "data", None
        member = raw.get("x-coze-result", "data")
        paths = [value for key, value in raw.get("x-coze-pagination", {}).items() if key in _ANSWER_PATHS]
        if any(path.partition(".")[0] != member for path in paths):
            member = "."  # the items are beside the token of the next page
        if member == ".":
            return member, ir.ModelRef(name)
        for field in self.parser.fields(name):
            if field.wire == member:
                if not isinstance(field.type, ir.ModelRef) and not (isinstance(field.type, ir.ListOf)):
                    message = f"member {member} is neither an object nor a list; set x-coze-result to '.'"
                    self.problems.append(raw.problem("unsupported", message, "responses"))
                return member, field.type
        if "x-coze-result" in raw:
            self.problems.append(raw.problem("unsupported", f"{name} has no member {member}", "x-coze-result"))
        return member, None

    def poll(self, raw: Mapping[str, Any]) -> ir.Poll | None:
        rule = raw.get("x-coze-poll")
        if rule is None:
            return None
        items = rule.get("items")
        return ir.Poll(
            rule["status"], tuple(rule["pending"]), tuple(rule["terminal"]), tuple(rule.get("failed", ())),
            None if items is None else tuple(filter(None, items.split("."))), rule.get("waiting"), rule.get("flag"),
        )  # fmt: skip

    def paging(self, raw: LocatedMapping, result: str, arguments: list[ir.Field]) -> ir.Paging | None:
        described = raw["x-coze-pagination"]
        by_wire = {argument.wire: argument.name for argument in arguments}
        root = f"{raw['operationId']}: x-coze-pagination"
        response = self.answer(raw)

        def path(key: str) -> tuple[tuple[str, ...], ir.Type] | None:
            """Turn a dotted path of the response into attribute names of the result."""
            if key not in described:
                return None
            segments = described[key].split(".")
            kind: ir.Type = ir.ModelRef(response)
            names: list[str] = []
            for segment in segments:
                fields = self.parser.fields(kind.name) if isinstance(kind, ir.ModelRef) else ()
                field = next((field for field in fields if field.wire == segment), None)
                if field is None:
                    self.problems.append(described.problem("pagination", f"{root}: no member {described[key]}", key))
                    return None
                names.append(field.name)
                kind = field.type
            return tuple(names if result == "." else names[1:]), kind

        items = path("items") if response else None
        if items is None or not isinstance(items[1], ir.ListOf):
            self.problems.append(described.problem("pagination", f"{root}: items must name a list", "items"))
            return None
        for key in ("param", "size"):
            if (key in described or key == "param") and described.get(key) not in by_wire:
                self.problems.append(described.problem("pagination", f"{root}: no argument {described.get(key)}", key))
                return None
        other = {key: steps[0] if (steps := path(key)) else None for key in ("total", "has_more", "next")}
        size = by_wire.get(described.get("size", ""))
        return ir.Paging(
            described.get("style", ""), by_wire[described["param"]], items[0], items[1].item, size, **other
        )


def _stream_id(operation_id: str, raw: Mapping[str, Any]) -> str:
    """Name the streaming method of an operation, which may be its only one."""
    method = raw.get("x-coze-stream", {}).get("method")
    return f"{operation_id.rpartition('.')[0]}.{method}" if method else operation_id


def _inner(kind: ir.Type) -> set[ir.Type]:
    """Find what is inside lists, maps and unions."""
    match kind:
        case ir.ListOf(inner) | ir.MapOf(inner):
            return {inner} | _inner(inner)
        case ir.OneOf(members):
            return set(members).union(*map(_inner, members))
    return set()
