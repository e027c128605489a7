"""The help desk, tested against the sandbox: no token, no network, no waiting."""

from __future__ import annotations

import pytest

from coze_sandbox import Sandbox, Scenario
from cozekit.errors import APIError

from .helpdesk import BUSY, HelpDesk


def test_bot_answers(desk: HelpDesk, coze_scenario: Scenario) -> None:
    """The user gets the bot's answer, and the bot gets the user's message."""
    coze_scenario.reply(["Turn it ", "off and on."])
    assert desk.answer("user-1", "  My router blinks. ") == "Turn it off and on."
    body = coze_scenario.last("chat.create").body
    assert body["user_id"] == "user-1"
    assert body["additional_messages"][0]["content"] == "My router blinks."


def test_bot_that_fails(desk: HelpDesk, coze_scenario: Scenario) -> None:
    """If the chat fails, people take over."""
    coze_scenario.reply(code=4011, msg="no tokens left")
    assert desk.answer("user-1", "Hello?") == BUSY


def test_busy_for_a_moment(desk: HelpDesk, coze_scenario: Scenario) -> None:
    """The user does not notice a temporary rate limit."""
    coze_scenario.fail("chat.create", code=4013, times=2)
    coze_scenario.reply("Here I am.")
    assert desk.answer("user-1", "Hello?") == "Here I am."
    assert len(coze_scenario.requests("chat.create")) == 3


def test_busy_for_long(desk: HelpDesk, coze_scenario: Scenario) -> None:
    """During a permanent rate limit the user gets a promise."""
    coze_scenario.fail("chat.create", code=4013, times=None)
    assert desk.answer("user-1", "Hello?") == BUSY


def test_broken_connection(desk: HelpDesk, coze_sandbox: Sandbox) -> None:
    """An interrupted stream raises no error for the user."""
    coze_sandbox.faults.add("cut", "chat.create", events=3)
    assert desk.answer("user-1", "Hello?") == BUSY


def test_urgency(desk: HelpDesk, coze_scenario: Scenario) -> None:
    """The urgency is the output of the workflow."""
    coze_scenario.workflow(desk.triage_id, {"urgency": 7})
    assert desk.urgency("Everything burns") == 7
    assert coze_scenario.last("workflows.runs.create").body["parameters"] == {"question": "Everything burns"}


def test_urgency_unknown(desk: HelpDesk, coze_scenario: Scenario) -> None:
    """A failed workflow raises an error with its code."""
    coze_scenario.workflow(desk.triage_id, code=6006, msg="a code node ran too long")
    with pytest.raises(APIError) as caught:
        desk.urgency("Everything burns")
    assert caught.value.code == 6006
