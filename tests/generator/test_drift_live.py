"""The live service as a source of drift: only reads are sent, secrets are not recorded, and differences are reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coze_sandbox import BOT_ID, WORKSPACE_ID, Sandbox
from coze_sandbox._handlers import HANDLERS
from cozekit import Coze
from generator import __main__ as command
from generator.drift.live_service import _redacted_body, reading_operations
from generator.spec.bundler import bundle
from tests.contract._calls import calls

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "openapi" / "coze.yaml"
# By their names; the source itself selects by the description's pagination.
READS_BY_POST = {call.id for call in calls() if call.verb == "POST" and call.id.rpartition(".")[2] in ("list", "query")}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Run a sandbox that does not check its responses, with a resource of every kind, in place of the real service."""
    with Sandbox(check_answers=False) as sandbox:
        with Coze(sandbox.token, base_url=sandbox.base_url) as coze:
            coze.conversations.create(bot_id=BOT_ID, messages=["Hello"])
            coze.datasets.create(name="facts", space_id=WORKSPACE_ID, format_type=0)
            group = coze.audio.voiceprint_groups.create(name="family").id
            coze.audio.voiceprint_groups.features.create(group_id=group, file=("a.wav", b"RIFF"), name="voice")
            coze.api_apps.create(app_type="normal", name="hooks")
        sandbox.requests.clear()
        monkeypatch.setenv("COZE_API_TOKEN", sandbox.token)
        monkeypatch.setenv("COZE_API_BASE", sandbox.base_url)
        yield sandbox


def drift(capsys: pytest.CaptureFixture[str], source: str, *options: str) -> tuple[int, set[tuple[str, str]], str]:
    """Run the command, and return its exit status, pointers with texts of the report, and what it wrote to stderr."""
    status = command.main(["--index", str(INDEX), "drift", source, "--format", "json", "--pause", "0", *options])
    captured = capsys.readouterr()
    report = json.loads(captured.out or "[]")
    return status, {(entry["pointer"], entry["text"]) for entry in report}, captured.err


def altered(monkeypatch: pytest.MonkeyPatch, operation: str, alter: Callable[[Any], object]) -> None:
    """Change the responses of an operation, so that they differ from the description."""
    handler = HANDLERS[operation]

    def handle(call: Any) -> Any:
        result = handler(call)
        alter(result)
        return result

    monkeypatch.setitem(HANDLERS, operation, handle)


def renamed(item: dict[str, Any], old: str, new: str) -> None:
    item[new] = item.pop(old)


def test_only_operations_that_read_are_called() -> None:
    """GET operations and those that list or query by POST are called, and no others."""
    found = reading_operations(bundle(INDEX))
    assert {operation.name for operation in found if operation.method != "get"} == READS_BY_POST
    assert len(found) > 30


def test_service_that_matches_has_no_drift(service: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A service that matches the description has no drift, and most operations get ids from other responses."""
    status, found, summary = drift(capsys, "live")
    assert (status, found) == (0, set())
    succeeded = {request.operation for request in service.requests if request.status == 200}
    assert {"bots.list", "bots.retrieve", "workspaces.members.list", "folders.retrieve"} <= succeeded
    assert len(succeeded) > 20
    assert "Not called, since these arguments are unknown:\n  audio.live.retrieve: live_id" in summary
    assert {request.method for request in service.requests} == {"GET", "POST"}
    assert {request.operation for request in service.requests if request.method == "POST"} <= READS_BY_POST


PLANTED = [
    pytest.param(
        "bots.list",
        lambda body: body["data"]["items"][0].update(colour="red"),
        {("bots.list response.data.items[].colour", "is not described")},
        id="new member",
    ),
    pytest.param(
        "workspaces.list",
        lambda body: body["data"]["workspaces"][0].update(role_type="king"),
        {("workspaces.list response.data.workspaces[].role_type", "has values that are not described: king")},
        id="new value",
    ),
    pytest.param(
        "workspaces.list",
        lambda body: body["data"]["workspaces"][0].pop("id"),
        {("workspaces.list response.data.workspaces[].id", "is required, but the source lacks it")},
        id="removed member",
    ),
    pytest.param(
        "bots.retrieve",
        lambda body: renamed(body["data"], "bot_id", "agent_id"),
        {
            ("bots.retrieve response.data.bot_id", "is required, but the source lacks it"),
            ("bots.retrieve response.data.agent_id", "is not described"),
        },
        id="renamed member",
    ),
    pytest.param(
        "users.me",
        lambda body: body["data"].update(user_id=7),
        {("users.me response.data.user_id", "has the type integer; described is string")},
        id="other type",
    ),
]


@pytest.mark.parametrize(("operation", "alter", "expected"), PLANTED)
def test_difference_is_reported_live_and_from_the_recording(
    operation: str,
    alter: Callable[[Any], object],
    expected: set[tuple[str, str]],
    service: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A difference is reported with operation and member, and the HAR file that was recorded gives the same report."""
    altered(monkeypatch, operation, alter)
    har = tmp_path / "live.har"
    assert drift(capsys, "live", "--har", str(har))[:2] == (1, expected)
    assert drift(capsys, str(har))[:2] == (1, expected)


def test_unknown_error_code_is_drift(service: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An error code that is not in the error table is drift."""
    service.faults.add("code", "users.me", code=123456789, msg="news")
    assert drift(capsys, "live")[1] == {("users.me response.code", "has values that are not described: 123456789")}


def test_recording_holds_no_secrets(
    service: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the token nor secrets of responses are in the recording, which only its owner can read."""
    altered(monkeypatch, "users.me", lambda body: body["data"].update(nick_name=f"my {service.token}", api_key="k3y"))
    har = tmp_path / "live.har"
    _, found, _ = drift(capsys, "live", "--har", str(har))
    text = har.read_text(encoding="utf-8")
    assert found == {("users.me response.data.api_key", "is not described")}
    assert service.token not in text
    assert "k3y" not in text
    assert har.stat().st_mode & 0o077 == 0
    log = json.loads(text)["log"]
    assert (log["version"], len(log["entries"])) == ("1.2", len(service.requests))
    headers = {header["name"].lower(): header["value"] for header in log["entries"][0]["request"]["headers"]}
    assert headers["authorization"] == "…"


def test_redaction_keeps_long_and_ordinary_texts() -> None:
    """Texts without secrets stay whole at any length; those under names of secrets, and quoted tokens, do not."""
    body = {"text": "x" * 50_000, "page_token": "next", "client_secret": "s", "items": [{"password": "p", "count": 3}]}
    assert json.loads(_redacted_body(json.dumps(body), "token")) == {
        **body,
        "client_secret": "…",
        "items": [{"password": "…", "count": 3}],
    }
    assert "abcdefgh" not in _redacted_body("Bearer abcdefghijkl is no JSON", "token")


def test_operation_that_the_token_may_not_call_is_no_drift(
    service: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operation that the token may not call is listed with status, code and the permission that it needs."""
    service.faults.add("code", "bots.list", code=4101, msg="no permission", status=403)
    status, found, summary = drift(capsys, "live")
    assert (status, found) == (0, set())
    assert "  bots.list: HTTP status 403, code 4101: no permission (needs the permission " in summary


def test_rejected_token_is_a_failure_of_the_command(
    service: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the service rejects the token, the exit status is 2 and the message names the variable, not the token."""
    monkeypatch.setenv("COZE_API_TOKEN", "pat_unknown")
    status, _, message = drift(capsys, "live")
    assert status == 2
    assert "no operation succeeded; check COZE_API_TOKEN" in message
    assert "HTTP status 401, code 4100" in message
    assert "pat_unknown" not in message


def test_missing_token_and_unreachable_service_are_failures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a token, or where nothing can be reached, the exit status is 2 and the message gives the reason."""
    monkeypatch.setenv("COZE_API_TOKEN", "")
    status, _, message = drift(capsys, "live")
    assert (status, "set COZE_API_TOKEN" in message) == (2, True)
    monkeypatch.setenv("COZE_API_TOKEN", "pat_unknown")
    status, _, message = drift(capsys, "live", "--base-url", "http://127.0.0.1:1")
    assert (status, "cannot be read: ConnectError" in message) == (2, True)
