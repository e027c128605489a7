"""What other sources state about the API that the description lacks, and the reverse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from generator import __main__ as command
from generator.drift import REPORTS, Drift, compare_source, described_operations, read_source
from generator.spec.bundler import bundle

ROOT = Path(__file__).resolve().parents[2]

# Members that were taken out of a copy of the description, and what the installed cozepy must then show.
REMOVED = {
    "bots/list.yaml": "GET /v1/bots operation",
    "chat/cancel.yaml": "POST /v3/chat/cancel operation",
    "users/me.yaml": "GET /v1/users/me operation",
    "files/upload.yaml": "POST /v1/files/upload operation",
    "workspaces/list.yaml": "GET /v1/workspaces operation",
}
RENAMED = {
    "plugin_id_list": "bots.create request.plugin_id_list",
    "chunk_strategy": "datasets.documents.create request.chunk_strategy",
    "custom_variables": "chat.create request.custom_variables",
    "icon_file_id": "bots.create request.icon_file_id",
    "preview_text": "audio.voices.clone request.preview_text",
}

# Members of responses, which cozepy does not show.
RENAMED_IN_RESPONSES = {
    "target_entity_id": "copy_tasks.retrieve response.data.target_entity_id",
    "select_items_file_url": "database_tasks.retrieve response.data.select_items_file_url",
    "select_total_count": "database_tasks.retrieve response.data.select_total_count",
}


@pytest.fixture
def description(tmp_path: Path) -> Path:
    """The index of a copy of the description."""
    shutil.copytree(ROOT / "openapi", tmp_path / "openapi")
    return tmp_path / "openapi" / "coze.yaml"


def drift(index: Path, source: str) -> list[Drift]:
    """Compare a description with a source."""
    described = described_operations(bundle(index))
    kind, operations = read_source(source, {entry.address: name for name, entry in described.items()})
    return compare_source(described, kind, operations, index)


def test_cozepy_sends_nothing_that_is_not_described(capsys: pytest.CaptureFixture[str]) -> None:
    """All that the installed cozepy calls and sends is described, or excepted with a reason."""
    status = command.main(["--index", str(ROOT / "openapi" / "coze.yaml"), "drift", "cozepy"])
    assert (status, capsys.readouterr().out) == (0, "no drift\n")


def remove_operations(description: Path) -> None:
    """Remove the operations of `REMOVED` from a description."""
    for name in REMOVED:
        path = description.with_name(name.partition("/")[0]) / name.partition("/")[2]
        path.unlink()
        lines = description.read_text(encoding="utf-8").splitlines(keepends=True)
        line = next(number for number, text in enumerate(lines) if text.strip() == f"$ref: ./{name}")
        del lines[line - 1 : line + 1]  # the method and the reference
        if not lines[line - 1].startswith("    "):
            del lines[line - 2]  # the path had no other method
        description.write_text("".join(lines), encoding="utf-8")


def test_operations_that_were_removed_are_reported(description: Path) -> None:
    """An operation that cozepy calls and a description lacks is reported by method and path."""
    remove_operations(description)
    texts_by_pointer = {entry.pointer: entry.text for entry in drift(description, "cozepy")}
    assert {pointer for pointer, text in texts_by_pointer.items() if text == "is not described"} == set(
        REMOVED.values()
    )


def test_operations_and_members_that_were_removed_are_reported_from_pages(description: Path, tmp_path: Path) -> None:
    """Operations and members of responses that have pages, and that a description lacks, are reported."""
    bundled = bundle(description)
    folder = tmp_path / "docs" / "api-swagger"
    folder.mkdir(parents=True)
    ids = [name.removesuffix(".yaml").replace("/", ".") for name in REMOVED]
    for name in (*ids, *(pointer.partition(" ")[0] for pointer in RENAMED_IN_RESPONSES.values())):
        path, method, operation = bundled.operations()[name]
        page = {
            "paths": {path: {method: operation}},
            "components": {"schemas": bundled.document["components"]["schemas"]},
        }
        (folder / f"{name}.yaml").write_text(json.dumps(page), encoding="utf-8")
    remove_operations(description)
    for file in description.parent.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        for member in RENAMED_IN_RESPONSES:
            text = text.replace(f"{member}:", f"{member}_x:")
        file.write_text(text, encoding="utf-8")
    found = {entry.pointer for entry in drift(description, str(tmp_path)) if entry.text == "is not described"}
    assert found == {*REMOVED.values(), *RENAMED_IN_RESPONSES.values()}


def test_arguments_that_were_removed_are_reported(description: Path) -> None:
    """An argument that cozepy sends and a description calls otherwise is reported by operation and name."""
    for path in description.parent.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        for name in RENAMED:
            text = text.replace(f"{name}:", f"{name}_x:")
        path.write_text(text, encoding="utf-8")
    pointers = {entry.pointer for entry in drift(description, "cozepy")}
    assert set(RENAMED.values()) <= pointers
    assert all(any(name in pointer for name in RENAMED) for pointer in pointers)


PAGE = """
openapi: 3.0.3
info: {title: Page, version: 1.0.0}
paths:
  /v1/bots/:bot_id:
    get:
      operationId: page
      parameters:
        - {name: bot_id, in: path, required: true, schema: {type: string}}
        - {name: is_published, in: query, schema: {type: boolean}}
        - {name: Authorization, in: header, schema: {type: string}}
        - {name: mood, in: query, schema: {type: string}}
      responses:
        '200':
          content:
            application/json:
              schema:
                type: object
                properties:
                  code: {type: integer}
                  msg: {type: string}
                  detail: {type: object}
                  data: {$ref: '#/components/schemas/Bot'}
  /v9/%2A%2Anew/%7Bid%7D%2A%2A:
    post:
      operationId: fresh
      responses: {'200': {description: Done}}
components:
  schemas:
    Bot:
      type: object
      properties:
        bot_id: {type: string}
        parent: {$ref: '#/components/schemas/Bot'}
        prompt_info:
          type: object
          properties:
            prompt_mode: {type: string, enum: [standard, reversed]}
"""


def test_pages_are_compared_in_both_directions(tmp_path: Path) -> None:
    """A page shows members, values and operations that are not described, and described ones that it lacks."""
    folder = tmp_path / "docs" / "api-swagger"
    folder.mkdir(parents=True)
    (folder / "page.yaml").write_text(PAGE, encoding="utf-8")
    texts_by_pointer = {entry.pointer: entry.text for entry in drift(ROOT / "openapi" / "coze.yaml", str(tmp_path))}
    stale = {pointer for pointer, text in texts_by_pointer.items() if "nothing differs there any more" in text}
    assert "files.upload request.Data" in stale  # an exception for a page that this folder does not have
    texts = {pointer: text for pointer, text in texts_by_pointer.items() if pointer not in stale}
    assert texts.pop("POST /v9/new/{} operation") == "is not described"
    assert texts.pop("bots.retrieve request.mood") == "is not described"
    assert texts.pop("bots.retrieve response.data.parent") == "is not described"
    assert texts.pop("bots.retrieve response.data.prompt_info.prompt_mode") == (
        "has values that are not described: reversed"
    )
    assert texts["bots.retrieve response.data.name"] == "is described, but the source lacks it"
    assert all(text == "is described, but the source lacks it" for text in texts.values())
    # `x-coze-evidence` names the other sources of this one.
    assert "bots.retrieve response.data.onboarding_info.onboarding_mode" not in texts


CODE = """
class APIResource {
}
/* a comment */ class Users extends APIResource {
    /**
   * Who is it?
   */ async me(params, options) {
        const apiUrl = '/v1/users/me';
        const result = await this._client.get(apiUrl, params, false, options);
    }
    async *search(params, options) {
        const apiUrl = `/v1/users/${params.id}/search${deep ? `?depth=${deep}` : ''}`;
        const result = await this._client.post(apiUrl, params, false, options);
    }
}
"""
TYPES = """
export declare class Users extends APIResource {
    me(params: MeReq, options?: RequestOptions): Promise<User>;
}
export interface MeReq {
    mood?: string;
    options?: unknown;
}
"""


def test_a_javascript_package_is_read(tmp_path: Path) -> None:
    """Calls and the members of their parameters' interface are read from an unpacked package."""
    code, types = tmp_path / "dist/esm/index.mjs", tmp_path / "dist/types/resources/users.d.ts"
    for path, text in ((code, CODE), (types, TYPES)):
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    kind, operations = read_source(str(tmp_path), {})
    assert kind == "coze-js"
    assert [(entry.name, entry.address, set(entry.members)) for entry in operations] == [
        ("Users.me", ("GET", "/v1/users/me"), {"request.mood"}),
        ("Users.search", ("POST", "/v1/users/{}/search"), {"request.depth"}),
    ]


def exchange(method: str, url: str, answer: Any, body: Any = None) -> dict[str, Any]:
    """Return an entry of a HAR file."""
    request = {"method": method, "url": url, "postData": {"text": json.dumps(body)}} if body else {}
    return {
        "request": {"method": method, "url": url, **request},
        "response": {"status": 200, "content": {"text": json.dumps(answer)}},
    }


def test_a_recording_shows_members_and_values(tmp_path: Path) -> None:
    """A HAR file shows what was sent and received. Of errors only the code counts."""
    chat = {"id": "1", "status": "pondering", "mood": "good", "meta_data": {"anything": "goes"}}
    entries = [
        exchange("GET", "https://api.coze.com/v3/chat/retrieve?chat_id=1&conversation_id=2", {"code": 0, "data": chat}),
        exchange("POST", "https://api.coze.com/v1/bot/create", {"code": 4000, "data": {"x": 1}}, {"space": "1"}),
        exchange("GET", "https://api.coze.com/v1/nothing/7", {"code": 0}),
    ]
    path = tmp_path / "recording.har"
    path.write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8")
    assert {(entry.pointer, entry.text) for entry in drift(ROOT / "openapi" / "coze.yaml", str(path))} == {
        ("chat.retrieve response.data.status", "has values that are not described: pondering"),
        ("chat.retrieve response.data.mood", "is not described"),
        ("chat.retrieve response.data.conversation_id", "is required, but the source lacks it"),
        ("GET /v1/nothing/7 operation", "is not described"),
    }


@pytest.mark.parametrize("text", ["{", "[]", '{"log": {"entries": [{"request": {}}]}}', '{"log": {"entries": [1]}}'])
def test_a_damaged_recording_is_reported(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A HAR file that is none gives the exit status 2 and a message with its path."""
    path = tmp_path / "damaged.har"
    path.write_text(text, encoding="utf-8")
    assert command.main(["--index", str(ROOT / "openapi" / "coze.yaml"), "drift", str(path)]) == 2
    assert "damaged.har:1: is not a HAR file" in capsys.readouterr().err


def test_an_unknown_source_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is none of the known sources gives the exit status 2 and names what is expected."""
    assert command.main(["--index", str(ROOT / "openapi" / "coze.yaml"), "drift", str(tmp_path)]) == 2
    assert "is not a source: expected live, cozepy, a *.har file" in capsys.readouterr().err


DRIFT = [
    Drift("GET /v1/x operation", "is not described", "x.yaml"),
    Drift("bots.list request.a", "is not described", "y.yaml"),
]


def test_drift_is_written_for_people_pages_and_programs() -> None:
    """A report groups differences by operation; the JSON has one object for each."""
    assert REPORTS["text"](DRIFT) == (
        "2 differences\n\nGET /v1/x\n  operation is not described [x.yaml]\n"
        "\nbots.list\n  request.a is not described [y.yaml]\n"
    )
    assert "**bots.list**\n\n- `request.a` is not described (y.yaml)\n" in REPORTS["markdown"](DRIFT)
    assert json.loads(REPORTS["json"](DRIFT))[0]["pointer"] == "GET /v1/x operation"
