"""Streams that recordings are of: how they start, and what is not an end of them."""

from __future__ import annotations

from typing import Any

from tests.contract._recordings import Recording

__all__ = ["start", "waits"]

_ARGUMENTS: dict[str, dict[str, Any]] = {
    "chat.stream": {"bot_id": "1", "user_id": "u", "additional_messages": ["Hello"]},
    "workflows.runs.stream": {"workflow_id": "1"},
}


def start(coze: Any, recording: Recording) -> Any:
    """Call the method that a recording is of."""
    resource = coze.chat if recording.method == "chat.stream" else coze.workflows.runs
    return resource.stream(**_ARGUMENTS[recording.method])


def waits(stream: Any) -> bool:
    """Return whether a run of a workflow waits for an answer, which is not an end of it though the stream is over."""
    return getattr(stream, "interrupt", None) is not None
