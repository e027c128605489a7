"""The generator drops nothing silently that the client cannot express: each is an error with file and line."""

from __future__ import annotations

import attrs
import pytest

from tests.generator._small import Small

SCHEMAS, PARTS, EVENTS = "things/schemas.yaml", "things/parts/schemas.yaml", "things/events.yaml"
CREATE, LIST, DELETE, ERRORS = "things/create.yaml", "things/list.yaml", "things/delete.yaml", "shared/errors.yaml"


@attrs.frozen
class Case:
    """A change that the generator cannot express.

    Attributes:
        file: The file to change.
        old: Text that is replaced.
        new: Its replacement.
        place: Text of the line that must be reported, after the change; a mapping has the line of its first key.
        reported: The file that must be reported, if it is another one.
    """

    file: str
    old: str
    new: str
    place: str
    reported: str = ""


def prop(text: str, place: str = "") -> Case:
    """Add a property to Thing."""
    name = text.partition(":")[0]
    return Case(SCHEMAS, "    note: {type", f"    {text}\n    note: {{type", place or f"{name}:")


def argument(text: str, place: str) -> Case:
    """Add a field to the body of `things.create`."""
    return Case(SCHEMAS, "    weight: {type", f"    {text}\n    weight: {{type", place, "" if place in text else CREATE)


def operation_id(name: str, place: str = "operationId", reported: str = "") -> Case:
    """Rename an operation."""
    return Case(DELETE, "operationId: things.delete", f"operationId: {name}", place, reported)


def parameter(text: str) -> Case:
    """Add a parameter to `things.list`."""
    return Case(
        LIST, "parameters:\n", f"parameters:\n  - {{{text}, description: X., schema: {{type: string}}}}\n", text
    )


THING = "description: A thing."  # is in the first lines of the mapping
CASES = {
    # features that openapi-python-client drops with a warning
    "mixed enum": Case(SCHEMAS, "enum: [blue, dark-red]", "enum: [blue, 1]", "type: string"),
    "enum of fractions": Case(SCHEMAS, "enum: [1, 2]", "enum: [1.5, 2.5]", "type: integer"),
    "enum of truth values": Case(SCHEMAS, "enum: [1, 2]", "enum: [true, false]", "type: integer"),
    "enum with null": Case(SCHEMAS, "enum: [blue, dark-red]", "enum: [blue, null]", "enum: [blue"),
    "enum of another type": Case(SCHEMAS, "integer\n  description: How", "string\n  description: How", "enum: [1"),
    "two values, one name": Case(SCHEMAS, "dark-red]", "dark-red, dark_red]", "dark_red"),
    "two values, one name but for case": Case(SCHEMAS, "[blue, dark-red]", "[blue, Blue]", "Blue"),
    "value without letters": Case(SCHEMAS, "[blue, dark-red]", "[blue, 蓝]", "蓝"),
    "too few names": Case(SCHEMAS, "[SMALL, LARGE]", "[SMALL]", "[SMALL]"),
    "one name twice": Case(SCHEMAS, "[SMALL, LARGE]", "[SMALL, SMALL]", "[SMALL"),
    "name in lower case": Case(SCHEMAS, "[SMALL, LARGE]", "[SMALL, large]", "[SMALL"),
    "name is a word of Python": Case(SCHEMAS, "[SMALL, LARGE]", "[SMALL, None]", "[SMALL"),
    "boolean schema": prop("free: true"),
    "bad default": prop("free: {type: integer, default: many, description: X.}", THING),
    "array without items": prop("free: {type: array, description: X.}", THING),
    "unknown type": prop("free: {type: text, description: X.}"),
    "unknown format": prop("free: {type: string, format: unixtime, description: X.}"),
    "allOf": Case(SCHEMAS, "Size:\n", "Size:\n  allOf: [{$ref: '#/Thing'}]\n", "allOf"),
    "object without a name": prop("free: {type: object, properties: {a: {type: boolean}}}", "coze"),
    "enum without a name": prop("free: {type: string, enum: [a, b]}", "coze"),
    "two names after clean-up": prop("class: {type: boolean}\n    class_: {type: boolean}", THING),
    "discriminator without mapping": prop("free: {oneOf: [{$ref: '#/Size'}], discriminator: {propertyName: id}}"),
    "discriminator beside the point": prop(
        "free: {oneOf: [{$ref: '#/Size'}], discriminator: {propertyName: id, mapping: {a: '#/Color'}}}"
    ),
    # names
    "property in another script": prop("名: {type: boolean}"),
    "property that clashes but for case": prop("madeAt: {type: boolean}"),
    "property that clashes with a member": prop("response: {type: boolean}\n    response_: {type: boolean}", "properties:"),
    "argument called timeout": argument("timeout: {type: boolean, description: X.}", "operationId"),
    "argument called extra_body": argument("extra_body: {type: boolean, description: X.}", "operationId"),
    "argument in two places": Case(
        CREATE, "requestBody:\n", "parameters:\n  - {name: color, in: query, schema: {type: string}}\nrequestBody:\n",
        "parameters:",
    ),
    "id of one word": operation_id("things"),
    "id in capitals": operation_id("things.Delete"),
    "id with a dash": operation_id("things.de-lete"),
    "id with a space": operation_id("'things.de lete'"),
    "id in another script": operation_id("things.删除"),
    "id that is a word of Python": operation_id("things.del"),
    "id with a private name": operation_id("things._delete"),
    "method that hides a type": operation_id("things.str"),
    "method that is a resource": operation_id("things.parts"),
    "resource that is a method": operation_id("things.list.all", reported=LIST),
    "two ids, one constant": operation_id("things.parts_list", reported="things/parts/list.yaml"),
    "client member": operation_id("close.thing"),
    "module of the generator": operation_id("operations.thing"),
    "stream called like its operation": Case(CREATE, "method: stream", "method: create", "x-coze-stream"),
    "stream called like another": Case(CREATE, "method: stream", "method: list", "x-coze-stream"),
    "stream called like a resource": Case(CREATE, "method: stream", "method: parts", "operationId"),
    "stream, one constant": Case(CREATE, "method: stream", "method: parts_list", "operationId"),
    "stream with a bad name": Case(CREATE, "method: stream", "method: the stream", "method"),
    "event called like another": Case(EVENTS, "class: ThingDone", "class: ThingMade", "class: ThingMade"),
    "event called like a model": Case(EVENTS, "class: ThingDone", "class: Thing", "class: Thing"),
    "event that hides an import": Case(EVENTS, "class: ThingDone", "class: Text", "class: Text"),
    "event with a bad name": Case(EVENTS, "class: ThingDone", "class: thing_done", "thing_done"),
    "union called like an event": Case(EVENTS, "event: ThingStreamEvent", "event: ThingMade", "class: ThingMade"),
    "error with a bad name": Case(ERRORS, "name: WRONG", "name: wr ong", "name"),
    "error without a name": Case(ERRORS, "  name: WRONG\n", "", "code"),
    # requests and responses
    "parameters by name": Case(LIST, "parameters:\n", "parameters: {a: {name: a, in: query}}\nx-rest:\n", "parameters:"),
    "cookie": parameter("name: c, in: cookie"),
    "header with a space": parameter("name: 'Authorization ', in: header"),
    "parameter twice": Case(LIST, "{name: size, in", "{name: page, in", "operationId"),
    "parameter that the path lacks": Case(DELETE, "name: thing_id", "name: thing", "operationId"),
    "parameter without a schema": Case(
        LIST, "schema: {type: integer, minimum: 1}", "content: {application/json: {schema: {type: integer}}}", "page, in"
    ),
    "style": Case(LIST, "{name: color,", "{name: color, style: deepObject,", "deepObject"),
    "exploded list": Case(LIST, "{name: color,", "{name: color, explode: true,", "explode"),
    "two kinds of body": Case(CREATE, "content:\n    app", "content:\n    multipart/form-data: {}\n    app", "operationId"),
    "form": Case(CREATE, "application/json:\n      schema: {$ref: './schemas.yaml#/ThingsCreateRequest'}",
                 "application/x-www-form-urlencoded:\n      schema: {$ref: './schemas.yaml#/ThingsCreateRequest'}",
                 "requestBody"),
    "text as body": Case(CREATE, "application/json:\n      schema: {$ref: './schemas.yaml#/ThingsCreateRequest'}",
                         "text/plain:\n      schema: {$ref: './schemas.yaml#/ThingsCreateRequest'}", "operationId"),
    "file in JSON": Case(SCHEMAS, "{type: number,", "{type: string, format: binary,", "properties:"),
    "list of files": Case(PARTS, "{type: string, format: binary, description: The file., x-coze-max-bytes: 100}",
                          "{type: array, items: {type: string, format: binary}}", "properties:"),
    "no answer 200": Case(DELETE, "'200'", "'201'", "responses"),
    "answer is a file without a format": Case(DELETE, "{$ref: '../shared/responses.yaml#/Empty'}",
                             "{description: A., content: {audio/mpeg: {schema: {type: string}}}}", "responses"),
    "answer is a text": Case(SCHEMAS, "data: {$ref: '#/Thing',", "data: {type: string,", "responses:", CREATE),
    "answer is a union": Case(SCHEMAS, "data: {$ref: '#/Thing',", "data: {anyOf: [{$ref: '#/Thing'}, {$ref: '#/Size'}],",
                              "responses:", CREATE),
    "items that are not a list": Case(LIST, "items: data.items", "items: data.has_more", "x-coze-pagination"),
    "page without an argument": Case(LIST, "param: page", "param: pages", "x-coze-pagination"),
    "member that is not there": Case(DELETE, "deprecated: true", "deprecated: true\nx-coze-result: thing", "x-coze-result"),
    "callbacks": Case(LIST, "parameters:\n", "callbacks: {}\nparameters:\n", "callbacks"),
    "servers of two kinds": Case(LIST, "parameters:\n", "servers: [{url: https://www.coze.com}, {url: https://ws.coze.com}]"
                                 "\nparameters:\n", "servers"),
    "shorthand for nothing": Case(PARTS, "{text: $string}", "{txt: $string}", "x-coze-from-string"),
    "shorthand without the text": Case(PARTS, "{text: $string}", "{text: x}", "x-coze-from-string"),
    "unknown category": Case(ERRORS, "invalid_request", "strange", "category"),
    "code that is a text": Case(ERRORS, "4000", "'4000'", "code"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_unsupported_description_is_reported_with_file_and_line(small: Small, name: str) -> None:
    """What would be lost, or would be invalid Python, is reported at its line, even without linting first."""
    case = CASES[name]
    small.replace(case.file, case.old, case.new)
    places = small.places(linted=False)
    if case.place == "coze":  # without a name it has no place here; the linter reports the place
        assert places == {("coze.yaml", 1)}
        assert (case.file, small.line(case.file, "free:")) in small.places()
        return
    reported = case.reported or case.file
    text = (small.folder / reported).read_text(encoding="utf-8")
    lines = {text.count("\n", 0, at) + 1 for at in range(len(text)) if text.startswith(case.place, at)}
    assert any((reported, line) in places for line in lines | {line - 1 for line in lines if case.place == THING}), (
        places
    )


def test_unchanged_description_is_supported(small: Small) -> None:
    """The unchanged description passes linter and generator."""
    assert small.problems() == []
