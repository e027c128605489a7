"""Every exception that a call can raise, and two warnings.
The warnings are `ExtensionMismatchWarning`, where the name of an upload does not fit its content, and
`StreamGapWarning`, where events of a stream were lost or came twice.

CozeError
    InvalidArgumentError (also a ValueError): nothing was sent
    APIConnectionError: no answer came
        APITimeoutError: it did not come in time
    DownloadInterrupted: a file broke off; tells how much arrived
    StreamInterrupted: a stream broke off; carries what arrived
    SocketClosed: a WebSocket was closed or broke; carries the session
    StreamGap: events of a stream were lost or came twice, where `on_gap` says to raise it
    PollTimeout: a chat, a run or documents did not end in time; carries them
    ActionRequired: a chat waits for something that was not provided for; carries it
        ToolRoundsExceeded: a bot kept calling tools; carries the calls as well
        ToolFailed: a tool raised, and that was to end the run; carries the call as well
    ToolError: for tools to raise; its text is for the bot
    StateMismatch: a browser came back that somebody else sent
    DeviceTimeout, DeviceCancelled: the caller stopped waiting for the user of a device
    TokenStoreError: tokens cannot be kept
    APIError: Coze answered with an error
        AuthenticationError: the token is wrong
            OAuthError: there is no token
                InvalidClient: because of the app
                InvalidGrant: because of the code or refresh token; the user must log in again
                AuthorizationDenied: because the user refused
                    DeviceDenied: on the page that a device showed
                DeviceExpired: because the user did not finish in time
        PermissionDeniedError, RateLimitError, QuotaError, InvalidRequestError, NotFoundError,
        ConflictError, ContentPolicyError, UnsupportedError, ServerTimeoutError, ServerError: by its code
        GatewayError: the answer is not of the Coze API
        DecodeError: the answer has an unknown shape
        StreamFailed: told inside a stream
            ChatFailed: a chat failed; carries it
            WorkflowFailed: a run of a workflow failed; carries it
            SocketFailed: told over a WebSocket; carries the session
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_api.errors import (
    CODES,
    APIError,
    AuthenticationError,
    ConflictError,
    ContentPolicyError,
    CozeError,
    DecodeError,
    DownloadInterrupted,
    GatewayError,
    InvalidArgumentError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServerTimeoutError,
    StreamFailed,
    StreamGap,
    StreamGapWarning,
    StreamInterrupted,
    UnsupportedError,
)

from ._auth_errors import (
    AuthorizationDenied,
    DeviceCancelled,
    DeviceDenied,
    DeviceExpired,
    DeviceTimeout,
    InvalidClient,
    InvalidGrant,
    OAuthError,
    StateMismatch,
    TokenStoreError,
)

if TYPE_CHECKING:
    from coze_api.models import Chat

    from ._tool_loop import ToolRun

__all__ = [
    "CODES",
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "ActionRequired",
    "AuthenticationError",
    "AuthorizationDenied",
    "ChatFailed",
    "ConflictError",
    "ContentPolicyError",
    "CozeError",
    "DecodeError",
    "DeviceCancelled",
    "DeviceDenied",
    "DeviceExpired",
    "DeviceTimeout",
    "DownloadInterrupted",
    "ExtensionMismatchWarning",
    "GatewayError",
    "InvalidArgumentError",
    "InvalidClient",
    "InvalidGrant",
    "InvalidRequestError",
    "NotFoundError",
    "OAuthError",
    "PermissionDeniedError",
    "PollTimeout",
    "QuotaError",
    "RateLimitError",
    "ServerError",
    "ServerTimeoutError",
    "SocketClosed",
    "SocketFailed",
    "StateMismatch",
    "StreamFailed",
    "StreamGap",
    "StreamGapWarning",
    "StreamInterrupted",
    "TokenStoreError",
    "ToolError",
    "ToolFailed",
    "ToolRoundsExceeded",
    "UnsupportedError",
    "WorkflowFailed",
]


def _restore(cls: type[CozeError], text: str, state: dict[str, Any]) -> CozeError:
    error = cls.__new__(cls)
    error.args = (text,)
    error.__dict__.update(state)
    return error


def _detached(thing: Any) -> Any:
    """Copy a model without the HTTP answer that it came in, which holds a connection and the token."""
    return None if thing is None else type(thing).from_dict(thing.to_dict())


class ExtensionMismatchWarning(UserWarning):
    """The extension of an upload's name does not fit its content; Coze will refuse it with 4000.

    Told before anything is sent. Give another name, as in ``files.upload(("photo.png", content))``; or silence it by
    ``warnings.simplefilter("ignore", ExtensionMismatchWarning)``.
    """


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
        return (_restore, (type(self), str(self), self.__dict__))


class APITimeoutError(APIConnectionError, TimeoutError):
    """The answer, or a connection, did not come in time."""


class PollTimeout(CozeError, TimeoutError):
    """Something did not end in the time given. It goes on; ask for it again later, or cancel it.

    Attributes:
        chat: The chat as it was last seen; None if it is no chat.
        last: What was waited for, as it was last seen: a chat, a run of a workflow, documents; None if never.
    """

    def __init__(self, message: str, *, chat: Chat | None = None, last: Any = None) -> None:
        super().__init__(message)
        self.chat = chat
        self.last = last

    def __reduce__(self) -> tuple[Any, ...]:
        state = {**self.__dict__, "chat": _detached(self.chat), "last": _detached(self.last)}
        return (_restore, (type(self), str(self), state))


class ChatFailed(StreamFailed):
    """A chat ended in failure. `code` and `msg` tell why.

    Attributes:
        chat: The chat, as far as it is known.
        stream: The stream that told it, with what arrived; None where the chat was asked for.
    """

    chat: Chat | None = None
    stream: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The stream holds a connection, which stays in the process that made it.
        state = {**self.__dict__, "response": None, "stream": None, "chat": _detached(self.chat)}
        return (_restore, (type(self), self.msg, state))


class WorkflowFailed(StreamFailed):
    """A run of a workflow failed. `code`, `msg` and `debug_url` tell why and where.

    Attributes:
        run: The run with all that it told: a `WorkflowRun`, or a `WorkflowResult` of a run in the background.
    """

    run: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The run holds a connection, which stays in the process that made it.
        return (_restore, (type(self), self.msg, {**self.__dict__, "response": None, "run": None}))


class ToolError(CozeError):
    """Raise it in a tool to tell the bot what went wrong: its text is what the bot reads.

    Of any other exception of a tool the bot gets to know the class alone.
    """


class ActionRequired(CozeError):
    """A chat waits for something that the call did not provide for, such as tools where none were given.

    It waits until it expires, and cannot be canceled meanwhile.

    Attributes:
        chat: The chat. What it waits for is in its `required_action`; `chat.submit_tool_outputs` goes on with it.
    """

    def __init__(self, message: str, *, chat: Chat | None) -> None:
        super().__init__(message)
        self.chat = chat

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), str(self), {**self.__dict__, "chat": _detached(self.chat)}))


class ToolRoundsExceeded(ActionRequired):
    """A bot called tools more often than it was allowed to.

    Attributes:
        tool_runs: The calls that were carried out.
    """

    def __init__(self, message: str, *, chat: Chat | None, tool_runs: list[ToolRun]) -> None:
        super().__init__(message, chat=chat)
        self.tool_runs = tool_runs


class ToolFailed(ActionRequired):
    """A tool raised an exception, which is the cause of this one.

    Attributes:
        tool_run: The call.
    """

    def __init__(self, message: str, *, chat: Chat | None, tool_run: ToolRun) -> None:
        super().__init__(message, chat=chat)
        self.tool_run = tool_run


class SocketFailed(StreamFailed):
    """Coze told a failure over a WebSocket. The session may go on.

    Attributes:
        session: The session, with what arrived.
    """

    session: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The session holds a connection, which stays in the process that made it.
        return (_restore, (type(self), self.msg, {**self.__dict__, "response": None, "session": None}))


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
        self.reason = reason
        self.clean = clean
        self.session = session
        self.messages = messages
        self.last_message = last_message

    def __reduce__(self) -> tuple[Any, ...]:
        # As for `SocketFailed`.
        return (_restore, (type(self), str(self), {**self.__dict__, "session": None}))
