"""The comparison with the facts catalog sees every kind of difference. Needs no catalog."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.contract._facts import Difference, Listed, excuses, is_mentioned
from tests.contract._facts_compare import Comparison
from tests.contract._facts_samples import Sample, sample_differences

OPERATION: dict[str, Any] = {
    "externalDocs": {"url": "https://www.coze.cn/open/docs/developer_guides/start_thing"},
    "x-coze-permission": "start",
    "x-coze-stream": {"protocol": {"$ref": "#/components/x-coze-streams/ThingStream"}},
    "parameters": [{"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}}],
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Start"}}}},
    "responses": {
        "200": {
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Answer"}},
                "text/event-stream": {"schema": {"type": "string"}},
            }
        }
    },
}
DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Start": {
                "type": "object",
                "required": ["level"],
                "properties": {
                    "level": {"type": "integer", "maximum": 9, "default": 1},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "names": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
            "Answer": {
                "type": "object",
                "properties": {"data": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]}},
            },
            "Thing": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "at": {"type": ["integer", "string"], "format": "unix-time"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                },
            },
        },
        "x-coze-streams": {"ThingStream": {"events": {"changed": {"data": {"$ref": "#/components/schemas/Thing"}}}}},
    }
}
THING = [
    {"name": "id", "type": "string", "required": True},
    {"name": "at", "type": "integer", "required": False},
    {"name": "parts", "type": "array<object>", "ref": "Thing", "required": False},
]
RECORD: dict[str, Any] = {
    "doc": "start_thing",
    "permission": "start",
    "deprecated": False,
    "conflicts": ["body.level: integer in docs, string in an SDK"],
    "undocumented": [],
    "request": {
        "path": [{"name": "thing_id", "type": "string", "required": True}],
        "query": [],
        "headers": [],
        "content_type": "application/json",
        "body": [
            {"name": "level", "type": "integer", "required": True, "max": 9, "default": 1},
            {"name": "kind", "type": "string", "required": False, "enum": ["b", "a"]},
            {"name": "names", "type": "array<string>", "required": False, "max_items": 3},
            {"name": "labels", "type": "map<string>", "required": False},
        ],
        "objects": {},
    },
    "response": {
        "kind": "json_or_sse",
        "fields": [{"name": "data", "type": "object", "ref": "Thing", "required": False}],
        "objects": {"Thing": THING},
        "events": [{"event": "changed", "data": "Thing"}],
    },
}


def compared(*steps: Any, value: Any) -> set[str]:
    """Return where the description differs from the catalog after one value in the catalog was replaced."""
    record = copy.deepcopy(RECORD)
    place: Any = record
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    differences = Comparison(DOCUMENT, "things.start", OPERATION, record).differences
    return {difference.pointer.partition(" ")[2] for difference in differences if not difference.tolerated}


def test_agreement() -> None:
    """An operation that matches its record has no difference that must be listed."""
    assert compared("doc", value="start_thing") == set()


def test_moment_and_null_are_tolerated() -> None:
    """A moment that may be a string, and a member that may be null, need not be listed but may be."""
    differences = Comparison(DOCUMENT, "things.start", OPERATION, RECORD).differences
    tolerated = {difference.pointer.partition(" ")[2] for difference in differences if difference.tolerated}
    assert tolerated == {"response.data", "response.data.at", "stream.changed.at"}


@pytest.mark.parametrize(
    ("steps", "value", "place"),
    [
        (("permission",), "other", "operation.x-coze-permission"),
        (("deprecated",), True, "operation.deprecated"),
        (("doc",), "other_page", "operation.externalDocs"),
        (("request", "content_type"), "multipart/form-data", "request"),
        (("request", "path", 0, "type"), "integer", "request.thing_id"),
        (("request", "path", 0, "name"), "things_id", "request.thing_id"),
        (("request", "body", 0, "required"), False, "request.level"),
        (("request", "body", 0, "max"), 8, "request.level"),
        (("request", "body", 0, "default"), 2, "request.level"),
        (("request", "body", 1, "enum"), ["a", "b", "c"], "request.kind"),
        (("request", "body", 1, "enum"), ["a"], "request.kind"),
        (("request", "body", 2, "max_items"), 4, "request.names"),
        (("request", "body", 2, "type"), "array<integer>", "request.names[]"),
        (("request", "body", 3, "type"), "map<integer>", "request.labels{}"),
        (("response", "kind"), "sse", "response"),
        (("response", "events", 0, "event"), "gone", "stream.gone"),
        (("response", "objects", "Thing", 1, "type"), "string", "response.data.at"),
        (("response", "objects", "Thing", 1, "required"), True, "response.data.at"),
        (("response", "objects", "Thing", 1, "name"), "moment", "stream.changed.moment"),
    ],
)
def test_difference(steps: tuple[Any, ...], value: Any, place: str) -> None:
    """A value that the catalog has otherwise is a difference at its place."""
    assert place in compared(*steps, value=value)


def test_more_in_an_answer() -> None:
    """A member of a response may be required though it is not in the catalog."""
    assert compared("response", "objects", "Thing", 0, "required", value=False) == set()


def test_undocumented_field_is_known() -> None:
    """A field that the catalog has seen elsewhere may be described or not."""
    seen = [{"where": "body", "name": "kind", "type": "string", "sources": ["an SDK"]}]
    body = [field for field in RECORD["request"]["body"] if field["name"] != "kind"]
    record = copy.deepcopy(RECORD) | {"undocumented": seen}
    record["request"]["body"] = body
    differences = Comparison(DOCUMENT, "things.start", OPERATION, record).differences
    assert [
        difference.pointer for difference in differences if "kind" in difference.pointer and not difference.tolerated
    ] == [
        "things.start request.kind"  # its enum: the catalog knows the field, but not these values
    ]


@pytest.mark.parametrize(
    ("pointer", "covers"),
    [
        ("chat.create stream.chat.failed.code", True),
        ("chat.create stream.chat.failed", True),
        ("chat.* stream.chat.*.code", True),
        ("chat.create sample streams/1.sse", True),
        ("chat.* sample streams/*.sse", True),
        ("chat.* sample responses/*", False),
        ("chat.create stream.chat", False),
        ("chat.create *", True),
        ("chat.cancel *", False),
    ],
)
def test_exception_covers(pointer: str, covers: bool) -> None:
    """An exception covers its place, members of it that one side lacks, a whole sample, and by `*` many places."""
    difference = Difference(
        "chat.create stream.chat.failed.code",
        "described",
        parent="chat.create stream.chat.failed",
        sample="chat.create sample streams/1.sse",
    )
    assert excuses(Listed(pointer, 1), difference) is covers


def test_settled_conflict_keeps_its_exception() -> None:
    """The catalog mentions a member when one of its notes on conflicts names it."""
    assert is_mentioned(Listed("things.start request.level", 1), RECORD)
    assert not is_mentioned(Listed("things.start request.kind", 1), RECORD)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("responses/retrieve_files.json", '{"code": 0, "msg": "", "data": {"id": 7}}', "response.data.id"),
        ("responses/retrieve_files.json", '{"code": 0, "msg": "", "more": 1}', "response.more"),
        ("requests/retrieve_files.query.json", '{"file": "7"}', "request.file"),
        ("requests/retrieve_files.json", "{}", "request"),
        ("responses/retrieve_files.sse", "event: done\ndata: {}\n\n", "response"),
    ],
)
def test_sample_is_held_to_the_description(tmp_path: Path, name: str, text: str, place: str) -> None:
    """A sample with a wrong type, or with a member that is not described, differs at that member."""
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    differences = sample_differences(Sample("files.retrieve", path))
    assert f"files.retrieve {place}" in {difference.pointer for difference in differences}
    assert {difference.sample for difference in differences} == {f"files.retrieve sample {name}"}
