"""The check of a real service calls only operations that read, changes nothing, and reports drift."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coze_sandbox import BOT_ID, WORKSPACE_ID, Sandbox
from coze_sandbox._handlers import HANDLERS
from cozekit import Coze
from tests.contract._calls import calls
from tests.live._report import look
from tests.live._selection import questions

ROOT = Path(__file__).resolve().parents[2]
IDEMPOTENT = {call.id for call in calls() if call.described.get("x-coze-idempotent")}


@pytest.fixture
def service() -> Iterator[Sandbox]:
    """Run a sandbox that does not check its responses, with a resource of every kind, in place of the real service."""
    with Sandbox(check_answers=False) as sandbox:
        fill(Coze(sandbox.token, base_url=sandbox.base_url))
        sandbox.requests.clear()
        yield sandbox


def fill(coze: Coze) -> None:
    """Create resources whose ids other operations take."""
    with coze:
        coze.conversations.create(bot_id=BOT_ID, messages=["Hello"])
        coze.datasets.create(name="facts", space_id=WORKSPACE_ID, format_type=0)
        group = coze.audio.voiceprint_groups.create(name="family").id
        coze.audio.voiceprint_groups.features.create(group_id=group, file=("a.wav", b"RIFF"), name="voice")
        coze.api_apps.create(app_type="normal", name="hooks")


def altered(monkeypatch: pytest.MonkeyPatch, operation: str, alter: Callable[[Any], object]) -> None:
    """Change the responses of an operation, so that they differ from the description."""
    handler = HANDLERS[operation]

    def handle(call: Any) -> Any:
        result = handler(call)
        alter(result)
        return result

    monkeypatch.setitem(HANDLERS, operation, handle)


def test_only_reading_operations_are_called() -> None:
    """The live check calls GET operations, and of others those alone that may be repeated."""
    by_post = {question.call.id for question in questions() if question.call.verb != "GET"}
    assert by_post
    assert by_post <= IDEMPOTENT


def test_service_that_matches_has_no_drift(service: Sandbox) -> None:
    """A service that matches has no drift, nothing in it changes, and most operations get ids from other responses."""
    changes = service.store.changes
    report = look(service.base_url, service.token, pause=0)
    assert service.store.changes == changes
    assert report.drift == {}
    assert {"bots.list", "bots.retrieve", "workspaces.members.list", "folders.retrieve"} <= set(report.answered)
    assert len(report.answered) > len(report.skipped)
    assert "No drift" in str(report)
    assert {request.method for request in service.requests} == {"GET", "POST"}


@pytest.mark.parametrize(
    ("operation", "alter", "difference"),
    [
        (
            "bots.list",
            lambda response: response["data"]["items"][0].update(colour="red"),
            "data.items[0].colour is not described",
        ),
        (
            "workspaces.list",
            lambda response: response["data"]["workspaces"][0].update(role_type="king"),
            '"king" is not one of',
        ),
        (
            "workspaces.list",
            lambda response: response["data"]["workspaces"][0].pop("id"),
            '"id" is a required property',
        ),
        ("users.me", lambda response: response["data"].update(user_id=7), '7 is not of type "string"'),
        ("bots.retrieve", lambda response: response["data"].pop("bot_id"), '"bot_id" is a required property'),
    ],
)
def test_report_names_operation_and_place_of_drift(
    operation: str, alter: Callable[[Any], object], difference: str, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live report names operation and place of an unknown member or value, a missing member and another type."""
    altered(monkeypatch, operation, alter)
    report = look(service.base_url, service.token, pause=0)
    assert report.drift.keys() == {operation}
    assert difference in "\n".join(report.drift[operation])
    assert operation in str(report)


def test_refusals_are_no_drift(service: Sandbox) -> None:
    """Refusals of an invalid token have documented codes, and are reported as refusals, not as drift."""
    report = look(service.base_url, "pat_unknown", pause=0)
    assert (report.drift, report.answered) == ({}, [])
    assert report.refused["users.me"].startswith("4100 ")


def test_unknown_code_is_drift(service: Sandbox) -> None:
    """An error code that is not in the error table is drift."""
    service.faults.add("code", "users.me", code=123456789, msg="news")
    report = look(service.base_url, service.token, pause=0)
    assert "123456789" in report.drift["users.me"][0]


@pytest.mark.parametrize("drifts", [False, True])
def test_command_exits_with_1_on_drift(drifts: bool, service: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m tests.live` prints the report, and exits with 1 on drift, else with 0."""
    if drifts:
        altered(monkeypatch, "users.me", lambda response: response["data"].update(colour="red"))
    more = {"COZE_API_TOKEN": service.token, "COZE_API_BASE": service.base_url, "COZEKIT_LIVE_PAUSE": "0"}
    done = run(more)
    assert done.returncode == (1 if drifts else 0), done.stdout + done.stderr
    assert ("users.me\n    - data.colour is not described" in done.stdout) is drifts
    assert service.token not in done.stdout


def test_command_without_token_exits_with_2() -> None:
    """Without a token, `python -m tests.live` names the variable to set and exits with 2."""
    done = run({"COZE_API_TOKEN": ""})
    assert (done.returncode, "COZE_API_TOKEN" in done.stdout) == (2, True)


def run(more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "tests.live"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, timeout=120)
