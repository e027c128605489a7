"""What no client should send, and what must not bring the sandbox down."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import httpx
import pytest

from coze_sandbox import WORKFLOW_ECHO, Sandbox
from tests.sandbox.websockets._connection import CHAT, talk

NESTED = b'{"a":[' * 1_500 + b"1" + b"]}" * 1_500
TWO_HUNDRED = b"[" * 200 + b"1" + b"]" * 200  # which every version of Python would parse


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("faults", b"[" * 100_000, "body: nested more than 100 deep"),
        ("answers", b'{"operation": "users.me", "answer": ' + NESTED + b"}", "body: nested more than 100 deep"),
        ("faults", b'"x"', "the body must be a JSON object"),
        ("faults", b'{"kind": "delay", "seconds": NaN}', "NaN is not JSON"),
        ("faults", b'{"kind": "delay", "seconds": -1}', "seconds must be 0 or more"),
        ("faults", b'{"kind": "code", "code": "4101"}', "code must be an integer"),
        ("faults", b'{"kind": "cut", "times": 1.5}', "times must be an integer"),
        ("faults", b'{"kind": "code", "msg": "\\ud800"}', "body: not JSON"),
        ("clock", b'{"advance": 1e300}', "beyond the year 9999"),
        ("clock", b"{}", "advance is missing"),
        ("replies", b'{"text": 5}', "text must be"),
        ("replies", b'{"text": ["a", 5]}', "text must be"),
        ("replies", b'{"text": "a", "to": 5}', "to must be"),
        ("replies", b'{"text": "a", "tool_calls": "abc"}', "tool_calls must be"),
        ("replies", b'{"text": "a", "seconds": "x"}', "seconds must be"),
        ("replies", b'{"text": "a", "seconds": -1}', "seconds must be 0 or more"),
        ("replies", b'{"text": "a", "code": "x"}', "code must be"),
        ("workflows", b'{"workflow_id": "5", "seconds": -0.1}', "seconds must be 0 or more"),
        ("workflows", b'{"workflow_id": 5}', "workflow_id must be"),
        ("workflows", b'{"workflow_id": "5", "messages": [5]}', "messages must be"),
        ("bots", b'{"bot_id": 5}', "bot_id must be"),
    ],
)
def test_control_endpoints(api, name, body, expected):
    """What a control endpoint cannot understand is refused at once, with what is wrong, and changes nothing."""
    answer = api.http.post(f"/_sandbox/{name}", content=body)
    assert answer.status_code == 400
    assert expected in answer.json()["error"]
    assert not api.sandbox.scenario.waiting
    assert not len(api.sandbox.faults)
    assert api.ok("GET", "/v1/users/me")


@pytest.mark.parametrize("nested", [NESTED, TWO_HUNDRED], ids=["3,000", "200"])
def test_bodies_nested_deeply(api, nested):
    """A body that is nested deeply is refused like any that is not as described, whether or not Python could parse it."""
    headers = {"Content-Type": "application/json"}
    for body in (nested, b'{"meta_data": ' + nested + b"}"):
        answer = api.send("POST", "/v1/conversation/create", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, 4000)
        assert answer.json()["msg"] == "body: nested more than 100 deep"
    body = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": nested.decode()}}
    assert json.loads(api.send("POST", "/v1/workflow/run", json=body).json()["data"]) == {"output": nested.decode()}
    message = {"role": "user", "content": nested.decode(), "content_type": "object_string"}
    body = {**api.chat(""), "additional_messages": [message]}
    assert api.refused("POST", "/v3/chat", json=body) == (400, 4000)
    assert api.stream(f"/tool get_weather {nested.decode()}")[-1] == ("done", "[DONE]")
    assert not [record for record in api.sandbox.requests if record.verdict == "failed"]
    assert httpx.get(f"{api.sandbox.base_url}/_sandbox/requests").status_code == 200


@pytest.mark.parametrize("nested", [NESTED, TWO_HUNDRED], ids=["3,000", "200"])
def test_fields_of_forms_nested_deeply(api, nested):
    """JSON in a field of a form is held to the same, and stays what it is as a text."""
    fields = {"metadata": nested, "name": nested}
    files = {"file": ("a.png", b"x", "image/png")}
    for path in ("/v1/audio/voices/clone", "/v1/files/upload"):
        answer = api.send("POST", path, data=fields, files=files)
        assert answer.json()["code"] in {0, 4000}
    assert not [record for record in api.sandbox.requests if record.verdict == "failed"]


@pytest.mark.parametrize("nested", [NESTED, TWO_HUNDRED], ids=["3,000", "200"])
def test_messages_nested_deeply(coze_sandbox, nested):
    """A message over a WebSocket that is nested deeply is refused with an error, and the connection stays."""
    with talk(coze_sandbox, CHAT) as client:
        for text in (nested.decode(), f'{{"event_type": "chat.update", "data": {nested.decode()}}}'):
            client.connection.send(text)
            assert client.refusal() == (4000, "message: nested more than 100 deep")
        client.send_text("Hi")
        client.until("conversation.chat.completed")


def test_depth_that_is_allowed(api):
    """A hundred levels are taken, and brackets in texts are none."""
    deep = "[" * 98 + "]" * 98
    for value in (json.loads(deep), "[{" * 5_000):
        body = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "x", "other": value}}
        assert api.send("POST", "/v1/workflow/run", json=body).json()["code"] == 0
    body["parameters"]["other"] = [json.loads(deep)]
    assert api.refused("POST", "/v1/workflow/run", json=body) == (400, 4000)


def test_bodies_without_end(api):
    """A body without a documented limit is refused beyond 32 MiB, one of a control endpoint too, and forms beyond less."""
    chunks = lambda: (b" " * (1 << 20) for _ in range(33))  # noqa: E731 - a generator works once
    headers = {"Content-Type": "application/json"}
    answer = api.send("POST", "/v1/conversation/create", content=chunks(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, 4000)
    assert answer.json()["msg"] == "body: more than 33554432 bytes"
    assert api.http.post("/_sandbox/faults", content=chunks()).status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert api.http.post("/oauth/consent", content=chunks(), headers=form).status_code == 400


def test_forms_with_too_many_fields(api):
    """A form with more fields than any operation has is refused."""
    fields = {f"f{number}": "x" for number in range(101)}
    assert api.refused("POST", "/v1/files/upload", data=fields, files={"file": b"x"}) == (400, 4000)


def test_origins_that_are_no_addresses(api):
    """An origin that cannot be read is one from elsewhere."""
    headers = {"Origin": "http://[::1"}
    assert api.http.get("/_sandbox/", headers=headers).status_code == 403
    assert api.http.post("/oauth/consent", data={"key": "1"}, headers=headers).status_code == 403


def test_forms_that_are_none(api):
    """What cannot be read as the form of the consent page is refused."""
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = api.http.post("/oauth/consent", content=b"garbage", headers={"Content-Type": kind})
        assert (answer.status_code, "This is not the form" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "path", ["/", "/_sandbox/", "/_sandbox/page/main.js", "/oauth/consent", "/device", "/v1/users/me"]
)
def test_dates(api, path):
    """All responses have the time of the sandbox's clock, once."""
    api.sandbox.clock.advance(1_000_000_000)
    [date] = api.http.get(path).headers.get_list("date")
    assert date.split()[3] == "20" + str(api.sandbox.clock.seconds() // 31_556_952 - 30)


def test_starts_that_fail_leave_nothing_open(coze_sandbox, tmp_path):
    """A sandbox that cannot listen closes its state and removes its certificates."""
    port = httpx.URL(coze_sandbox.base_url).port
    sandbox = Sandbox(port=port, tls=True, db=str(tmp_path / "state.db"))
    with pytest.raises(OSError, match="in use"), sandbox:
        pass
    assert not (tmp_path / "state.db-wal").exists()  # which is there as long as the file is open
    with pytest.raises(FileNotFoundError):
        Path(sandbox.ca_file).stat()
    gc.collect()
