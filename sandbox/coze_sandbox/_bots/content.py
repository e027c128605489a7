"""Content of messages: text and attachments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._common.json_body import parse_json
from .._state.state import SandboxState

__all__ = ["UserInput", "parse_content"]

_KINDS = ("text", "file", "image", "audio")


@attrs.frozen
class UserInput:
    """The content of a message.

    Attributes:
        text: The text.
        images: Number of images.
        files: Number of files.
        audio: Number of audio files.
    """

    text: str = ""
    images: int = 0
    files: int = 0
    audio: int = 0


def parse_content(state: SandboxState, content: str, content_type: str, where: str) -> UserInput:
    """Parse and validate the content of a message.

    Args:
        state: The state, which has the uploaded files.
        content: The content as sent.
        content_type: `text` or `object_string`.
        where: Name of the content in errors, such as `body.content`.

    Raises:
        CallError: The content is not a list of objects in the format of `object_string`, or a file does not exist.
    """
    if content_type != "object_string":
        return UserInput(content)
    try:
        parts = parse_json(content, where)
    except CallError as error:
        raise _wrong(where, "must be a JSON array of objects") from error
    if not isinstance(parts, list) or not parts:
        raise _wrong(where, "must be a JSON array of objects, not empty")
    texts = []
    counts = dict.fromkeys(_KINDS, 0)
    for number, part in enumerate(parts):
        kind = _check_part(state, part, f"{where}[{number}]")
        counts[kind] += 1
        if kind == "text":
            texts.append(part["text"])
    return UserInput("\n".join(texts), counts["image"], counts["file"], counts["audio"])


def _check_part(state: SandboxState, part: Any, where: str) -> str:
    if not isinstance(part, Mapping) or part.get("type") not in _KINDS:
        raise _wrong(where, f"must be an object whose type is one of {', '.join(_KINDS)}")
    kind: str = part["type"]
    if kind == "text":
        if not isinstance(part.get("text"), str):
            raise _wrong(where, "needs a text")
        return kind
    file_id, file_url = part.get("file_id"), part.get("file_url")
    if not isinstance(file_id or file_url, str):
        raise _wrong(where, "needs a file_id or a file_url")
    if file_id and state.find("file", str(file_id)) is None:
        raise missing(NOT_FOUND, "file_id", file_id)
    return kind


def _wrong(where: str, what: str) -> CallError:
    return CallError(INVALID_PARAMETER, f"{where}: {what}")
