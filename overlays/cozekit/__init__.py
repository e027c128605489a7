"""Client for the Coze platform: bots, chat, workflows, knowledge, voice.

Importing the package is cheap: what a name needs is loaded when the name is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_api import AsyncPage as AsyncPage
    from coze_api import AsyncPager as AsyncPager
    from coze_api import Page as Page
    from coze_api import Response as Response

    from . import audio as audio
    from . import auth as auth
    from . import errors as errors
    from . import messages as messages
    from . import webhooks as webhooks
    from ._chat_result import ChatResult as ChatResult
    from ._chat_run import AsyncChatRunStream as AsyncChatRunStream
    from ._chat_run import ChatRun as ChatRun
    from ._chat_run import ChatRunStream as ChatRunStream
    from ._chat_stream import AsyncChatStream as AsyncChatStream
    from ._chat_stream import ChatStream as ChatStream
    from ._client import AsyncCoze as AsyncCoze
    from ._client import Coze as Coze
    from ._config import COZE_CN as COZE_CN
    from ._config import COZE_COM as COZE_COM
    from ._retry import RetryPolicy as RetryPolicy
    from ._sockets._options import SocketOptions as SocketOptions
    from ._tool_loop import ToolRun as ToolRun
    from ._tools import Tool as Tool
    from ._tools import tool as tool
    from ._workflow_result import AsyncWorkflowResult as AsyncWorkflowResult
    from ._workflow_result import WorkflowResult as WorkflowResult
    from ._workflow_run import AsyncWorkflowRun as AsyncWorkflowRun
    from ._workflow_run import WorkflowRun as WorkflowRun
    from .errors import APIConnectionError as APIConnectionError
    from .errors import APIError as APIError
    from .errors import APITimeoutError as APITimeoutError
    from .errors import ChatFailed as ChatFailed
    from .errors import CozeError as CozeError
    from .errors import SocketClosed as SocketClosed
    from .errors import SocketFailed as SocketFailed
    from .errors import StreamInterrupted as StreamInterrupted
    from .errors import ToolError as ToolError
    from .errors import WorkflowFailed as WorkflowFailed

__version__ = "0.1.0"

__all__ = [
    "COZE_CN",
    "COZE_COM",
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AsyncChatRunStream",
    "AsyncChatStream",
    "AsyncCoze",
    "AsyncPage",
    "AsyncPager",
    "AsyncWorkflowResult",
    "AsyncWorkflowRun",
    "ChatFailed",
    "ChatResult",
    "ChatRun",
    "ChatRunStream",
    "ChatStream",
    "Coze",
    "CozeError",
    "Page",
    "Response",
    "RetryPolicy",
    "SocketClosed",
    "SocketFailed",
    "SocketOptions",
    "StreamInterrupted",
    "Tool",
    "ToolError",
    "ToolRun",
    "WorkflowFailed",
    "WorkflowResult",
    "WorkflowRun",
    "audio",
    "auth",
    "errors",
    "messages",
    "tool",
    "webhooks",
]

_MODULES = {
    "APIConnectionError": "errors",
    "APIError": "errors",
    "APITimeoutError": "errors",
    "AsyncChatRunStream": "_chat_run",
    "AsyncChatStream": "_chat_stream",
    "AsyncCoze": "_client",
    "AsyncPage": "_api",
    "AsyncPager": "_api",
    "AsyncWorkflowResult": "_workflow_result",
    "AsyncWorkflowRun": "_workflow_run",
    "COZE_CN": "_config",
    "COZE_COM": "_config",
    "ChatFailed": "errors",
    "ChatResult": "_chat_result",
    "ChatRun": "_chat_run",
    "ChatRunStream": "_chat_run",
    "ChatStream": "_chat_stream",
    "Coze": "_client",
    "CozeError": "errors",
    "Page": "_api",
    "Response": "_api",
    "RetryPolicy": "_retry",
    "SocketClosed": "errors",
    "SocketFailed": "errors",
    "SocketOptions": "_sockets._options",
    "StreamInterrupted": "errors",
    "audio": "",
    "Tool": "_tools",
    "ToolError": "errors",
    "ToolRun": "_tool_loop",
    "WorkflowFailed": "errors",
    "WorkflowResult": "_workflow_result",
    "WorkflowRun": "_workflow_run",
    "auth": "",
    "errors": "",
    "messages": "",
    "tool": "_tools",
    "webhooks": "",
}

if not TYPE_CHECKING:  # visible to type checkers, it would make every misspelt name valid

    def __getattr__(name):
        from coze_api._core._lazy import load

        return load(__name__, globals(), _MODULES, name)

    def __dir__():
        return sorted(__all__)
