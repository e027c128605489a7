"""The one place that touches the insides of openapi-python-client.

They are not public and change with every release, so the version is pinned. It decides the Python names and resolves
the types; what it cannot keep (limits, `x-coze-*`, descriptions beside a `$ref`) is read from the document beside it.
It drops what it does not understand with a warning: here each warning is an error.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openapi_python_client import strings
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import AnyProperty, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty

from .. import ir
from ..spec.bundler import Bundle, operations_of
from ..spec.diagnostics import DescriptionError, Diagnostic
from ..spec.structure import structure_errors
from ..spec.yaml_loader import LocatedMapping

__all__ = ["Parsed", "is_constant", "parse"]

# Names that generated annotations use inside a class body, where a member of that name would hide them.
_HIDING = {"bool", "classmethod", "cls", "dict", "float", "frozenset", "int", "list", "self", "str"}
_SCALARS: dict[type, ir.Scalar] = {
    StringProperty: ir.Scalar("str"),
    IntProperty: ir.Scalar("int"),
    FloatProperty: ir.Scalar("float"),
    BooleanProperty: ir.Scalar("bool"),
    AnyProperty: ir.Scalar("any"),
    FileProperty: ir.Scalar("binary"),
}
_FORMATS = {"unix-time": ir.Scalar("unix-time"), "unix-time-ms": ir.Scalar("unix-time-ms")}
_CONSTANTS: dict[type, ir.Scalar] = {
    str: ir.Scalar("str"),
    bool: ir.Scalar("bool"),
    int: ir.Scalar("int"),
    float: ir.Scalar("float"),
}


class Parsed:
    """What openapi-python-client made of the document.

    Attributes:
        models: Class name to its parsed object.
        enums: Names of the classes of lists of values.
    """

    def __init__(self, data: GeneratorData, document: Mapping[str, Any]) -> None:
        self.models: dict[str, Any] = {str(model.class_info.name): model for model in data.models}
        self.enums = {str(enum.class_info.name) for enum in data.enums if isinstance(enum, EnumProperty)}
        self._endpoints: dict[str, Endpoint] = {
            str(endpoint.name): endpoint
            for collection in data.endpoint_collections_by_tag.values()
            for endpoint in collection.endpoints
        }
        self._schemas: Mapping[str, Any] = document["components"].get("schemas", {})

    def endpoint(self, operation_id: str) -> Endpoint | None:
        """Return the endpoint that openapi-python-client made of an operation, or None."""
        return self._endpoints.get(_endpoint_name(operation_id))

    def constant(self, value: object, number: int) -> str:
        """Name the value of an enum that the description does not name."""
        text = str(value)
        return strings.snake_case(text.upper()).upper() if text[:1].isalpha() else f"VALUE_{number}"

    def argument_name(self, wire: str) -> str:
        """Name an argument that is not described any more."""
        return str(strings.PythonIdentifier(wire, "field_"))

    def properties(self, model: str) -> list[Any]:
        """List the properties of an object, in the order of the description."""
        parsed = self.models[model]
        by_name = {prop.name.get_untrusted_value(): prop for prop in _members(parsed)}
        return [by_name[wire] for wire in self._schemas[model].get("properties", {}) if wire in by_name]

    def resolve(self, prop: Any, schema: Mapping[str, Any] | None) -> tuple[ir.Type, bool]:
        """Decide the type of a property.

        Args:
            prop: The property.
            schema: Its raw schema, where known: formats of our own are found there.

        Returns:
            The type, and whether null is described.
        """
        target = self.deref(schema)
        if target.get("format") in _FORMATS:
            return _FORMATS[target["format"]], "null" in target.get("type", "")
        if isinstance(prop, UnionProperty):
            return self._union(prop, target)
        if isinstance(prop, ListProperty):
            return ir.ListOf(self.resolve(prop.inner_property, target.get("items"))[0]), False
        if isinstance(prop, ModelProperty):
            name = str(prop.class_info.name)
            if _members(self.models.get(name, prop)):
                return ir.ModelRef(name), False
            return ir.MapOf(self._map_value(prop, target)), False
        if isinstance(prop, EnumProperty):
            return ir.EnumRef(str(prop.class_info.name)), False
        if isinstance(prop, ConstProperty):
            return _CONSTANTS.get(type(target.get("const")), ir.Scalar("any")), False
        if isinstance(prop, NoneProperty):
            return ir.Null(), True
        return _SCALARS.get(type(prop), ir.Scalar("str")), False

    def _union(self, prop: Any, target: Mapping[str, Any]) -> tuple[ir.Type, bool]:
        parts = [*target.get("anyOf", ()), *target.get("oneOf", ())]
        real = [part for part in parts if part.get("type") != "null"]
        nullable = len(real) < len(parts) or "null" in target.get("type", ())
        # It does not keep which schema an inner property comes from. Where that is clear, formats and limits are seen.
        clear = target if not parts else real[0] if len(real) == 1 else None
        members: list[ir.Type] = []
        for inner in prop.inner_properties:
            kind = ir.Null() if isinstance(inner, NoneProperty) else self.resolve(inner, clear)[0]
            if kind not in members and not isinstance(kind, ir.Null):
                members.append(kind)
        if len(members) < 2:
            return members[0] if members else ir.Null(), nullable
        discriminator = target.get("discriminator")
        if discriminator is None:
            return ir.OneOf(tuple(members)), nullable
        kinds = tuple((tag, ref.rpartition("/")[2]) for tag, ref in discriminator["mapping"].items())
        return ir.OneOf(tuple(members), discriminator["propertyName"], kinds), nullable

    def _map_value(self, prop: Any, target: Mapping[str, Any]) -> ir.Type:
        # Properties hold a copy of the model from before its members were parsed.
        inner = self.models.get(str(prop.class_info.name), prop).additional_properties
        if inner is None or isinstance(inner, AnyProperty):
            return ir.Scalar("any")
        value = target.get("additionalProperties")
        return self.resolve(inner, value if isinstance(value, Mapping) else None)[0]

    def deref(self, schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Follow `$ref`s. What stands beside a `$ref` overrides what it refers to."""
        if schema is None:
            return {}
        if "$ref" not in schema:
            return schema
        target = self.deref(self._schemas.get(schema["$ref"].rpartition("/")[2]))
        return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def parse(bundled: Bundle) -> Parsed:
    """Let openapi-python-client read the document.

    Raises:
        DescriptionError: It did not understand all of it.
    """
    if strange := structure_errors(bundled):
        raise DescriptionError(strange)
    document = _preprocess(bundled.document)
    config = Config.from_sources(ConfigFile(), MetaType.NONE, Path("coze.yaml"), "utf-8", True, None)
    with _patched_reserved_words():
        try:
            data = GeneratorData.from_dict(document, config=config)
        except Exception as error:  # it has several ways to crash on a document; all mean the same to the author
            text = f"openapi-python-client crashed: {type(error).__name__}: {error}"
            raise DescriptionError([_find_source(bundled, text).problem("opc", text)]) from error
    if isinstance(data, GeneratorError):
        text = " ".join(f"{data.header}: {data.detail}".split())
        raise DescriptionError([_find_source(bundled, text).problem("opc", text)])
    parsed = Parsed(data, bundled.document)
    problems = [*_diagnostics(bundled, data), *_discriminators(bundled.document)]
    problems = problems or list(_dropped(bundled, parsed))
    if problems:
        raise DescriptionError(problems)
    return parsed


def is_constant(parameter: Mapping[str, Any]) -> bool:
    """Return whether a parameter is a constant: a header with one value."""
    return parameter.get("in") == "header" and "const" in parameter.get("schema", {})


def _endpoint_name(operation_id: str) -> str:
    return str(strings.PythonIdentifier(operation_id, ""))


def _members(model: Any) -> list[Any]:
    return [*(model.required_properties or ()), *(model.optional_properties or ())]


@contextmanager
def _patched_reserved_words() -> Iterator[None]:
    # By default `type`, `format`, `input`, `bytes` and 150 more get an underscore. Coze's own words are worth more.
    before = strings.RESERVED_WORDS
    strings.RESERVED_WORDS = _HIDING
    try:
        yield
    finally:
        strings.RESERVED_WORDS = before


def _preprocess(document: Any) -> Any:
    """Copy the document without what openapi-python-client would misread."""
    adapted = copy.deepcopy(_plain(document))
    for _, _, operation in operations_of(adapted):
        if "x-coze-websocket" in operation:
            operation["responses"] = {"200": {"description": "It has none."}}  # 101 is unknown to it
        for response in operation.get("responses", {}).values():
            # It would make one JSON object of the whole stream, and knows only some types of file.
            response["content"] = {
                media: content for media, content in response.get("content", {}).items() if media == "application/json"
            }
        # It refuses constants in headers, which the client sends by itself.
        operation["parameters"] = [
            parameter for parameter in operation.get("parameters", ()) if not is_constant(parameter)
        ]
    for schema in adapted["components"].get("schemas", {}).values():
        if isinstance(schema.get("enum"), list):
            # It crashes when two values become one name, which `SchemaParser` reports with a better message.
            schema["x-enum-varnames"] = [f"VALUE_{number}" for number, _ in enumerate(schema["enum"])]
        _name_maps(schema.get("properties", {}), itertools.count(1))
    return adapted


def _name_maps(value: Any, numbers: Iterator[int]) -> None:
    """Title each inline map: named by its property, its class could clash with a schema of that name."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, dict) and item.get("type") == "object" and "properties" not in item:
            item["title"] = f"Map{next(numbers)}"
        _name_maps(item, numbers)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _diagnostics(bundled: Bundle, data: GeneratorData) -> Iterator[Diagnostic]:
    errors = [*data.errors, *(error for c in data.endpoint_collections_by_tag.values() for error in c.parse_errors)]
    # It prints names as the addresses of its objects.
    texts = [re.sub(r"<\S+ object at \w+>", "…", " ".join(f"{e.header} {e.detail or ''}".split())) for e in errors]
    # One bad schema makes all that refer to it bad, with this as the reason.
    causes = [text for text in texts if "Could not find reference in parsed" not in text]
    for text in causes or texts:
        yield _find_source(bundled, text).problem("opc", f"openapi-python-client: {text[:400]}")


def _find_source(bundled: Bundle, text: str) -> Any:
    """Find the operation or schema that a diagnostic speaks of, since diagnostics carry no place."""
    for path, method, operation in bundled.operations().values():
        if f"{method.upper()} {path} " in f"{text} ":
            return operation
    schemas = bundled.document["components"].get("schemas", {})
    named = [word for word in re.findall(r"\w+", text) if word in schemas]
    return schemas[named[0]] if named else bundled.document


def _discriminators(value: Any) -> Iterator[Diagnostic]:
    """Check what openapi-python-client does not: the member that names the variant of a union."""
    if isinstance(value, LocatedMapping) and isinstance(value.get("discriminator"), LocatedMapping):
        described = value["discriminator"]
        variants = {part.get("$ref", "") for part in (*value.get("anyOf", ()), *value.get("oneOf", ()))} - {""}
        if not described.get("propertyName") or not described.get("mapping"):
            yield described.problem("unsupported", "a discriminator needs propertyName and mapping")
        for tag, reference in described.get("mapping", {}).items():
            if reference not in variants:
                yield described.problem("unsupported", f"{tag}: {reference} is none of the variants", "mapping")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _discriminators(item)


def _dropped(bundled: Bundle, parsed: Parsed) -> Iterator[Diagnostic]:
    names: dict[str, str] = {}
    for operation_id, (_, _, operation) in bundled.operations().items():
        other = names.setdefault(_endpoint_name(operation_id), operation_id)
        if other != operation_id:
            message = f"openapi-python-client gives {operation_id} and {other} the same name"
            yield operation.problem("name-clash", message, "operationId")
        elif parsed.endpoint(operation_id) is None:
            yield operation.problem("dropped", f"openapi-python-client dropped operation {operation_id}", "operationId")
    for name, schema in bundled.document["components"].get("schemas", {}).items():
        if not schema.get("properties"):
            if "enum" in schema and name not in parsed.enums:
                yield schema.problem("dropped", f"openapi-python-client dropped or renamed enum {name}", "enum")
        elif name not in parsed.models:
            yield schema.problem("dropped", f"openapi-python-client dropped or renamed schema {name}")
        else:
            parsed_names = {prop.name.get_untrusted_value() for prop in parsed.properties(name)}
            for wire in schema["properties"].keys() - parsed_names:
                message = f"openapi-python-client dropped property {wire}"
                yield schema["properties"].problem("dropped", message, wire)
