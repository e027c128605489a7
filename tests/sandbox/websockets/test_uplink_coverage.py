"""Every message that a client may send, by the description, has an effect in the sandbox, and gets its responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from coze_sandbox import BOT_ID, Options, Sandbox
from coze_sandbox._common.errors import CallError
from coze_sandbox._http.context import Call
from coze_sandbox._spec.spec import load_spec
from coze_sandbox._websockets.protocols import PROTOCOLS

SOCKETS = {name: load_spec(Options()).operations[name].socket for name in PROTOCOLS}
UPLINKS = [(name, event) for name, socket in SOCKETS.items() if socket is not None for event in socket.uplink]
MOST_RESPONSES = 30


def sample(sandbox: Sandbox, schema: Mapping[str, Any], *, complete: bool) -> Any:
    """Return a value of a schema: with all members that have an example, or with the required ones only."""
    schema, _ = sandbox.description.follow(schema, "")
    if "properties" in schema:
        names = schema["properties"] if complete else schema.get("required", ())
        return {name: sample(sandbox, schema["properties"][name], complete=complete) for name in names}
    if schema.get("type") == "array" and "examples" not in schema:
        return [sample(sandbox, schema["items"], complete=complete)]
    return (schema.get("examples") or schema.get("enum") or [True])[0]


def responses(sandbox: Sandbox, operation: str, events: Sequence[str], *, complete: bool) -> list[str]:
    """Send messages at once in a new session, and return the types of what follows."""
    described = sandbox.description.operations[operation]
    assert described.socket is not None
    call = Call(described, sandbox._state, {}, {"bot_id": BOT_ID}, {}, {}, "7300000000000000001")
    handler = PROTOCOLS[operation](call, sandbox.description)
    for event in events:
        try:
            with sandbox._state.store.transaction():
                handler.on_message(
                    event, sample(sandbox, described.socket.uplink[event].schema, complete=complete) or {}
                )
        except CallError:
            handler.send("error")
    received: list[str] = []
    now = 0.0
    while len(received) < MOST_RESPONSES:
        message, wait = handler.next(now)
        if message is None and wait is None:
            break
        now += wait or 0.0
        received += [message.event] if message else []
    handler.close()
    return received


def effects(sandbox: Sandbox, operation: str, event: str) -> Iterator[list[str]]:
    """Yield what sessions with the message receive where they receive something else without it."""
    socket = SOCKETS[operation]
    assert socket is not None
    for other in ((), *((name,) for name in socket.uplink if name != event)):
        for complete in (False, True):
            without = responses(sandbox, operation, other, complete=complete)
            for events in ((*other, event), (event, *other)):
                received = responses(sandbox, operation, events, complete=complete)
                if received != without:
                    yield received


@pytest.mark.parametrize(("operation", "event"), UPLINKS)
def test_uplink_message_has_an_effect_and_its_responses(coze_sandbox, operation, event):
    """A described uplink message changes what a session receives, which then has all responses of the description."""
    effects_found = list(effects(coze_sandbox, operation, event))
    assert effects_found, f"the sandbox ignores {event}"
    description = coze_sandbox.description
    opened = description.document["paths"][description.operations[operation].path]["get"]
    protocol, _ = description.follow(opened["x-coze-websocket"]["protocol"], "")
    expected = {*protocol["uplink"]["messages"][event].get("answers", ())} - {"error"}
    assert expected <= {name for received in effects_found for name in received}


def test_ignored_uplink_message_is_found(coze_sandbox, monkeypatch):
    """A message that a handler does not handle has no effect in any session."""
    handler = PROTOCOLS["websockets.audio.speech"]
    on_message = handler.on_message
    monkeypatch.setattr(
        handler,
        "on_message",
        lambda self, event, data: event == "input_text_buffer.complete" or on_message(self, event, data),
    )
    assert not list(effects(coze_sandbox, "websockets.audio.speech", "input_text_buffer.complete"))
    assert list(effects(coze_sandbox, "websockets.audio.speech", "speech.update"))
