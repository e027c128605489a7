"""Sessions over WebSockets with random messages, right and wrong ones, held against the scripts without a server."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coze_sandbox import BOT_ID, Sandbox
from coze_sandbox._common.errors import CallError
from coze_sandbox._http.context import Call
from coze_sandbox._websockets.frames import Frames
from coze_sandbox._websockets.protocols import PROTOCOLS

DETAIL = {"logid": "1"}
# How many messages the client takes before it continues: few, so that it interrupts, or nearly all.
RECEIVED_COUNTS = st.one_of(st.integers(0, 8), st.just(3000))

SOUNDS = st.one_of(st.binary(max_size=3000), st.text(max_size=20).map(str.encode), st.just(b"\x7f\x20" * 1500))
TEXTS = {
    "delta": SOUNDS.map(lambda sound: base64.b64encode(sound).decode()),
    "content": st.sampled_from(["Hi", "/think a. b!", "/tool now {}", "/fail 5000", "/error 1", "/slow 9 x", "[]", ""]),
    "text": st.text(max_size=30),
    "voice_id": st.sampled_from(["7300000000000000400", "9"]),
    "conversation_id": st.sampled_from(["", "9"]),
}
WRONG = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({}))


def values(sandbox: Sandbox, schema: Mapping[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Return a strategy for what a schema allows, and now and then for something else."""
    schema, _ = sandbox.description.follow(schema, "")
    right = allowed(sandbox, schema, name)
    return st.integers(0, 29).flatmap(lambda number: WRONG if number == 29 else right)


def allowed(sandbox: Sandbox, schema: Mapping[str, Any], name: str) -> st.SearchStrategy[Any]:
    """Return a strategy for what a schema allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "properties" in schema:
        members = {key: values(sandbox, member, key) for key, member in schema["properties"].items()}
        required = schema.get("required", ())
        return st.fixed_dictionaries(
            {key: member for key, member in members.items() if key in required},
            optional={key: member for key, member in members.items() if key not in required},
        )
    match schema.get("type"):
        case "integer":
            return st.integers(schema.get("minimum", -3), schema.get("maximum", 50_000))
        case "number":
            return st.floats(schema.get("minimum", -3), schema.get("maximum", 50), allow_nan=False)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(values(sandbox, schema["items"]), max_size=3)
        case "object":
            return st.dictionaries(st.sampled_from(["latitude", "a"]), st.text(max_size=5), max_size=2)
    return TEXTS.get(name, st.text(max_size=8))


def messages(sandbox: Sandbox, operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for frames of one WebSocket."""
    socket = sandbox.description.operations[operation].socket
    assert socket is not None
    kinds = [
        st.fixed_dictionaries({"event_type": st.just(event), "data": values(sandbox, message.schema)})
        if message.schema
        else st.just({"event_type": event})
        for event, message in socket.uplink.items()
    ]
    return st.one_of(*kinds)


@pytest.mark.parametrize("operation", PROTOCOLS)
def test_random_sessions(coze_sandbox, operation):
    """Whatever is sent is refused, or answered by messages as described; nothing makes a script fail."""
    state, description = coze_sandbox._state, coze_sandbox.description
    described = description.operations[operation]
    answers = coze_sandbox._dispatcher.responses

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(messages(coze_sandbox, operation), RECEIVED_COUNTS), max_size=12))
    def session(sent: list[tuple[dict[str, Any], int]]) -> None:
        call = Call(described, state, {}, {"bot_id": BOT_ID}, {}, {}, "7300000000000000001")
        frames = Frames(description, coze_sandbox._dispatcher.schemas, described, lenient=True)
        script = PROTOCOLS[operation](call, description)
        now = 0.0
        for frame, received in sent:
            try:
                uplink = frames.check(frames.parse(json.dumps(frame)), lambda _: None)
                with state.store.transaction():
                    script.on_message(uplink.event, uplink.data)
            except CallError as failure:
                script.send("error", {"code": failure.code, "msg": failure.msg})
            for _ in range(received):
                beat, wait = script.next(now)
                now += wait or 0.0
                if beat is None and wait is None:
                    break
                if beat is None or (beat.event == "error" and "error" not in described.socket.downlink):
                    continue
                out = {"event_type": beat.event, "data": beat.data, "detail": DETAIL}
                assert answers.check_message(described, out) is None, out
        script.close()

    session()
