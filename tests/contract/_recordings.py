"""Recorded streams: their bytes, their events, and what the client has to make of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

import attrs

from tests.contract._calls import document
from tests.contract._facts import FACTS

__all__ = ["Frame", "Recording", "recordings"]

_STREAMS = FACTS / "examples" / "streams"
_UNSEPARATED = re.compile(
    rb"(?<=[^\n])\n(?=id:)"
)  # events of one page that stand below each other without a blank line
Ending = Literal["ended", "failed", "interrupted"]


@attrs.frozen
class Frame:
    """An event of a recording.

    Attributes:
        name: Its name.
        data: Its data, as JSON if it is JSON.
        number: Its id, if it has one.
        readable: Offset from which on the event can be read: behind an object, or behind the first byte of any other
            data, which means nothing.
        complete: Offset behind the blank line after it.
    """

    name: str
    data: Any
    number: str | None
    readable: int
    complete: int


@attrs.frozen
class Recording:
    """A recorded stream.

    Attributes:
        file: Its name.
        method: The method that can receive it.
        content: Its bytes.
        names: The names of its events, as the catalog lists them.
        frames: Its events.
    """

    file: str
    method: Literal["chat.stream", "workflows.runs.stream"]
    content: bytes = attrs.field(repr=False)
    names: tuple[str, ...] = attrs.field(repr=False)
    frames: tuple[Frame, ...] = attrs.field(repr=False)

    def outcome(self, frames: Iterable[Frame]) -> tuple[list[Frame], Ending]:
        """Follow some of the events up to the one that ends the stream.

        Returns:
            The events that are delivered, and with them the one that is raised, and how it ends.
        """
        read_frames, may_end = [], False
        for frame in frames:
            event = self.event(frame.name)
            read_frames.append(frame)
            if event.get("fails"):
                return read_frames, "failed"
            if event.get("ends") == "always":
                return read_frames, "ended"
            may_end = may_end or event.get("ends") == "maybe"
        return read_frames, "ended" if may_end else "interrupted"

    def event(self, name: str) -> dict[str, Any]:
        """Return what is described of an event."""
        protocol = {"chat.stream": "ChatStream", "workflows.runs.stream": "WorkflowStream"}[self.method]
        event: dict[str, Any] = document()["components"]["x-coze-streams"][protocol]["events"][name]
        return event


@cache
def recordings() -> tuple[Recording, ...]:
    """Return all recordings of chats, chatflows and workflows."""
    listed = json.loads((_STREAMS / "index.json").read_text(encoding="utf-8"))["files"]
    return tuple(_recording(entry) for entry in listed if entry["file"].endswith(".sse"))


def _recording(entry: dict[str, Any]) -> Recording:
    file = entry["file"]
    content = _UNSEPARATED.sub(b"\n\n", (_STREAMS / file).read_bytes())
    is_run = file.startswith(("workflow_stream_run", "workflow_resume", "cozepy.workflow_run_stream"))
    names: list[str] = []
    for item in entry["events"]:
        name, _, times = item.partition(" x")
        names += [name] * int(times or 1)
    method: Literal["chat.stream", "workflows.runs.stream"] = "workflows.runs.stream" if is_run else "chat.stream"
    return Recording(file, method, content, tuple(names), tuple(_frames(content)))


def _frames(content: bytes) -> Iterable[Frame]:
    start = 0
    for block in content.split(b"\n\n"):
        lines = [line.partition(b":") for line in block.splitlines()]
        fields = {name.decode(): value.strip().decode() for name, _, value in lines}
        begin = block.find(b"data:") + len(b"data:")
        begin += len(block[begin:]) - len(block[begin:].lstrip())
        readable = start + (len(block.rstrip()) if block[begin:].startswith(b"{") else begin + 1)
        start += len(block) + 2
        if fields:
            yield Frame(fields["event"], _value(fields["data"]), fields.get("id"), readable, start)


def _value(text: str) -> Any:
    return text if text == "[DONE]" else json.loads(text)
