"""Every exception that a call can raise, and three warnings.
The warnings are `ExtensionMismatchWarning`, where the name of an upload does not fit its content,
`InsecureFolderWarning`, where other users can replace files with tokens, and `StreamGapWarning`, where events of a
stream were lost or came twice.

CozeError
    InvalidArgumentError (also a ValueError): nothing was sent
    APIConnectionError: no answer came
        APITimeoutError: it did not come in time
    DownloadInterrupted: a file broke off; tells how much arrived
    StreamInterrupted: a stream broke off; carries what arrived
    SocketClosed: a WebSocket was closed or broke; carries the session
    StreamGap: events of a stream were lost or came twice, where `on_gap` says to raise it
    PollTimeout: a chat, a run, documents or a copy did not end in time; carries them
    CopyFailed: a bot, an app or a workflow could not be copied; carries the task
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
        ResponseTooLarge: the answer is larger than the client's `max_response_bytes`
        StreamFailed: told inside a stream
            ChatFailed: a chat failed; carries it
            WorkflowFailed: a run of a workflow failed; carries it
            SocketFailed: told over a WebSocket; carries the session
"""

from __future__ import annotations

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
from ._connection_errors import APIConnectionError, APITimeoutError, SocketClosed, SocketFailed
from ._run_errors import (
    ActionRequired,
    ChatFailed,
    CopyFailed,
    PollTimeout,
    ToolError,
    ToolFailed,
    ToolRoundsExceeded,
    WorkflowFailed,
)

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


class InsecureFolderWarning(UserWarning):
    """Other users of this machine can replace the files in a folder that holds tokens. Shown once for each folder.

    Make the folder yours alone (``chmod 700``). To silence it:
    ``warnings.simplefilter("ignore", InsecureFolderWarning)``.
    """


class ExtensionMismatchWarning(UserWarning):
    """The extension of an upload's name does not fit its content; Coze will refuse it with 4000.

    Told before anything is sent. Give another name, as in ``files.upload(("photo.png", content))``; or silence it by
    ``warnings.simplefilter("ignore", ExtensionMismatchWarning)``.
    """
