"""From described schemas to the classes of the client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from .. import ir
from ..spec.bundler import Bundle
from ..spec.diagnostics import Diagnostic
from ..spec.yaml_loader import LocatedMapping
from .error_categories import CATEGORIES
from .naming import invalid_name_reason
from .openapi_python_client import Parsed

__all__ = ["SchemaParser"]


def _member(name: str, kind: ir.Type, description: str, *, required: bool = False) -> ir.Field:
    return ir.Field(name, name, kind, required, nullable=False, description=description, schema={})


_FORMATS = {"binary", "date", "date-time", "double", "int64", "password", "unix-time", "unix-time-ms", "uri"}
_BASE_MEMBERS = {"extra_fields", "response", "logid", "to_dict", "from_dict"}


class SchemaParser:
    """Decides names and types of what the description has under `components`.

    Attributes:
        components: Everything there.
        schemas: The schemas among it.
        problems: What was found to be unusable so far.
        messages: The classes made for messages of WebSockets, by name.
        streams: The event streams, by name.
    """

    def __init__(self, bundled: Bundle, parsed: Parsed) -> None:
        self.parsed = parsed
        self.components: Mapping[str, Any] = bundled.document["components"]
        self.schemas: Mapping[str, Any] = self.components.get("schemas", {})
        self.problems: list[Diagnostic] = []
        self.messages: dict[str, ir.Model] = {}
        self.streams: dict[str, ir.Stream] = {}
        self._fields: dict[str, tuple[ir.Field, ...]] = {}

    def fields(self, model: str) -> tuple[ir.Field, ...]:
        """Make the attributes of a class."""
        if model not in self._fields:
            self._fields[model] = tuple(self._made_fields(model))
        return self._fields[model]

    def _made_fields(self, model: str) -> Iterator[ir.Field]:
        raw = self.schemas[model]
        for prop in self.parsed.properties(model):
            wire = prop.name.get_untrusted_value()
            schema = raw["properties"][wire]
            name = str(prop.python_name)
            name = f"{name}_" if name in _BASE_MEMBERS else name
            self.name("member", schema, "description", name)
            kind, nullable = self.parsed.resolve(prop, schema)
            merged = self.parsed.deref(schema)
            if merged.get("format", "double") not in _FORMATS:
                message = f"{merged['format']} is none of the formats {', '.join(sorted(_FORMATS))}"
                self.problems.append(schema.problem("unsupported", message, "format"))
            yield ir.Field(
                name, wire, kind, prop.required, nullable, merged.get("description", ""), merged,
                formerly=self.former_name(schema, name),
            )  # fmt: skip

    def former_name(self, raw: LocatedMapping, name: str) -> str | None:
        """Find the old Python name of an argument; None if there is none, or if it is as the new one."""
        if "x-coze-formerly" not in raw:
            return None
        former = self.parsed.argument_name(raw["x-coze-formerly"])
        self.name("member", raw, "x-coze-formerly", former)
        return former if former != name else None

    def model(self, name: str) -> ir.Model:
        """Make the class for an object."""
        raw = self.schemas[name]
        self.name("class", raw, "type", name)
        shorthand = raw.get("x-coze-from-string")
        if shorthand is not None and (
            shorthand.keys() - raw["properties"].keys() or "$string" not in shorthand.values()
        ):
            message = "must name properties of this object, one of them with the value $string"
            self.problems.append(raw.problem("unsupported", message, "x-coze-from-string"))
        return ir.Model(
            name,
            self.module(raw),
            raw.get("description", ""),
            self.fields(name),
            shorthand,
        )

    def enum(self, name: str) -> ir.Enum:
        """Make the class for a list of values."""
        raw = self.schemas[name]
        base: Literal["str", "int"] = "int" if raw.get("type") == "integer" else "str"
        if any(type(value).__name__ != base for value in raw["enum"]):
            self.problems.append(raw.problem("unsupported", "an enum has texts, or integers and type: integer", "enum"))
        key = "x-coze-enum-names" if "x-coze-enum-names" in raw else "enum"
        named = [self.parsed.constant(value, number) for number, value in enumerate(raw["enum"])]
        constants = raw.get("x-coze-enum-names", named)
        if len(set(constants)) != len(raw["enum"]):
            self.problems.append(raw.problem("unsupported", "each value of an enum needs a name of its own", key))
        self.name("class", raw, "enum", name)
        self.name("constant", raw, key, *constants)
        meanings = raw.get("x-coze-enum-descriptions", {})
        members = [
            (constant, value, str(meanings.get(str(value), "")))
            for constant, value in zip(constants, raw["enum"], strict=False)
        ]
        return ir.Enum(name, self.module(raw), raw.get("description", ""), base, tuple(members))

    def stream(self, name: str) -> ir.Stream:
        """Make the classes for a protocol of events."""
        if name not in self.streams:
            raw = self.components["x-coze-streams"][name]
            self.name("class", raw, "event", name, raw.get("event"))
            events = tuple(self._event(wire, event) for wire, event in raw.get("events", {}).items())
            self.streams[name] = ir.Stream(
                name, self.module(raw), raw.get("event", ""), raw.get("description", ""), events, raw.get("ids", False)
            )
        return self.streams[name]

    def _event(self, wire: str, raw: LocatedMapping) -> ir.Event:
        self.name("class", raw, "class", raw.get("class"))
        data: ir.Type | None = None
        if "data" in raw:
            data = self.schema_type(raw["data"])
        ends, fails = raw.get("ends", "never"), raw.get("fails", False)
        rule = raw.get("counter")
        counter = rule and ir.Counter(rule["member"], tuple(rule.get("within", ())), rule.get("until"))
        return ir.Event(wire, raw.get("class", ""), raw.get("description", ""), data, ends, fails, counter)

    def socket(self, name: str) -> ir.Socket:
        """Make the classes for the messages of a WebSocket."""
        raw = self.components["x-coze-websockets"][name]
        self.name("class", raw, "description", name)
        sides = {side: self._side(raw[side]) for side in ("uplink", "downlink")}
        received = raw["downlink"]["messages"]
        return ir.Socket(
            name,
            self.module(raw),
            raw["description"],
            sides["uplink"],
            sides["downlink"],
            tuple(wire for wire, message in received.items() if message.get("ends")),
            tuple(wire for wire, message in received.items() if message.get("fails")),
            {
                wire: tuple(message["answers"])
                for wire, message in raw["uplink"]["messages"].items()
                if "answers" in message
            },
        )

    def _side(self, raw: LocatedMapping) -> ir.Messages:
        self.name("class", raw, "union", raw["union"])
        kinds = []
        for wire, message in raw["messages"].items():
            self.name("class", message, "class", message["class"])
            data = self.schema_type(message["data"]) if "data" in message else ir.MapOf(ir.Scalar("any"))
            needed = "data" in message and "required" in self.parsed.deref(message["data"])
            fields = [
                _member("event_type", ir.Const(wire), "Kind of the message.", required=True),
                _member("id", ir.Scalar("str"), "Id of the message, made by who sends it."),
                _member("data", data, "Content of the message.", required=needed),
            ]
            if "detail" in raw:
                fields.append(_member("detail", self.schema_type(raw["detail"]), "About the message itself."))
            module = self.module(message)
            self.messages[message["class"]] = ir.Model(
                message["class"], module, message["description"], tuple(fields), None, is_message=True
            )
            kinds.append((wire, message["class"]))
        return ir.Messages(raw["union"], ("event_type",), tuple(kinds))

    def callbacks(self, described: Mapping[str, tuple[str, str, LocatedMapping]]) -> ir.Callbacks | None:
        """Make the union of the callbacks."""
        kinds: list[tuple[str, str]] = []
        answers: list[str] = []
        rules: list[LocatedMapping] = []
        for event, _, raw in described.values():
            rule = raw["x-coze-callback"]
            rules.append(rule)
            kinds.append((event, rule["class"]))
            content = raw.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
            answers += filter(None, [content.get("schema", {}).get("$ref", "").rpartition("/")[2]])
            if rule["class"] not in self.schemas:
                message = f"{rule['class']} is not a schema; it must be that of the body"
                self.problems.append(rule.problem("unsupported", message, "class"))
        if not rules:
            return None
        signature = rules[0]["signature"]
        if any(rule["signature"] != signature for rule in rules):
            self.problems.append(rules[0].problem("unsupported", "all callbacks must be signed alike", "signature"))
        return ir.Callbacks(
            self.module(self.schemas[kinds[0][1]]),
            ir.Messages("CallbackMessage", ("header", "event_type"), tuple(kinds)),
            tuple(answers),
            signature["algorithm"],
            tuple(signature["input"]),
            dict(signature["header_names"]),
            signature["challenge"],
        )

    def schema_type(self, reference: Mapping[str, Any]) -> ir.Type:
        """Decide the type of a `$ref` that openapi-python-client does not see, since it is in a key of our own."""
        name = reference["$ref"].rpartition("/")[2]
        schema = self.schemas[name]
        if schema.get("properties"):
            return ir.ModelRef(name)
        parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        if parts and all("$ref" in part or part.get("type") == "string" for part in parts):
            return ir.OneOf(tuple(self.schema_type(part) if "$ref" in part else ir.Scalar("str") for part in parts))
        return ir.MapOf(ir.Scalar("any")) if schema.get("type") == "object" else ir.Scalar("any")

    def error_codes(self) -> Iterator[ir.ErrorCode]:
        """Make the rows of the table of error codes."""
        seen: set[int] = set()
        for row in self.components.get("x-coze-errors", ()):
            self.name("constant", row, "name", row.get("name"))
            if type(row.get("code")) is not int or row["code"] in seen:
                self.problems.append(
                    row.problem("unsupported", "a code is a whole number that stands here once", "code")
                )
                continue
            seen.add(row["code"])
            if row.get("grade") != "doubtful" and row.get("category") not in CATEGORIES:
                message = f"{row.get('category')} is none of the categories {', '.join(CATEGORIES)}"
                self.problems.append(row.problem("unsupported", message, "category"))
            yield ir.ErrorCode(
                row["code"],
                row.get("name", ""),
                row.get("meaning", ""),
                row.get("category"),
                row.get("retryable", False),
                row.get("http_status"),
                row.get("hint", ""),
            )

    def name(self, kind: Literal["member", "class", "constant"], raw: LocatedMapping, key: str, *names: object) -> None:
        """Refuse what could not stand in Python code as a name, and so also what could be more than a name."""
        for name in names:
            if message := invalid_name_reason(kind, name):
                self.problems.append(raw.problem("name", message, key))

    def module(self, raw: LocatedMapping) -> str:
        """Name the module of a schema by the folder that it is described in: openapi/bots/versions/… is in `bots`."""
        _, folder, *rest = raw.file.split("/")
        if not rest:
            self.problems.append(raw.problem("unsupported", "describe schemas in a folder, whose name the module gets"))
        elif message := invalid_name_reason("member", folder):
            self.problems.append(raw.problem("name", message))
        elif folder == "operations":
            self.problems.append(raw.problem("name-clash", "the name of the folder is taken by generated code"))
        return folder
