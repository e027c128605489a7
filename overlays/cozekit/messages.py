"""Messages to send: of text, pictures, files and sound.

```python
messages.user("What is in the picture?", messages.image(file_id=photo.id))
```

A plain string is a message of the user, too, wherever messages are taken.
"""

from __future__ import annotations

from collections.abc import Mapping

from coze_api._core import _json
from coze_api.models import (
    EnterMessage,
    EnterMessageContentType,
    EnterMessageType,
    MessageRole,
    ObjectString,
    ObjectStringType,
)

from .errors import InvalidArgumentError

__all__ = ["assistant", "audio", "file", "image", "text", "user"]


def user(*parts: str | ObjectString, meta_data: Mapping[str, str] | None = None) -> EnterMessage:
    """Make a question of the user.

    Args:
        parts: Texts, and what `image`, `file` and `audio` return. Coze takes at most one text beside files.
        meta_data: Up to 16 pairs kept with the message.

    Raises:
        InvalidArgumentError: There are no parts.
    """
    return _message(MessageRole.USER, EnterMessageType.QUESTION, parts, meta_data)


def assistant(*parts: str | ObjectString, meta_data: Mapping[str, str] | None = None) -> EnterMessage:
    """Make an answer of the bot, as context of what follows. The arguments are those of `user`."""
    return _message(MessageRole.ASSISTANT, EnterMessageType.ANSWER, parts, meta_data)


def text(content: str) -> ObjectString:
    """Make a part of text."""
    return ObjectString(type=ObjectStringType.TEXT, text=content)


def image(*, file_id: str | None = None, url: str | None = None) -> ObjectString:
    """Make a part that is a picture: an uploaded file, or a public address."""
    return _attachment(ObjectStringType.IMAGE, file_id, url)


def file(*, file_id: str | None = None, url: str | None = None) -> ObjectString:
    """Make a part that is a file: an uploaded one, or one at a public address."""
    return _attachment(ObjectStringType.FILE, file_id, url)


def audio(*, file_id: str | None = None, url: str | None = None) -> ObjectString:
    """Make a part that is sound: an uploaded file, or a public address."""
    return _attachment(ObjectStringType.AUDIO, file_id, url)


def _attachment(kind: ObjectStringType, file_id: str | None, url: str | None) -> ObjectString:
    if bool(file_id) == bool(url):
        raise InvalidArgumentError(f"messages.{kind}: give either file_id or url")
    return ObjectString(type=kind, file_id=file_id or None, file_url=url or None)


def _message(
    role: MessageRole,
    kind: EnterMessageType,
    parts: tuple[str | ObjectString, ...],
    meta_data: Mapping[str, str] | None,
) -> EnterMessage:
    if not parts:
        raise InvalidArgumentError(f"messages.{role}: a message needs at least one part")
    for number, part in enumerate(parts, 1):
        if not isinstance(part, str | ObjectString):
            raise InvalidArgumentError(
                f"messages.{role}: part {number} must be a text or what image(), file() and audio() return, "
                f"not {type(part).__name__}"
            )
    pairs = None if meta_data is None else dict(meta_data)
    if len(parts) == 1 and isinstance(parts[0], str):
        return EnterMessage(
            role=role, type=kind, content=parts[0], content_type=EnterMessageContentType.TEXT, meta_data=pairs
        )
    objects = [text(part) if isinstance(part, str) else part for part in parts]
    content = _json.dumps([part.to_dict() for part in objects]).decode()
    return EnterMessage(
        role=role, type=kind, content=content, content_type=EnterMessageContentType.OBJECT_STRING, meta_data=pairs
    )
