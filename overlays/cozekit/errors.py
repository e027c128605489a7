"""Every exception that a call can raise, and three warnings.
The warnings are `ExtensionMismatchWarning` (the name of an upload does not match its content), `InsecureFolderWarning`
(other users can replace files that hold tokens) and `StreamGapWarning` (events of a stream were lost or repeated).

CozeError
    InvalidArgumentError (also a ValueError): an argument is invalid; nothing was sent
    APIConnectionError: no response was received
        APITimeoutError: no response was received in time
    DownloadInterrupted: a download ended early; it has the number of bytes received
    StreamInterrupted: a stream ended early; it has what was received
    SocketClosed: a WebSocket was closed or lost; it has the session
    StreamGap: events of a stream were lost or repeated, and `on_gap` is "raise"
    PollTimeout: a chat, a run, documents, a copy or a database task did not end in time; it has their last state
    CopyFailed: a bot, an app or a workflow could not be copied; it has the task
    DatabaseTaskFailed: rows of a database could not be read or changed; it has the task
    ActionRequired: a chat waits for something that the call did not provide; it has the chat
        ToolRoundsExceeded: a bot called tools in too many rounds; it has the calls as well
        ToolFailed: a tool raised, and such errors end the run; it has the call as well
    ToolError: raised by tools; the bot receives its text
    StateMismatch: the `state` of an OAuth redirect is not the one that was sent
    DeviceTimeout, DeviceCancelled: the caller stopped waiting for the user of a device
    TokenStoreError: tokens cannot be stored
    APIError: Coze returned an error
        AuthenticationError: the token was rejected
            OAuthError: no token was issued
                InvalidClient: because of the app
                InvalidGrant: because of the code or refresh token; the user must log in again
                AuthorizationDenied: because the user denied access
                    DeviceDenied: on the page that a device displayed
                DeviceExpired: because the user did not finish in time
        PermissionDeniedError, RateLimitError, QuotaError, InvalidRequestError, NotFoundError,
        ConflictError, ContentPolicyError, UnsupportedError, ServerTimeoutError, ServerError: by its code
        GatewayError: the response did not come from the Coze API
        DecodeError: the response has an unknown shape
        ResponseTooLarge: the response is larger than the client's `max_response_bytes`
        StreamFailed: an event of a stream reported a failure
            ChatFailed: a chat failed; it has the chat
            WorkflowFailed: a run of a workflow failed; it has the run
            SocketFailed: an event of a WebSocket reported a failure; it has the session
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_api._core._secrets import mask
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
    ResponseTooLarge,
    ServerError,
    ServerTimeoutError,
    StreamFailed,
    StreamGap,
    StreamGapWarning,
    StreamInterrupted,
    UnsupportedError,
)

if TYPE_CHECKING:
    from coze_api.models import Chat, CopyTask, DatabaseTask

    from ._tool_results import ToolRun

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
    "CopyFailed",
    "CozeError",
    "DatabaseTaskFailed",
    "DecodeError",
    "DeviceCancelled",
    "DeviceDenied",
    "DeviceExpired",
    "DeviceTimeout",
    "DownloadInterrupted",
    "ExtensionMismatchWarning",
    "GatewayError",
    "InsecureFolderWarning",
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
    "ResponseTooLarge",
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


class APIConnectionError(CozeError):
    """No response was received: the connection could not be opened, or it was lost.

    Attributes:
        operation: Operation id.
        base_url: Base URL of the service.
        attempts: Number of attempts.
        sent: Whether the request may have reached Coze, and so may have taken effect.
    """

    def __init__(self, message: str, *, operation: str, base_url: str, attempts: int, sent: bool) -> None:
        tried = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(f"{operation}: {message} (tried {tried}, {base_url})")
        self.operation = operation
        self.base_url = base_url
        self.attempts = attempts
        self.sent = sent


class APITimeoutError(APIConnectionError, TimeoutError):
    """The response was not received in time, or the connection was not opened in time."""


class SocketFailed(StreamFailed):
    """Coze reported a failure over a WebSocket. The session may still be open.

    Attributes:
        session: The session, with what was received.
    """

    _connected = (*StreamFailed._connected, "session")

    session: Any = None


class SocketClosed(CozeError):
    """A WebSocket was closed, or its connection was lost.

    Attributes:
        operation: Operation id.
        logid: Log id of the connection, or "".
        code: Close code; 1006 if no close frame was received.
        reason: Reason in the close frame, or "".
        clean: Whether it was a normal closure by both sides.
        session: The session.
        messages: Number of messages received before.
        last_message: The last of them, or None.
    """

    _connected = ("session",)

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
        quoted = f", {reason!r}" if reason else ""
        super().__init__(
            f"{operation}: the connection was closed after {messages} messages: {meaning} "
            f"(close code {code}{quoted}, logid {logid or 'unknown'})"
        )
        self.operation = operation
        self.logid = logid
        self.code = code
        self.reason = mask(reason)
        self.clean = clean
        self.session = session
        self.messages = messages
        self.last_message = last_message


class PollTimeout(CozeError, TimeoutError):
    """Something did not end in the given time. It is still running: poll it again later, or cancel it.

    Attributes:
        chat: The last state of the chat; None if it is not a chat.
        last: The last state of what was polled: a chat, a run of a workflow, documents, a copy task, a database task;
            None if there was no response yet.
    """

    def __init__(self, message: str, *, chat: Chat | None = None, last: Any = None) -> None:
        super().__init__(message)
        self.chat = chat
        self.last = last


class ChatFailed(StreamFailed):
    """A chat failed. `code` and `msg` have the reason.

    Attributes:
        chat: The chat, as far as it is known.
        stream: The stream that reported it, with what was received; None if the chat was polled.
    """

    _connected = (*StreamFailed._connected, "stream")

    chat: Chat | None = None
    stream: Any = None


class WorkflowFailed(StreamFailed):
    """A run of a workflow failed. `code` and `msg` have the reason; `debug_url` shows the failed node.

    Attributes:
        run: The run with all that was received: a `WorkflowRun`, or a `WorkflowResult` of a run in the background.
    """

    _connected = (*StreamFailed._connected, "run")

    run: Any = None


class CopyFailed(CozeError):
    """A bot, an app or a workflow, or something that it needs, could not be copied. The text has the reasons.

    Attributes:
        task: The task that failed; its `failed_reasons` list what could not be copied.
    """

    def __init__(self, message: str, *, task: CopyTask) -> None:
        super().__init__(message)
        self.task = task


class DatabaseTaskFailed(CozeError):
    """A task that reads or changes rows of a database failed. The text has the reason.

    Attributes:
        task: The task; its `error_msg` has the reason.
    """

    def __init__(self, message: str, *, task: DatabaseTask) -> None:
        super().__init__(message)
        self.task = task


class ToolError(CozeError):
    """Raise it in a tool to report an error to the bot, which receives its text.

    Of any other exception of a tool the bot receives only the class name.
    """


class ActionRequired(CozeError):
    """A chat waits for something that the call did not provide, such as outputs of tools without `tools`.

    It waits until it expires, and cannot be canceled meanwhile.

    Attributes:
        chat: The chat. Its `required_action` describes what it waits for; `chat.submit_tool_outputs` continues it.
    """

    def __init__(self, message: str, *, chat: Chat | None) -> None:
        super().__init__(message)
        self.chat = chat


class ToolRoundsExceeded(ActionRequired):
    """A bot called tools in more rounds than allowed.

    Attributes:
        tool_runs: The calls that were executed.
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


class OAuthError(AuthenticationError):
    """No token was issued. `reason` is the OAuth error code, `hint` describes what to do."""

    def __str__(self) -> str:
        facts = [self.reason] if self.reason else []
        if self.status >= 400:
            facts.append(f"HTTP {self.status}")
        if self.logid:
            facts.append(f"logid {self.logid}")
        text = f"{self.operation or 'OAuth'}: {self.msg or 'no token was issued'}" + (
            f" ({', '.join(facts)})" if facts else ""
        )
        return f"{text}. {self.hint}" if self.hint else text


class InvalidClient(OAuthError):
    """Coze does not accept the app: its id, its secret, its key or the JWT signed with it."""


class InvalidGrant(OAuthError):
    """The code or refresh token is invalid, expired or revoked: the user must log in again."""


class AuthorizationDenied(OAuthError):
    """The user denied access, or the app is not allowed to use this grant."""


class DeviceDenied(AuthorizationDenied):
    """The user denied access on the page that the device displayed."""


class DeviceExpired(OAuthError):
    """The user did not finish before the device code expired. Start again."""


class DeviceTimeout(CozeError, TimeoutError):
    """The user did not finish within the timeout. The device code may still be valid: wait again."""


class DeviceCancelled(CozeError):
    """The caller stopped waiting for the user."""


class StateMismatch(CozeError):
    """The `state` of the redirect is not the one that was sent: this login was started by somebody else."""


class TokenStoreError(CozeError):
    """Tokens cannot be read, written or locked; the message describes where, and what to do."""


class InsecureFolderWarning(UserWarning):
    """Other users of this machine can replace the files in a folder that holds tokens. Issued once for each folder.

    Restrict the folder to yourself (``chmod 700``). To silence the warning:
    ``warnings.simplefilter("ignore", InsecureFolderWarning)``.
    """


class ExtensionMismatchWarning(UserWarning):
    """The file extension of an upload does not match its content; Coze will reject it with code 4000.

    Issued before anything is sent. Give another name, as in ``files.upload(("photo.png", content))``. To silence the
    warning: ``warnings.simplefilter("ignore", ExtensionMismatchWarning)``.
    """
