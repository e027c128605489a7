"""What is true of every operation: routes, tokens, checks of requests and responses."""

from __future__ import annotations

import copy
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from coze_sandbox import BOT_ID, WORKFLOW_ECHO, WORKSPACE_ID, Clock, Sandbox

FILES = "/v1/files/retrieve"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def document(coze_sandbox_server: Sandbox) -> dict[str, Any]:
    """Give a copy of the description, to be changed."""
    return copy.deepcopy(dict(coze_sandbox_server.description.document))


def test_every_operation_answers_as_described(api):
    """Each described operation is routed, and its response, good or bad, is valid."""
    for operation in api.sandbox.description.operations.values():
        path = operation.path.replace("{bot_id}", BOT_ID)
        response = api.http.request(operation.method, path, json={})
        assert response.status_code not in {404, 405, 500} or "does not exist" in response.text
    assert not api.sandbox.violations


def test_unknown_path(api):
    """The response to a path that is not described is HTTP 404 with an error envelope."""
    assert api.refused("GET", "/v1/nothing") == (404, 4200)


def test_unknown_verb(api):
    """The response to a method that a path does not have is HTTP 405 with the methods that it has."""
    response = api.send("DELETE", "/v1/files/upload")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("header", [{}, bearer("wrong"), {"Authorization": "Basic x"}, {"Authorization": "Bearer"}])
def test_wrong_token(coze_sandbox, header):
    """No token, an unknown one and another scheme are refused with 4100."""
    response = httpx.get(coze_sandbox.base_url + "/v1/users/me", headers=header)
    assert (response.status_code, response.json()["code"]) == (401, 4100)


def test_token_of_the_other_region():
    """A token of the other region is refused with 4101."""
    with Sandbox(foreign_tokens=["pat_other"]) as sandbox:
        response = httpx.get(sandbox.base_url + "/v1/users/me", headers=bearer("pat_other"))
    assert (response.status_code, response.json()["code"]) == (403, 4101)


def test_permissions_of_tokens():
    """A token without the described permission is refused with 4101, which names the permission."""
    with Sandbox(tokens={"few": frozenset({"listBot"}), "all": None}) as sandbox:
        url = f"{sandbox.base_url}/v1/files/retrieve?file_id=1"
        refused = httpx.get(url, headers=bearer("few"))
        passed = httpx.get(url, headers=bearer("all"))
    assert (refused.status_code, refused.json()["code"]) == (403, 4101)
    assert "retrieveFile" in refused.json()["msg"]
    assert passed.json()["code"] == 4200


def test_missing_query_parameter(api):
    """A missing query parameter is refused and named."""
    response = api.send("GET", FILES)
    assert response.json()["msg"] == "query.file_id: is required"


def test_blank_query_parameter(api):
    """A query parameter without a value counts as not given."""
    assert api.refused("GET", FILES, params={"file_id": ""}) == (400, 4000)


def test_query_of_the_wrong_type(api):
    """A query parameter that is not a number where one is declared is refused and named."""
    query = {"workspace_id": WORKSPACE_ID, "page_num": "one"}
    response = api.send("GET", "/v1/bots", params=query)
    assert response.json()["msg"].startswith('query.page_num: "one" is not of type')


def test_body_is_checked_in_depth(api):
    """The message of a refused body names the member, however deep."""
    body = api.chat("Hi")
    body["additional_messages"][0]["role"] = "zz"
    response = api.send("POST", "/v3/chat", json=body)
    assert response.status_code == 400
    assert response.json()["msg"] == ('body.additional_messages.0.role: "zz" is not one of "user" or "assistant"')


def test_null_for_an_optional_member(api):
    """Optional members that are null count as not given, as the official Python SDK needs it."""
    body = api.chat("Hi", meta_data=None, custom_variables=None, bot_version=None)
    assert api.ok("POST", "/v3/chat", json=body)["status"] == "in_progress"


def test_null_for_a_required_member(api):
    """Required members must not be null."""
    assert api.refused("POST", "/v3/chat", json=api.chat("Hi", user_id=None)) == (400, 4000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"bot_id": NaN}',
        b"\xff",
        b"[" * 100_000,
        b'{"bot_id": "\\ud800", "user_id": "u"}',
        b'{"bot_id": "b", "user_id": "u", "parameters": {"x": 1e999}}',
    ],
)
def test_malformed_body(api, content):
    """A body that is not a JSON object is refused with 4000, whatever it is."""
    headers = {"Content-Type": "application/json"}
    assert api.refused("POST", "/v3/chat", content=content, headers=headers) == (400, 4000)


def test_wrong_content_type(api):
    """A JSON body under another content type is refused."""
    headers = {"Content-Type": "text/plain"}
    assert api.refused("POST", "/v3/chat", content=b"{}", headers=headers) == (400, 4000)


def test_specific_codes_of_limits(api):
    """Too many messages and too much meta data have codes of their own."""
    many = api.chat("Hi")
    many["additional_messages"] *= 101
    assert api.refused("POST", "/v3/chat", json=many) == (400, 4004)
    rich = api.chat("Hi", meta_data={str(number): "x" for number in range(17)})
    assert api.refused("POST", "/v3/chat", json=rich) == (400, 4003)


def test_body_limit(document):
    """A body over the described size is refused with HTTP 413."""
    document["paths"]["/v3/chat"]["post"]["x-coze-max-body-bytes"] = 100
    with Sandbox(document=document) as sandbox:
        url, headers = sandbox.base_url + "/v3/chat", bearer(sandbox.token)
        response = httpx.post(url, headers=headers, json={"bot_id": "1" * 100, "user_id": "u"})
    assert (response.status_code, response.json()["code"]) == (413, 4000)


def test_errors_as_200():
    """On demand failures come with HTTP 200 and a business code."""
    with Sandbox(errors_as_200=True) as sandbox:
        response = httpx.get(sandbox.base_url + "/v1/users/me")
    assert (response.status_code, response.json()["code"]) == (200, 4100)


def test_logid_header_keeps_its_case(coze_sandbox):
    """The log id header is spelled as Coze spells it, which the JavaScript SDK needs."""
    response = httpx.get(coze_sandbox.base_url + "/v1/users/me")
    assert b"X-Tt-Logid" in [name for name, _ in response.headers.raw]


def test_operation_without_a_handler_answers_its_example(document):
    """The response of an operation without a handler is its example, with the log id of the call."""
    operation = copy.deepcopy(document["paths"]["/v1/files/retrieve"]["get"])
    operation["operationId"] = "new.retrieve"
    operation["parameters"] = []
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    document["paths"]["/v1/new"] = {"get": operation}
    with Sandbox(document=document) as sandbox:
        response = httpx.get(sandbox.base_url + "/v1/new", headers=bearer(sandbox.token))
    assert response.json()["data"] == example["data"]
    assert response.json()["detail"] == {"logid": response.headers["x-tt-logid"]}


def test_stream_without_a_handler_answers_its_example(document):
    """The stream of an operation without a handler has the described event, framed as its kind is."""
    operation = copy.deepcopy(document["paths"]["/v1/workflow/stream_run"]["post"])
    operation["operationId"] = "new.stream"
    event = {"id": "0", "event": "Done", "data": '{"debug_url": "u"}'}
    operation["responses"]["200"]["content"]["text/event-stream"]["example"] = event
    document["paths"]["/v1/new"] = {"post": operation}
    with Sandbox(document=document) as sandbox:
        url, headers = sandbox.base_url + "/v1/new", bearer(sandbox.token)
        response = httpx.post(url, headers=headers, json={"workflow_id": "1"})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text == 'id: 0\nevent: Done\ndata: {"debug_url":"u"}\n\n'


def test_answer_that_is_not_as_described(document):
    """A response that violates the description becomes HTTP 500 with the member's name, and is recorded as a violation."""
    document["components"]["schemas"]["User"]["properties"]["nick_name"] = {"type": "integer"}
    with Sandbox(document=document) as sandbox:
        response = httpx.get(sandbox.base_url + "/v1/users/me", headers=bearer(sandbox.token))
        violation = sandbox.violations[0]
    assert response.status_code == 500
    assert "answer.data.nick_name" in response.json()["msg"]
    assert (violation.operation, violation.pointer) == ("users.me", "answer.data.nick_name")


def test_event_that_is_not_as_described(document):
    """An event that breaks the description ends the stream and is kept."""
    usage = document["components"]["schemas"]["ChatUsage"]["properties"]
    usage["token_count"] = {"type": "string"}
    body = {
        "bot_id": BOT_ID,
        "user_id": "u",
        "stream": True,
        "additional_messages": [{"role": "user", "content": "Hi", "content_type": "text"}],
    }
    with Sandbox(document=document) as sandbox:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(sandbox.base_url + "/v3/chat", headers=bearer(sandbox.token), json=body)
        assert sandbox.violations[0].operation == "chat.create"
        assert sandbox.requests[-1].verdict == "failed"


def test_aliases_of_other_sdks(api):
    """Chats can be polled with POST, messages listed with POST, bots paged by page_index."""
    query, chat = api.finished("Hi")
    assert api.ok("POST", "/v3/chat/retrieve", params=query) == chat
    message = api.ok("GET", "/v3/chat/message/list", params=query)[0]
    keys = {"conversation_id": query["conversation_id"], "message_id": message["id"]}
    assert api.ok("POST", "/v1/conversation/message/retrieve", params=keys)["id"] == message["id"]
    page = {"workspace_id": WORKSPACE_ID, "page_index": 2}
    assert api.ok("GET", "/v1/bots", params=page) == {"items": [], "total": 1}


@pytest.mark.parametrize("wrong", ["abc", "12a", "-1", "1.0", "\uff11\uff12", "9" * 19, "1" * 20, "0x1f", " 1"])
def test_malformed_ids(api, wrong):
    """What is not a number of 64 bits is a malformed parameter, in path, query and body; any other id is of nothing."""
    malformed = (400, 4000)
    assert api.refused("GET", f"/v1/bots/{quote(wrong)}") == malformed
    assert api.refused("GET", FILES, params={"file_id": wrong}) == malformed
    assert api.refused("POST", "/v3/chat", json=api.chat("Hi", bot_id=wrong)) == malformed
    query = {"conversation_id": wrong, "chat_id": "1"}
    assert api.refused("GET", "/v3/chat/retrieve", params=query) == malformed
    body = {"workflow_id": wrong, "parameters": {}}
    assert api.refused("POST", "/v1/workflow/run", json=body) == malformed
    assert api.refused("GET", f"/v1/workflows/{WORKFLOW_ECHO}/run_histories/{quote(wrong)}") == malformed


@pytest.mark.parametrize("unknown", ["0", "1", str(2**63 - 1)])
def test_unknown_ids(api, unknown):
    """An id of nothing is answered as such, also the largest one."""
    assert api.refused("GET", f"/v1/bots/{unknown}") == (404, 4200)
    assert api.refused("GET", "/v1/conversation/retrieve", params={"conversation_id": unknown}) == (404, 4002)


def test_ids_of_texts(api):
    """Ids of enterprises hold letters, and so do ids that a test chose for its bots."""
    assert api.refused("POST", "/v1/enterprises/acme/members", json={"users": []}) == (404, 4200)
    api.sandbox.scenario.bot("my-bot")
    assert api.ok("GET", "/v1/bots/my-bot")["bot_id"] == "my-bot"
    assert api.refused("GET", "/v1/bots/your-bot") == (400, 4000)


def test_strict_sandbox():
    """On demand nothing is taken that is not described: no null, no blank value, no alias."""
    with (
        Sandbox(lenient=False) as sandbox,
        httpx.Client(base_url=sandbox.base_url, headers=bearer(sandbox.token)) as http,
    ):
        assert http.post("/v3/chat/retrieve").status_code == 405
        blank = {"space_id": WORKSPACE_ID, "format_type": ""}
        assert http.get("/v1/datasets", params=blank).json()["code"] == 4000
        assert http.post("/v1/conversation/create", json={"name": None}).json()["code"] == 4000


def test_body_of_a_refused_call_is_logged(api):
    """The log of requests has the body of a call also where it was refused."""
    assert api.refused("POST", "/v3/chat", json={"bot_id": 1}) == (400, 4000)
    assert api.sandbox.requests[-1].body == {"bot_id": 1}


def test_ids_are_the_same_in_every_run():
    """The same seed and calls give the same ids; another seed gives others."""

    def first_id(seed: int) -> str:
        with Sandbox(seed=seed) as sandbox:
            url, headers = sandbox.base_url + "/v1/conversation/create", bearer(sandbox.token)
            return str(httpx.post(url, headers=headers, json={}).json()["data"]["id"])

    assert first_id(1) == first_id(1) != first_id(2)


def test_state_outlives_the_process(tmp_path):
    """With a file the state is there in the next run, and ids are not given out twice."""
    ids = []
    for _ in range(2):
        with Sandbox(db=tmp_path / "state.db") as sandbox:
            url, headers = sandbox.base_url, bearer(sandbox.token)
            conversation = httpx.post(url + "/v1/conversation/create", headers=headers, json={}).json()
            ids.append(conversation["data"]["id"])
            for key in ids:
                query = {"conversation_id": key}
                path = url + "/v1/conversation/retrieve"
                assert httpx.get(path, headers=headers, params=query).json()["code"] == 0
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    "option",
    [
        {"answer_seconds": -1},
        {"event_seconds": float("nan")},
        {"callback_pauses": (1, float("inf"))},
        {"device_interval": 0},
        {"workspace_limit": 0},
        {"db": " "},
    ],
    ids=lambda option: next(iter(option)),
)
def test_options_out_of_range(option):
    """An option that makes no sense is refused by its name."""
    with pytest.raises(ValueError, match=r"the file name is empty|" + next(iter(option))):
        Sandbox(**option)


def test_time_outlives_the_process(tmp_path):
    """With a file the next run begins no earlier than the last one ended, and a reset goes back to the present."""
    clock = Clock(lambda: 1_000_000_000.0)
    with Sandbox(db=tmp_path / "state.db", clock=clock) as sandbox:
        sandbox.scenario.advance(3600)
    clock.advance(60)  # which concerns no sandbox any longer
    with Sandbox(db=tmp_path / "state.db", clock=Clock(lambda: 1_000_000_000.0)) as sandbox:
        assert sandbox.clock.now() == 1_000_003_600
        sandbox.reset()
        assert sandbox.clock.now() == 1_000_000_000
    with Sandbox(db=tmp_path / "state.db", clock=Clock(lambda: 1_000_000_000.0)) as sandbox:
        assert sandbox.clock.now() == 1_000_000_000


def test_description_is_found_without_importing_the_client(monkeypatch):
    """Without a generated client the sandbox names what is missing."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"coze\.openapi\.json"):
        Sandbox()


def test_date_of_answers(api):
    """The time in the header Date is that of the sandbox's clock, so that clients can allow for it."""
    api.sandbox.clock.advance(86_400)
    dates = [api.http.get("/v1/users/me").headers.get_list("date"), api.http.get("/nowhere").headers.get_list("date")]
    for date in dates:
        assert len(date) == 1
        assert abs(parsedate_to_datetime(date[0]).timestamp() - api.sandbox.clock.now()) < 60
