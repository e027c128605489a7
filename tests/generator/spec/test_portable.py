"""The portable document: what each rule changes for other tools, and that nothing else of the description changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from generator import __main__ as command
from generator.diff import compare
from generator.spec.bundler import Bundle, dump, operations_of
from generator.spec.portable import portable
from tests.generator._small import Small

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = "#/components/schemas/"


@pytest.fixture(scope="module")
def document(real: Bundle) -> Any:
    """Return the portable form of this repository's description."""
    return portable(real.document)


def mappings(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield each mapping of a document that is not a map of names, with its place. Examples and defaults are left out."""
    if isinstance(value, list):
        for item in value:
            yield from mappings(item, place)
    elif isinstance(value, dict):
        yield place, value
        for key, member in value.items():
            if key in {"properties", "responses"}:
                for name, described in member.items():
                    yield from mappings(described, (*place, key, name))
            elif key not in {"example", "examples", "default"}:
                yield from mappings(member, (*place, key))


def schema(small: Small, name: str) -> Any:
    """Return a schema of the portable form of a small description."""
    return portable(small.bundle().document)["components"]["schemas"][name]


# -- the document as a whole


def test_portable_document_is_valid_openapi(document: Any) -> None:
    """The portable document is a valid OpenAPI 3.1 document, and each reference in it has a target."""
    assert document["openapi"].startswith("3.1")
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())
    targets = {SCHEMAS + name for name in document["components"]["schemas"]}
    targets |= {f"#/components/responses/{name}" for name in document["components"]["responses"]}
    references = {mapping["$ref"] for _, mapping in mappings(document) if isinstance(mapping.get("$ref"), str)}
    assert references
    assert references <= targets


def test_portable_document_loses_nothing(real: Bundle, document: Any) -> None:
    """Compared as APIs, the bundle and its portable form differ in no operation, member, value, event or message."""
    restored = json.loads(dump(document).replace('"reference": "#/components/', '"$ref": "#/components/'))
    changes = [change for change in compare(dict(real.document), restored) if change.text != "has other texts"]
    header = ("accepts listed values only now", 'has const none now, not "str"', 'has default "str" now, not none')
    assert {(change.place, change.text) for change in changes} == {
        ("response 4XX", "is new"),
        ("", "needs no token any more"),
        ("", "is called CozeFile now"),
        *(("parameter Agw-Js-Conv", text) for text in header),
    }


def test_portable_document_keeps_all_schemas(real: Bundle, document: Any) -> None:
    """Each schema of the bundle is in the portable document, under its name or that name with the prefix `Coze`."""
    schemas = document["components"]["schemas"]
    assert {name for name in real.document["components"]["schemas"] if name not in schemas} == {"File"}
    assert schemas["CozeFile"]["properties"].keys() == {"id", "bytes", "file_name", "created_at", "url"}


def test_bundle_is_not_changed(small: Small) -> None:
    """Making the portable document and changing a schema of it leaves the bundle as it was."""
    bundled = small.bundle()
    before = copy.deepcopy(bundled.document)
    result = portable(bundled.document)
    result["components"]["schemas"]["Thing"]["properties"]["labels"]["title"] = "changed"
    assert bundled.document == before


def test_portable_document_is_the_same_each_time(small: Small) -> None:
    """Two runs write the same bytes, and the order of paths changes no component."""
    first = portable(small.bundle().document)
    assert dump(first) == dump(portable(small.bundle().document))
    lines = small.index.read_text(encoding="utf-8")
    moved = "  /v1/things/{thing_id}/parts:\n    get: {$ref: ./things/parts/list.yaml}\n"
    moved += "    post: {$ref: ./things/parts/upload.yaml}\n"
    small.write("coze.yaml", lines.replace(moved, "").replace("paths:\n", f"paths:\n{moved}"))
    assert dump(portable(small.bundle().document)["components"]) == dump(first["components"])


# -- each rule


def test_maps_have_titles_that_are_no_schema(document: Any) -> None:
    """Each map that is not a schema of its own has a title, unlike all other titles and all names of schemas."""
    titles = [
        mapping["title"]
        for place, mapping in mappings(document["components"]["schemas"])
        if "additionalProperties" in mapping and "properties" not in mapping and len(place) > 1
    ]
    assert len(titles) == len(set(titles)) > 30
    assert not set(titles) & document["components"]["schemas"].keys()
    assert {"BotModelParametersMap", "BotsPublishRequestConnectorsValueMap"} <= set(titles)
    assert "WorkflowParameterMap" in titles  # of its property `properties`


def test_title_of_a_map_avoids_a_schema_of_that_name(small: Small) -> None:
    """A map gets a number behind its title where a schema has the title as its name."""
    small.replace("things/schemas.yaml", "Color:\n", "ThingLabelsMap:\n")
    for name in ("things/schemas.yaml", "things/list.yaml"):
        small.replace(name, "#/Color", "#/ThingLabelsMap")
    assert schema(small, "Thing")["properties"]["labels"]["title"] == "ThingLabelsMap2"


def test_enum_values_have_names_and_meanings(small: Small) -> None:
    """Our keys for names and meanings of enum values are repeated in the keys that other generators read."""
    assert schema(small, "Size")["x-enum-varnames"] == ["SMALL", "LARGE"]
    assert schema(small, "Color")["x-enum-descriptions"] == ["Like the sky.", ""]


def test_meaning_stands_at_the_place_of_its_value(real: Bundle, document: Any) -> None:
    """Names and meanings are lists as long as the enum, in its order."""
    for name, described in document["components"]["schemas"].items():
        for key in ("x-enum-varnames", "x-enum-descriptions"):
            assert len(described.get(key, described.get("enum", ()))) == len(described.get("enum", ())), name
    kinds = real.document["components"]["schemas"]["ApiAppEventType"]
    meanings = document["components"]["schemas"]["ApiAppEventType"]["x-enum-descriptions"]
    texts = kinds["x-coze-enum-descriptions"]
    assert meanings == [texts.get(str(value), "") for value in kinds["enum"]]


def test_constant_headers_are_enums_with_one_value(document: Any) -> None:
    """A header that is always the same is an enum of its value, which is also its default."""
    assert not [place for place, mapping in mappings(document) if "const" in mapping]
    header = document["paths"]["/open_api/knowledge/document/list"]["post"]["parameters"][0]
    assert header["schema"] == {"type": "string", "enum": ["str"], "default": "str"}


def test_operations_have_a_response_for_client_errors(real: Bundle, document: Any) -> None:
    """Each operation has a response with 4XX: its own where it has one, otherwise that of all errors."""
    count = 0
    for path, method, operation in operations_of(document):
        count += 1
        own = real.document["paths"][path][method]["responses"]
        assert operation["responses"]["4XX"] == own.get("4XX", own["default"]), operation["operationId"]
        assert operation["responses"]["default"] == own["default"]
    assert count == len(real.operations())


def test_response_of_one_client_error_stays_alone(small: Small) -> None:
    """An operation that describes a single status such as 404 gets no second response for client errors."""
    small.replace(
        "things/retrieve.yaml", "  default:", "  '404': {$ref: '../shared/responses.yaml#/Error'}\n  default:"
    )
    responses = portable(small.bundle().document)["paths"]["/v1/things/{thing_id}"]["get"]["responses"]
    assert responses.keys() == {"200", "404", "default"}


def test_no_reference_stands_below_an_extension(document: Any) -> None:
    """Below a key with `x-`, a reference is written as `reference`, whose target exists."""
    below = [mapping for place, mapping in mappings(document) if any(key.startswith("x-") for key in place)]
    assert not [mapping for mapping in below if "$ref" in mapping]
    written = {mapping["reference"] for mapping in below if isinstance(mapping.get("reference"), str)}
    assert SCHEMAS + "ObjectString" in written
    for reference in written:
        target = document
        for key in reference.removeprefix("#/").split("/"):
            target = target[key]


def test_schema_is_renamed_with_all_references_to_it(small: Small) -> None:
    """A schema with a name that generated code uses itself gets the prefix `Coze`, wherever it is referred to."""
    for name in ("things/schemas.yaml", "things/events.yaml", "things/list.yaml"):
        text = (small.folder / name).read_text(encoding="utf-8")
        small.write(name, text.replace("#/Thing'", "#/Record'").replace("\nThing:", "\nRecord:"))
    result = dump(portable(small.bundle().document))
    assert "/schemas/CozeRecord" in result
    assert "/schemas/Record" not in result


def test_property_may_have_the_name_of_a_keyword(small: Small) -> None:
    """Properties that are called like a key of a schema are copied like all others."""
    properties = "    default: {$ref: '#/Color', description: A.}\n    const: {$ref: '#/Color', description: B.}\n"
    properties += "    x-ray: {$ref: '#/Color', description: C.}\n"
    small.replace("things/schemas.yaml", "    note: {type", f"{properties}    note: {{type")
    references = schema(small, "Thing")["properties"]
    assert [references[name]["$ref"] for name in ("default", "const", "x-ray")] == [SCHEMAS + "Color"] * 3


def test_callbacks_have_no_token(document: Any) -> None:
    """What Coze sends to a callback app is described without the token of the API's callers."""
    callbacks = [operation for _, _, operation in operations_of(document, "webhooks")]
    assert callbacks
    assert all(operation["security"] == [] for operation in callbacks)


# -- streams and WebSockets


def test_each_event_and_message_is_a_schema(real: Bundle, document: Any) -> None:
    """Each event of a stream and each message of a WebSocket is a member of a union that names its kind."""
    components, schemas = real.document["components"], document["components"]["schemas"]
    sides = [(stream["event"], "event", stream["events"]) for stream in components["x-coze-streams"].values()]
    for protocol in components["x-coze-websockets"].values():
        for side in (protocol["uplink"], protocol["downlink"]):
            sides.append((side["union"], "event_type", side["messages"]))
    assert len(sides) > 10
    for union, tag, members in sides:
        assert schemas[union]["discriminator"]["propertyName"] == tag
        assert [variant["$ref"] for variant in schemas[union]["oneOf"]] == list(
            schemas[union]["discriminator"]["mapping"].values()
        )
        for kind, member in members.items():
            described = schemas[schemas[union]["discriminator"]["mapping"][kind].removeprefix(SCHEMAS)]
            assert described["properties"][tag]["enum"] == [kind]
            assert described["properties"].get("data") == member.get("data")


def test_event_requires_what_its_protocol_requires(document: Any) -> None:
    """An event with an id requires it, and `data` is required where its schema requires a member."""
    schemas = document["components"]["schemas"]
    assert schemas["ChatCreatedEvent"]["required"] == ["event", "data"]
    assert schemas["WorkflowDoneEvent"]["required"] == ["id", "event"]
    assert schemas["SpeechTextAppend"]["required"] == ["event_type", "data"]
    assert schemas["SpeechTextAppend"]["properties"].keys() == {"id", "event_type", "data"}
    assert schemas["SpeechUpdated"]["properties"]["detail"] == {"$ref": SCHEMAS + "SocketDetail"}


# -- the command


def test_command_writes_the_portable_document(small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`bundle --portable` prints the document or writes the same bytes to a file."""
    expected = dump(portable(small.bundle().document))
    assert command.main(["--index", str(small.index), "bundle", "--portable"]) == 0
    assert capsys.readouterr().out == expected
    output = tmp_path / "portable.json"
    assert command.main(["--index", str(small.index), "bundle", "--portable", "--output", str(output)]) == 0
    assert output.read_bytes() == expected.encode()


def test_command_writes_the_bundle_itself(small: Small, tmp_path: Path) -> None:
    """Without `--portable`, `--output` writes the bundle."""
    output = tmp_path / "bundle.json"
    assert command.main(["--index", str(small.index), "bundle", "--output", str(output)]) == 0
    assert output.read_bytes() == dump(small.bundle().document).encode()


def test_command_refuses_a_faulty_description(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    """A description with a fault has no portable form: the fault is reported, and nothing is printed."""
    small.replace("things/retrieve.yaml", "summary:", "summaries:")
    assert command.main(["--index", str(small.index), "bundle", "--portable"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "openapi/things/retrieve.yaml:" in printed.err


def test_command_reports_a_file_that_cannot_be_written(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that does not exist is reported in one line, with the exit status of a wrong argument."""
    with pytest.raises(SystemExit) as caught:
        command.main(["--index", str(small.index), "bundle", "--output", str(tmp_path / "none" / "bundle.json")])
    assert caught.value.code == 2
    assert "--output: " in capsys.readouterr().err.splitlines()[-1]
