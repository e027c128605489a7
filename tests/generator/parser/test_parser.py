"""The client has what the description defines: names, types, limits and methods."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from generator import ir
from tests.generator._small import Small

SCHEMAS = "things/schemas.yaml"


def prop(small: Small, text: str) -> ir.Field:
    """Add a property to Thing, and return its parsed form."""
    before = {field.name for field in model(small.api(), "Thing").fields}
    small.replace(SCHEMAS, "    note: {type", f"    {text}\n    note: {{type")
    [field] = [field for field in model(small.api(), "Thing").fields if field.name not in before]
    return field


def model(api: ir.Api, name: str) -> ir.Model:
    """Return a model by name."""
    return next(candidate for candidate in api.models if candidate.name == name)


def operation(api: ir.Api, name: str) -> ir.Operation:
    """Return an operation by id."""
    return next(candidate for candidate in api.operations if candidate.id == name)


TYPES: dict[str, tuple[str, ir.Type, bool]] = {
    "text": ("{type: string}", ir.Scalar("str"), False),
    "text or null": ("{type: [string, 'null']}", ir.Scalar("str"), True),
    "date": ("{type: string, format: date-time}", ir.Scalar("str"), False),
    "number": ("{type: number}", ir.Scalar("float"), False),
    "anything": ("{}", ir.Scalar("any"), False),
    "nothing": ("{type: 'null'}", ir.Null(), True),
    "constant": ("{const: thing}", ir.Scalar("str"), False),
    "constant number": ("{const: 1}", ir.Scalar("int"), False),
    "constant truth": ("{const: true}", ir.Scalar("bool"), False),
    "enum": ("{$ref: '#/Color'}", ir.EnumRef("Color"), False),
    "enum or null": ("{anyOf: [{$ref: '#/Color'}, {type: 'null'}]}", ir.EnumRef("Color"), True),
    "moment": ("{$ref: '../shared/types.yaml#/UnixTime'}", ir.Scalar("unix-time"), False),
    "moment as text": ("{type: string, format: unix-time-ms}", ir.Scalar("unix-time-ms"), False),
    "moment or null": ("{type: [integer, 'null'], format: unix-time}", ir.Scalar("unix-time"), True),
    "moment or null, by reference": (
        "{anyOf: [{$ref: '../shared/types.yaml#/UnixTime'}, {type: 'null'}]}", ir.Scalar("unix-time"), True,
    ),
    "moments": (
        "{type: array, items: {$ref: '../shared/types.yaml#/UnixTime'}}", ir.ListOf(ir.Scalar("unix-time")), False,
    ),
    "moments or null": (
        "{anyOf: [{type: array, items: {type: integer, format: unix-time}}, {type: 'null'}]}",
        ir.ListOf(ir.Scalar("unix-time")), True,
    ),
    "list or null": ("{type: [array, 'null'], items: {type: string}}", ir.ListOf(ir.Scalar("str")), True),
    "model": ("{$ref: '#/Thing'}", ir.ModelRef("Thing"), False),
    "model or null": ("{anyOf: [{$ref: '#/Thing'}, {type: 'null'}]}", ir.ModelRef("Thing"), True),
    "map": ("{type: object, additionalProperties: {type: integer}}", ir.MapOf(ir.Scalar("int")), False),
    "map of models": ("{type: object, additionalProperties: {$ref: '#/Thing'}}", ir.MapOf(ir.ModelRef("Thing")), False),
    "map of lists": (
        "{type: object, additionalProperties: {type: array, items: {$ref: '#/Thing'}}}",
        ir.MapOf(ir.ListOf(ir.ModelRef("Thing"))), False,
    ),
    "any object": ("{type: object}", ir.MapOf(ir.Scalar("any")), False),
    "union": ("{anyOf: [{type: integer}, {type: string}]}", ir.OneOf((ir.Scalar("int"), ir.Scalar("str"))), False),
    "union with null": (
        "{anyOf: [{$ref: '#/Thing'}, {$ref: './parts/schemas.yaml#/Part'}, {type: 'null'}]}",
        ir.OneOf((ir.ModelRef("Thing"), ir.ModelRef("Part"))), True,
    ),
    "tagged union": (
        "{oneOf: [{$ref: '#/Thing'}, {$ref: './parts/schemas.yaml#/Part'}], "
        "discriminator: {propertyName: kind, mapping: {t: '#/Thing', p: './parts/schemas.yaml#/Part'}}}",
        ir.OneOf((ir.ModelRef("Thing"), ir.ModelRef("Part")), "kind", (("t", "Thing"), ("p", "Part"))), False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_property_type_follows_its_schema(small: Small, kind: str) -> None:
    """A property has the type of its schema, through references and beside null."""
    schema, expected, nullable = TYPES[kind]
    field = prop(small, f"more: {schema}")
    assert (field.type, field.nullable) == (expected, nullable)


NAMES = {
    "madeBy": "made_by",
    "made-by": "made_by",
    "Made By": "made_by",
    "type": "type",
    "format": "format",
    "bytes": "bytes",
    "class": "class_",
    "list": "list_",
    "self": "self_",
    "frozenset": "frozenset_",
    "to_dict": "to_dict_",
    "response": "response_",
    "_extra": "field_extra",
    "2nd": "field_2nd",
}


@pytest.mark.parametrize("wire", NAMES)
def test_property_name_avoids_python_names(small: Small, wire: str) -> None:
    """A property keeps its name unless Python or the base class reserves it, and always keeps its wire name."""
    field = prop(small, f"{wire}: {{type: boolean}}")
    assert (field.name, field.wire) == (NAMES[wire], wire)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ("[blue, dark-red]", ["BLUE", "DARK_RED"]),
        ("[blue, darkRed]", ["BLUE", "DARKRED"]),
        ("[blue, '']", ["BLUE", "VALUE_1"]),
        ("[blue, 2d]", ["BLUE", "VALUE_1"]),
        ("[blue, 'a\"b\\c']", ["BLUE", "AB_C"]),
    ],
)
def test_enum_members_are_named_after_their_values(small: Small, values: str, names: list[str]) -> None:
    """Enum members are named after their values, which stay unchanged, quotes and backslashes included."""
    small.replace(SCHEMAS, "[blue, dark-red]", values)
    [color] = [enum for enum in small.api().enums if enum.name == "Color"]
    described = small.bundle().document["components"]["schemas"]["Color"]["enum"]
    assert [name for name, _, _ in color.members] == names
    assert [value for _, value, _ in color.members] == described


def test_every_operation_is_a_method_and_streams_are_two(small: Small) -> None:
    """Each operation is a method, and one that can stream is two."""
    api = small.api()
    described = small.bundle().operations()
    assert {operation_.described_id for operation_ in api.operations} == described.keys()
    assert {operation_.id for operation_ in api.operations} == described.keys() | {"things.stream"}


def test_stream_flag_is_no_argument(small: Small) -> None:
    """The flag that requests a stream is not an argument: each of the two methods sends its own value."""
    api = small.api()
    for name, value in (("things.create", False), ("things.stream", True)):
        assert operation(api, name).constants == {"stream": value}
        assert "stream" not in {argument.name for argument in operation(api, name).arguments}


def test_required_arguments_come_first(small: Small) -> None:
    """Arguments keep the order of the description, the required ones before the others."""
    small.replace(SCHEMAS, "required: [name]", "required: [weight]")
    assert [argument.name for argument in operation(small.api(), "things.create").arguments] == [
        "weight", "name", "parts", "color",
    ]  # fmt: skip


def test_arguments_have_their_place_in_the_request(small: Small) -> None:
    """Arguments are in the path, the query, the body, or files of a multipart body."""
    api = small.api()
    places = {(candidate.id, field.name): field.place for candidate in api.operations for field in candidate.arguments}
    assert places["things.retrieve", "thing_id"] == "path"
    assert places["things.list", "page"] == "query"
    assert places["things.create", "name"] == "body"
    assert places["things.parts.upload", "file"] == "part"
    assert places["things.parts.upload", "label"] == "body"


def test_parameter_may_be_a_reference(small: Small) -> None:
    """A parameter that is a `$ref` is resolved."""
    text = "{name: thing_id, in: path, required: true, description: Which., schema: {type: string}, example: '1'}"
    small.write("shared/parameters.yaml", f"Id: {text}\n")
    small.replace("things/delete.yaml", text, "{$ref: '../shared/parameters.yaml#/Id'}")
    assert [argument.wire for argument in operation(small.api(), "things.delete").arguments] == ["thing_id"]


def test_result_is_data_or_the_log_id(small: Small) -> None:
    """A method returns the field `data` if it exists, else only the response's log id."""
    api = small.api()
    assert operation(api, "things.create").result_type == ir.ModelRef("Thing")
    assert operation(api, "things.parts.list").result_type == ir.ListOf(ir.ModelRef("Part"))
    assert operation(api, "things.delete").result_type is None


def test_pagination_paths_become_attribute_names(small: Small) -> None:
    """The paths of `x-coze-pagination` become attribute names of the result."""
    paging = operation(small.api(), "things.list").paging
    assert paging == ir.Paging("page", "page", ("items",), ir.ModelRef("Thing"), "size", None, ("has_more",), None)


def test_envelopes_and_request_bodies_have_no_class(small: Small) -> None:
    """Only types that a user can encounter become classes, not envelopes and flattened bodies."""
    api = small.api()
    assert {schema.name for schema in api.models} == {"Part", "Thing", "ThingPage"}
    assert {schema.name for schema in api.enums} == {"Color", "Size"}


def test_model_is_in_the_module_of_its_top_folder(small: Small) -> None:
    """Schemas of subfolders are in the module of the first folder below openapi/."""
    assert {schema.module for schema in small.api().models} == {"things"}


LIMITS = {
    "exclusiveMinimum: 0": "Int(minimum=1)",
    "exclusiveMinimum: 0, minimum: 5": "Int(minimum=5)",
    "exclusiveMinimum: 0.5": "Int(minimum=1)",
    "minimum: 1, maximum: 9": "Int(minimum=1, maximum=9)",
    "exclusiveMaximum: 9": "Int(maximum=8)",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_exclusive_integer_limits_become_inclusive(small: Small, limit: str) -> None:
    """Exclusive limits of integers are converted to inclusive ones."""
    small.replace(
        SCHEMAS, "{type: number, description: In kilograms., exclusiveMinimum: 0", f"{{type: integer, {limit}"
    )
    small.generate()
    text = (small.root / "generated/coze_api/operations/things.py").read_text(encoding="utf-8")
    assert f'Argument("weight", "body", {LIMITS[limit]})' in text


def test_generated_models_decode_described_types(small: Small, load: Any) -> None:
    """Generated models decode enums, timestamps, lists, maps and unknown fields."""
    models = load(small).models
    sent = {
        "id": "1", "color": "dark-red", "size": 2, "made_at": 1715847583, "labels": {"a": "b"}, "new": [1],
        "parts": [{"text": "x", "inside": {"text": "y"}}],
    }  # fmt: skip
    thing = models.Thing.from_dict(sent)
    assert thing.color is models.Color.DARK_RED
    assert thing.size is models.Size.LARGE
    assert thing.parts[0].inside.text == "y"
    assert thing.extra_fields == {"new": [1]}
    assert thing.to_dict() == sent


def test_discriminator_decides_the_class(small: Small, load: Any) -> None:
    """The field of the discriminator decides the class; an unknown value keeps the object as received."""
    prop(small, "more: " + TYPES["tagged union"][0])
    models = load(small).models
    assert isinstance(models.Thing.from_dict({"id": "1", "more": {"kind": "p"}}).more, models.Part)
    unknown = models.Thing.from_dict({"id": "1", "more": {"kind": "q", "a": 1}})
    assert (unknown.more.tag, unknown.more.raw) == ("q", {"kind": "q", "a": 1})


def test_modules_may_refer_to_each_other(small: Small, load: Any) -> None:
    """Two folders whose schemas refer to each other become two modules, each of which can be imported first."""
    part = (small.folder / "things/parts/schemas.yaml").read_text(encoding="utf-8")
    small.write("tools/schemas.yaml", """
        Tool:
          type: object
          description: A tool.
          properties:
            kind: {$ref: '#/ToolKind', description: What it is.}
            color: {$ref: '../things/schemas.yaml#/Color', description: Its color.}
            made: {type: array, description: Things., items: {$ref: '../things/schemas.yaml#/Thing'}}
        ToolKind: {type: string, description: A kind., enum: [saw]}
        """)  # fmt: skip
    uses = (
        "    kind: {$ref: '../../tools/schemas.yaml#/ToolKind'}\n    tool: {$ref: '../../tools/schemas.yaml#/Tool'}\n"
    )
    small.write("things/parts/schemas.yaml", part.replace("    inside:", f"{uses}    inside:"))
    package = load(small)
    for first in ("things", "tools"):
        for name in [name for name in sys.modules if name.startswith(f"{package.__name__}.models")]:
            del sys.modules[name]
        importlib.import_module(f"{package.__name__}.models.{first}")
    things = importlib.import_module(f"{package.__name__}.models.things")
    sent = {"tool": {"kind": "saw", "color": "blue", "made": [{"id": "1", "parts": [{"kind": "saw"}]}]}}
    assert things.Part.from_dict(sent).tool.made[0].parts[0].kind.known
    assert things.Part.from_dict(sent).to_dict() == sent
