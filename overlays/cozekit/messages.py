"""Messages to send, with text, images, files and audio.

```python
messages.user("What is in the picture?", messages.image(file_id=photo.id))
```

Wherever a message is expected, a str is accepted as a message of the user.
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
    """Create a message of the user.

    Args:
        parts: Texts, and results of `image`, `file` and `audio`. Coze accepts at most one text beside files.
        meta_data: Up to 16 key-value pairs that are stored with the message.

    Raises:
        InvalidArgumentError: There are no parts.
    """
    return _message(MessageRole.USER, EnterMessageType.QUESTION, parts, meta_data)


def assistant(*parts: str | ObjectString, meta_data: Mapping[str, str] | None = None) -> EnterMessage:
    """Create an answer of the bot, as context for the next messages.

    Args:
        parts: Texts, and results of `image`, `file` and `audio`. Coze accepts at most one text beside files.
        meta_data: Up to 16 key-value pairs that are stored with the message.

    Raises:
        InvalidArgumentError: There are no parts.
    """
    return _message(MessageRole.ASSISTANT, EnterMessageType.ANSWER, parts, meta_data)


def text(content: str) -> ObjectString:
    """Create a part with text."""
    return ObjectString(type=ObjectStringType.TEXT, text=content)


def image(*, file_id: str | None = None, url: str | None = None) -> ObjectString:
    """Create a part with an image: an uploaded file, or a public URL."""
    return _attachment(ObjectStringType.IMAGE, file_id, url)


def file(*, file_id: str | None = None, url: str | None = None) -> ObjectString:
    """Create a part with a file: an uploaded file, or a public URL."""
    return _attachment(ObjectStringType.FILE, file_id, url)


def audio(*, file_id: str | None = None, url: str | None = None) -> ObjectString:
    """Create a part with audio: an uploaded file, or a public URL."""
    return _attachment(ObjectStringType.AUDIO, file_id, url)


def _attachment(kind: ObjectStringType, file_id: str | None, url: str | None) -> ObjectString:
    if bool(file_id) == bool(url):
        raise InvalidArgumentError(f"messages.{kind}: pass either file_id or url")
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
                f"messages.{role}: part {number} must be a str or a result of image(), file() or audio(), "
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
