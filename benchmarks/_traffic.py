"""Responses of the service: the same bytes for every client, in memory and over a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

__all__ = [
    "BASE_URL", "BOT_ID", "CHAT_ID", "CONVERSATION_ID", "EVENTS", "FILE_ID", "SECTION_ID", "TEXT", "TOKEN", "USER_ID",
    "chat_chunks", "data_lines", "page", "reply", "text", "transport",
]  # fmt: skip

TOKEN = "pat_benchmark"
BASE_URL = "https://api.coze.example"
BOT_ID, CHAT_ID, CONVERSATION_ID = "7379462189365198898", "7382159487131697202", "7381473525342978089"
FILE_ID, SECTION_ID, USER_ID = "7373880675346878470", "7381473525342978089", "user_1"
EVENTS = 2000
"""Deltas of the stream; five other events go with them."""
_PIECE = 4096
_WORDS = ("今天天气", "很好、", "适合出门", "散步、", "记得带伞。", "明天", "有小雨", "转多云")


def text(deltas: int) -> str:
    """Return the joined text of so many deltas."""
    return "".join(_WORDS[number % len(_WORDS)] for number in range(deltas))


TEXT = text(EVENTS)
"""The joined text of the deltas."""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _message(number: int, content: str, **members: Any) -> dict[str, Any]:
    """Return a message with the members that deltas of hosted Coze have."""
    return {
        "id": str(7382159494123470858 + number),
        "conversation_id": CONVERSATION_ID,
        "bot_id": BOT_ID,
        "role": "assistant",
        "type": "answer",
        "content": content,
        "content_type": "text",
        "chat_id": CHAT_ID,
        "section_id": SECTION_ID,
        **members,
    }


def _chat(status: str) -> dict[str, Any]:
    return {
        "id": CHAT_ID,
        "conversation_id": CONVERSATION_ID,
        "bot_id": BOT_ID,
        "created_at": 1718792949,
        "last_error": {"code": 0, "msg": ""},
        "status": status,
        "usage": {"token_count": 633, "output_count": 19, "input_count": 614},
        "section_id": SECTION_ID,
    }


def _events(count: int = EVENTS) -> list[tuple[str, str]]:
    deltas = [_message(0, _WORDS[number % len(_WORDS)]) for number in range(count)]
    return [
        ("conversation.chat.created", _json(_chat("created"))),
        ("conversation.chat.in_progress", _json(_chat("in_progress"))),
        *(("conversation.message.delta", _json(delta)) for delta in deltas),
        ("conversation.message.completed", _json(_message(0, text(count)))),
        ("conversation.chat.completed", _json(_chat("completed"))),
        ("done", '"[DONE]"'),
    ]


def data_lines() -> list[bytes]:
    """Return the data of each event: the minimum that a JSON parser has to process."""
    return [data.encode() for _, data in _events()]


def chat_chunks(*, whole_events: bool, deltas: int = EVENTS) -> list[bytes]:
    """Return the chat stream, one event in each chunk or cut into pieces of 4 KiB."""
    blocks = [f"event:{name}\ndata:{data}\n\n".encode() for name, data in _events(deltas)]
    if whole_events:
        return blocks
    whole = b"".join(blocks)
    return [whole[start : start + _PIECE] for start in range(0, len(whole), _PIECE)]


def page(size: int = 50) -> bytes:
    """Return a page of messages. Times are numbers and strings, as in the documentation's example."""
    messages = [
        _message(
            number,
            "".join(_WORDS[(number + word) % len(_WORDS)] for word in range(12)),
            meta_data={},
            created_at=1718792949 + number if number % 2 else str(1718792949 + number),
            updated_at=str(1718792950 + number),
        )
        for number in range(size)
    ]
    ends = {"first_id": messages[0]["id"], "last_id": messages[-1]["id"]}
    return _json({"code": 0, "msg": "", "data": messages, "has_more": False, **ends}).encode()


_FILE = _json(
    {
        "code": 0,
        "msg": "",
        "data": {"id": FILE_ID, "bytes": 152236, "created_at": 1715847583, "file_name": "1120.jpeg"},
        "detail": {"logid": "20241210152726467C48D89D6DB2A1B2C3"},
    }
).encode()
_CANCELED = _json({"code": 0, "msg": "", "data": _chat("canceled")}).encode()
_ANSWERS = {"/v1/conversation/message/list": page(), "/v1/files/retrieve": _FILE, "/v3/chat/cancel": _CANCELED}


def reply(path: str) -> bytes:
    """Return the JSON that answers a request to *path*."""
    return _ANSWERS[path]


class _Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def transport(chunks: list[bytes] | None = None) -> httpx.MockTransport:
    """Return a transport that responds from memory: the chat stream with *chunks*, everything else with its JSON."""

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json", "x-tt-logid": "20241210152726467C48D89D6DB2A1B2C3"}
        if request.url.path == "/v3/chat":
            headers["content-type"] = "text/event-stream"
            return httpx.Response(200, headers=headers, stream=_Chunks(chunks or []))
        return httpx.Response(200, headers=headers, content=reply(request.url.path))

    return httpx.MockTransport(answer)
