"""What is taken although it is not as described, and stands in `tolerated` of the request's record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID, WORKFLOW_CHAT, WORKSPACE_ID, Sandbox

DOCUMENTS = "/open_api/knowledge/document"
HEADERS = {"Agw-Js-Conv": "str"}


def tolerated(api: Any) -> list[str]:
    """Return what the last request was forgiven."""
    return list(api.sandbox.requests[-1].tolerated)


@pytest.fixture
def dataset(api: Any) -> str:
    """Give an empty knowledge base."""
    body = {"name": "Manuals", "space_id": WORKSPACE_ID, "format_type": 0}
    return str(api.ok("POST", "/v1/datasets", json=body)["dataset_id"])


@pytest.fixture
def strict() -> Iterator[httpx.Client]:
    """Give a client of a sandbox that takes only what is described."""
    with Sandbox(lenient=False) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            yield http


def added(dataset_id: Any) -> dict[str, Any]:
    """Return the body that adds a text to a knowledge base."""
    entry = {"name": "a.txt", "source_info": {"file_base64": "SGk=", "file_type": "txt"}}
    return {"dataset_id": dataset_id, "document_bases": [entry], "chunk_strategy": {"chunk_type": 0}}


def test_numbers_for_ids_of_documents(api: Any, dataset: str) -> None:
    """Documents are added, changed, listed and deleted with ids that are numbers, alone and in lists."""
    answer = api.send("POST", f"{DOCUMENTS}/create", json=added(int(dataset)), headers=HEADERS).json()
    [document] = answer["document_infos"]
    assert tolerated(api) == ["body.dataset_id: a number, accepted as a string"]
    key = int(document["document_id"])
    change = {"document_id": key, "document_name": "b.txt"}
    api.ok("POST", f"{DOCUMENTS}/update", json=change, headers=HEADERS)
    assert tolerated(api) == ["body.document_id: a number, accepted as a string"]
    answer = api.send("POST", f"{DOCUMENTS}/list", json={"dataset_id": int(dataset)}, headers=HEADERS).json()
    assert [document["name"] for document in answer["document_infos"]] == ["b.txt"]
    api.ok("POST", f"{DOCUMENTS}/delete", json={"document_ids": [key]}, headers=HEADERS)
    assert tolerated(api) == ["body.document_ids.0: a number, accepted as a string"]


@pytest.mark.parametrize("absent", [{}, {"chunk_strategy": None}], ids=["absent", "null"])
def test_documents_without_a_chunk_strategy(api: Any, dataset: str, absent: dict[str, None]) -> None:
    """Documents are cut automatically where the strategy is left out, which is documented as required."""
    body = {name: value for name, value in added(dataset).items() if name != "chunk_strategy"}
    answer = api.send("POST", f"{DOCUMENTS}/create", json={**body, **absent}, headers=HEADERS).json()
    assert answer["document_infos"][0]["chunk_strategy"] == {"chunk_type": 0}
    assert tolerated(api) == ['body.chunk_strategy: is required, accepted as {"chunk_type": 0}']


def test_chatflow_without_parameters(api: Any) -> None:
    """A chat with a chatflow needs no parameters."""
    message = {"role": "user", "content": "Hi", "content_type": "text"}
    body = {"workflow_id": WORKFLOW_CHAT, "bot_id": BOT_ID, "additional_messages": [message]}
    assert api.events("/v1/workflows/chat", json=body)[-1][0] == "done"


@pytest.mark.parametrize("wrong", [True, 1.5, {"id": 1}, "name"])
def test_other_values_for_ids_of_documents(api: Any, dataset: str, wrong: Any) -> None:
    """Nothing else counts as an id, and nothing but ids may be a number."""
    body = {"document_id": wrong} if wrong != "name" else {"document_id": "1", "document_name": 5}
    assert api.refused("POST", f"{DOCUMENTS}/update", json=body, headers=HEADERS) == (400, 4000)


def test_numbers_for_other_ids(api: Any) -> None:
    """Ids of other operations are texts."""
    assert api.refused("POST", "/v3/chat", json=api.chat("Hi", user_id=5)) == (400, 4000)


def test_null_members(api: Any) -> None:
    """Each member that is null for "not given" is noted with its path; one that may be null is not."""
    body = api.chat("Hi", meta_data=None, custom_variables=None)
    body["additional_messages"][0]["meta_data"] = None
    api.ok("POST", "/v3/chat", json=body)
    assert tolerated(api) == [
        "body.additional_messages.0.meta_data: null",
        "body.meta_data: null",
        "body.custom_variables: null",
    ]


def test_other_verbs(api: Any) -> None:
    """A verb that only SDKs use is noted with the one that is described."""
    query, _ = api.finished("Hi")
    api.ok("POST", "/v3/chat/retrieve", params=query)
    assert tolerated(api) == ["POST: accepted as GET"]
    api.ok("GET", "/v3/chat/retrieve", params=query)
    assert tolerated(api) == []


def test_query(api: Any) -> None:
    """Blank values, other names and other spellings of parameters are noted, and those that nobody knows."""
    query = {"workspace_id": WORKSPACE_ID, "page_index": 1, "connector_id": "", "color": "red"}
    api.ok("GET", "/v1/bots", params=query)
    assert tolerated(api) == [
        "query.page_index: not described, accepted as page_num",
        "query.connector_id: blank, accepted as omitted",
        "query.color: not described",
    ]
    api.ok("GET", f"/v1/bots/{BOT_ID}", params=[("is_published", "false"), ("is_published", "True")])
    assert tolerated(api) == [
        "query.is_published: repeated, the last value is used",
        "query.is_published: True, accepted as true",
    ]
    api.ok("GET", "/v1/plugins/mget", params=[("ids", "1"), ("ids", "2")])
    assert tolerated(api) == ["query.ids: repeated, instead of joined by commas"]


def test_members_that_nobody_knows(api: Any, strict: httpx.Client) -> None:
    """Members that are not described are ignored and noted, in bodies and forms, with leniency and without."""
    body = {"bot_id": BOT_ID, "color": {"red": None}, "meta_data": {"any": "name"}}
    api.ok("POST", "/v1/conversation/create", json=body)
    assert tolerated(api) == ["body.color: not described"]
    assert strict.post("/v1/conversation/create", json=body).json()["code"] == 0
    api.ok("POST", "/v1/files/upload", files={"file": ("a.txt", b"a")}, data={"purpose": "bot"})
    assert tolerated(api) == ["body.purpose: not described"]


def test_messages_of_a_websocket(coze_sandbox: Sandbox) -> None:
    """What messages over a WebSocket are forgiven is noted once; a token in the query is as described."""
    from websockets.sync.client import connect

    address = coze_sandbox.base_url.replace("http", "ws", 1)
    data = {"chat_config": {"meta_data": None, "color": "red"}}
    with connect(f"{address}/v1/chat?bot_id={BOT_ID}&authorization=Bearer%20{coze_sandbox.token}") as socket:
        socket.recv()
        for _ in range(2):
            socket.send(json.dumps({"id": "1", "event_type": "chat.update", "data": data}))
            assert json.loads(socket.recv())["event_type"] == "chat.updated"
    assert coze_sandbox.requests[-1].tolerated == [
        "chat.update: data.chat_config.meta_data: null",
        "chat.update: data.chat_config.color: not described",
    ]


def test_as_described(api: Any, dataset: str) -> None:
    """A request that is as described was forgiven nothing."""
    api.send("POST", f"{DOCUMENTS}/create", json=added(dataset), headers=HEADERS)
    assert tolerated(api) == []
    api.stream("Hi", meta_data={"a": "b"})
    assert tolerated(api) == []


@pytest.mark.parametrize(
    ("method", "path", "arguments"),
    [
        ("POST", f"{DOCUMENTS}/create", {"json": added(1), "headers": HEADERS}),
        ("POST", f"{DOCUMENTS}/create", {"json": {"dataset_id": "1", "document_bases": []}, "headers": HEADERS}),
        ("POST", "/v1/conversation/create", {"json": {"name": None}}),
        ("POST", "/v3/chat/retrieve?chat_id=1&conversation_id=1", {}),
        ("GET", f"/v1/datasets?space_id={WORKSPACE_ID}&format_type=", {}),
    ],
    ids=["number", "absent", "null", "verb", "blank"],
)
def test_without_leniency(strict: httpx.Client, method: str, path: str, arguments: Any) -> None:
    """A strict sandbox takes none of it."""
    assert strict.request(method, path, **arguments).json()["code"] == 4000


def test_many_notes(api: Any) -> None:
    """The notes of one request are few and short, whatever is sent."""
    names = {f"{number}{'x' * 1000}": 1 for number in range(1000)}
    api.ok("POST", "/v1/conversation/create", json=names)
    assert len(tolerated(api)) == 100
    assert max(map(len, tolerated(api))) < 300
