"""What no client should send, and what must not bring the sandbox down."""

from __future__ import annotations

import gc
from pathlib import Path

import httpx
import pytest

from coze_sandbox import Sandbox


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("faults", b"[" * 100_000, "body: not JSON"),
        ("faults", b'"x"', "the body must be a JSON object"),
        ("faults", b'{"kind": "delay", "seconds": NaN}', "NaN is not JSON"),
        ("faults", b'{"kind": "delay", "seconds": -1}', "seconds must be 0 or more"),
        ("faults", b'{"kind": "code", "code": "4101"}', "code must be a whole number"),
        ("faults", b'{"kind": "cut", "times": 1.5}', "times must be a whole number"),
        ("faults", b'{"kind": "code", "msg": "\\ud800"}', "body: not JSON"),
        ("clock", b'{"advance": 1e300}', "until the year 9999"),
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
def test_control_endpoints(api, name, body, told):
    """What a control endpoint cannot understand is refused at once, with what is wrong, and changes nothing."""
    answer = api.http.post(f"/_sandbox/{name}", content=body)
    assert answer.status_code == 400
    assert told in answer.json()["error"]
    assert not api.sandbox.scenario.waiting
    assert not len(api.sandbox.faults)
    assert api.ok("GET", "/v1/users/me")


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
    """All answers tell the time of the sandbox's clock, once."""
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
