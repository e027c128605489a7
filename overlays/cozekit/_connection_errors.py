"""What can become of connections. `cozekit.errors` shows these beside all others."""

from __future__ import annotations

from typing import Any

from coze_api._core._errors import restore, show_in
from coze_api._core._secrets import mask
from coze_api.errors import CozeError, StreamFailed

__all__ = ["APIConnectionError", "APITimeoutError", "SocketClosed", "SocketFailed"]


class APIConnectionError(CozeError):
    """No answer came: no connection, or a connection that broke.

    Attributes:
        operation: Operation id.
        base_url: Address of the service.
        attempts: How often it was tried.
        sent: Whether the request may have reached Coze, and so may have taken effect.
    """

    def __init__(self, message: str, *, operation: str, base_url: str, attempts: int, sent: bool) -> None:
        tried = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(f"{operation}: {message} (tried {tried}, {base_url})")
        self.operation = operation
        self.base_url = base_url
        self.attempts = attempts
        self.sent = sent

    def __reduce__(self) -> tuple[Any, ...]:
        # As for all exceptions with keyword arguments: otherwise they would not survive pickling.
        return (restore, (type(self), str(self), self.__dict__))


class APITimeoutError(APIConnectionError, TimeoutError):
    """The answer, or a connection, did not come in time."""


class SocketFailed(StreamFailed):
    """Coze told a failure over a WebSocket. The session may go on.

    Attributes:
        session: The session, with what arrived.
    """

    session: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The session holds a connection, which stays in the process that made it.
        return (restore, (type(self), self.msg, {**self.__dict__, "response": None, "session": None}))


class SocketClosed(CozeError):
    """A WebSocket is closed, or broke.

    Attributes:
        operation: Operation id.
        logid: Log id of the connection, or "".
        code: Close code; 1006 where there was no goodbye.
        reason: What the side that closed it says, or "".
        clean: Whether both sides said goodbye in the normal way.
        session: The session.
        messages: How many messages had arrived.
        last_message: The last of them, or None.
    """

    def __init__(
        self,
        meaning: str,
        *,
        operation: str,
        logid: str,
        code: int,
        reason: str,
        clean: bool,
        session: Any,
        messages: int,
        last_message: Any,
    ) -> None:
        told = f", {reason!r}" if reason else ""
        super().__init__(
            f"{operation}: the connection was closed after {messages} messages: {meaning} "
            f"(close code {code}{told}, logid {logid or 'unknown'})"
        )
        self.operation = operation
        self.logid = logid
        self.code = code
        self.reason = mask(reason)
        self.clean = clean
        self.session = session
        self.messages = messages
        self.last_message = last_message

    def __reduce__(self) -> tuple[Any, ...]:
        # As for `SocketFailed`.
        return (restore, (type(self), str(self), {**self.__dict__, "session": None}))


show_in(f"{__package__}.errors", globals(), __all__)
