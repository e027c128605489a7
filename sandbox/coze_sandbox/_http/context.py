"""What a handler gets and what it returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from .._spec.spec import Operation
from .._state.state import SandboxState

__all__ = ["StreamEvent", "Call", "FileResponse", "ResponseFields", "Redirect", "Result", "Stream", "Upload"]

ResponseFields = dict[str, Any]
"""Members of an answer beside `code`, `msg` and `detail`."""


@attrs.frozen
class Upload:
    """A file of a multipart body. Its content is not kept: it may be half a gigabyte.

    Attributes:
        name: File name as sent.
        content_type: Content type as sent, or an empty text.
        size: Number of bytes.
        sha256: Digest of the content, in hexadecimal digits.
    """

    name: str
    content_type: str
    size: int
    sha256: str


@attrs.frozen
class Call:
    """One accepted call.

    Attributes:
        operation: What is called.
        state: The state.
        path: Path parameters.
        query: Query parameters, converted to their types.
        body: The body, without members that were null for "not given".
        files: Files of a multipart body, by part name.
        user_id: The account behind the token.
        bearer: What was sent as bearer, or an empty text.
        logid: Log id of the call.
        base_url: Where the caller reaches this sandbox.
    """

    operation: Operation
    state: SandboxState
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    files: Mapping[str, Upload]
    user_id: str
    bearer: str = ""
    logid: str = ""
    base_url: str = ""


@attrs.frozen
class FileResponse:
    """An answer that is a file.

    Attributes:
        content: The bytes.
        type: Their content type.
    """

    content: bytes
    type: str


@attrs.frozen
class Redirect:
    """An answer that sends the browser elsewhere.

    Attributes:
        location: The address.
    """

    location: str


@attrs.frozen
class StreamEvent:
    """One event of a stream.

    Attributes:
        event: Its name.
        data: The value that goes into its `data:` line as JSON.
        pause: Seconds to wait before it is sent.
    """

    event: str
    data: Any
    pause: float = 0.0


@attrs.frozen
class Stream:
    """An answer in events.

    Attributes:
        beats: The events. Runs as they are sent, and is closed when the client leaves, which ends nothing else.
        dialect: How the lines are written: `chat`, `chatflow` or `workflow`.
        checked: Whether the events have to be as described.
    """

    events: Iterator[StreamEvent]
    dialect: str
    checked: bool = True


Result = ResponseFields | Stream | FileResponse | Redirect
"""What a handler may return beside nothing and a failure."""
