"""The sandbox's sessions beside recorded ones: the same client messages are answered in the same order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract._facts import FACTS, skip_without_samples
from tests.sandbox.websockets._connection import CHAT, SPEECH, TRANSCRIPTIONS, talk

skip_without_samples()
STREAMS = FACTS / "examples" / "streams"
SESSIONS = {
    "coze-go.websocket_speech.ndjson": SPEECH,
    "coze-go.websocket_transcriptions.ndjson": TRANSCRIPTIONS,
    "coze-go.websocket_chat.ndjson": CHAT,
    "coze-go.websocket_chat_generate_audio.ndjson": CHAT,
}


def recorded(file: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the client and what the server sent."""
    lines = [json.loads(line) for line in (STREAMS / file).read_text(encoding="utf-8").splitlines()]
    client, server = ([line["frame"] for line in lines if line["from"] == side] for side in ("client", "server"))
    return client, server


def labels(frames: list[dict[str, Any]]) -> list[str]:
    """Return the event types, those of whole messages with the type of the message."""
    result = []
    for frame in frames:
        event, data = frame["event_type"], frame.get("data") or {}
        result.append(f"{event} {data['type']}" if event == "conversation.message.completed" else event)
    return result


def order(names: list[str]) -> tuple[list[str], list[str]]:
    """Return the names in the order in which each comes first, and in which each comes last."""
    return list(dict.fromkeys(names)), list(dict.fromkeys(reversed(names)))[::-1]


def members(frames: list[dict[str, Any]]) -> dict[str, set[tuple[str, ...]]]:
    """Return by label which members the frames have, their data and their detail included."""
    paths: dict[str, set[tuple[str, ...]]] = {}
    for frame, label in zip(frames, labels(frames), strict=True):
        inner = [f"{name}.{member}" for name in ("data", "detail") for member in sorted(frame.get(name) or {})]
        paths.setdefault(label, set()).add((*frame, *inner))
    return paths


@pytest.mark.parametrize("file", SESSIONS)
def test_session(coze_sandbox, file):
    """What the recorded client sent is answered with the same kinds of messages, in the same order, of the same shape."""
    sent, expected = recorded(file)
    with talk(coze_sandbox, SESSIONS[file]) as client:
        for frame in sent:
            if frame["event_type"] == "conversation.message.create":
                answers = [
                    frame["data"] for frame in expected if frame["event_type"] == "conversation.message.completed"
                ]
                # The bot of the sandbox repeats the recorded answer.
                frame["data"]["content"] = f"/say {answers[1]['content']}"
            client.connection.send(json.dumps(frame))
        received = client.until(expected[-1]["event_type"])
    assert order(labels(received)) == order(labels(expected))
    assert members(received) == members(expected)


def test_recorded_text_is_answered_whole(coze_sandbox):
    """The recorded answer comes in as few sentences, and as the same text."""
    _, expected = recorded("coze-go.websocket_chat.ndjson")
    texts = [frame["data"]["content"] for frame in expected if frame["event_type"] == "conversation.message.completed"]
    with talk(coze_sandbox, CHAT) as client:
        client.send_text(f"/say {texts[1]}")
        received = client.until("conversation.chat.completed")
    answer = [frame["data"]["content"] for frame in received if frame["event_type"] == "conversation.message.delta"]
    assert "".join(answer) == texts[1].strip()
