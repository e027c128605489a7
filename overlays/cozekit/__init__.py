"""Client for the Coze platform: bots, chat, workflows, knowledge, voice.

Importing the package is cheap: the module of a name is imported when the name is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coze_api import AsyncPage as AsyncPage
    from coze_api import AsyncPager as AsyncPager
    from coze_api import HTTPBackend as HTTPBackend
    from coze_api import Page as Page
    from coze_api import Response as Response

    from . import audio as audio
    from . import auth as auth
    from . import errors as errors
    from . import messages as messages
    from . import webhooks as webhooks
    from ._chat.result import ChatResult as ChatResult
    from ._chat.result import ChatRun as ChatRun
    from ._chat.run_stream import ChatRunStream as ChatRunStream
    from ._chat.run_stream_async import AsyncChatRunStream as AsyncChatRunStream
    from ._chat.stream import ChatStream as ChatStream
    from ._chat.stream_async import AsyncChatStream as AsyncChatStream
    from ._client import Coze as Coze
    from ._client_async import AsyncCoze as AsyncCoze
    from ._config import COZE_CN as COZE_CN
    from ._config import COZE_COM as COZE_COM
    from ._retry_policy import RetryPolicy as RetryPolicy
    from ._tool_results import ToolRun as ToolRun
    from ._tools.tool import Tool as Tool
    from ._tools.tool import tool as tool
    from ._websockets.options import SocketOptions as SocketOptions
    from ._workflows.result import WorkflowResult as WorkflowResult
    from ._workflows.result_async import AsyncWorkflowResult as AsyncWorkflowResult
    from ._workflows.run import WorkflowRun as WorkflowRun
    from ._workflows.run_async import AsyncWorkflowRun as AsyncWorkflowRun
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

_MODULES = {
    "COZE_CN": "_config",
    "COZE_COM": "_config",
    "APIConnectionError": "errors",
    "APIError": "errors",
    "APITimeoutError": "errors",
    "AsyncChatRunStream": "_chat.run_stream_async",
    "AsyncChatStream": "_chat.stream_async",
    "AsyncCoze": "_client_async",
    "AsyncPage": "coze_api:AsyncPage",
    "AsyncPager": "coze_api:AsyncPager",
    "AsyncWorkflowResult": "_workflows.result_async",
    "AsyncWorkflowRun": "_workflows.run_async",
    "ChatFailed": "errors",
    "ChatResult": "_chat.result",
    "ChatRun": "_chat.result",
    "ChatRunStream": "_chat.run_stream",
    "ChatStream": "_chat.stream",
    "Coze": "_client",
    "CozeError": "errors",
    "HTTPBackend": "coze_api:HTTPBackend",
    "Page": "coze_api:Page",
    "Response": "coze_api:Response",
    "RetryPolicy": "_retry_policy",
    "SocketClosed": "errors",
    "SocketFailed": "errors",
    "SocketOptions": "_websockets.options",
    "StreamInterrupted": "errors",
    "Tool": "_tools.tool",
    "ToolError": "errors",
    "ToolRun": "_tool_results",
    "WorkflowFailed": "errors",
    "WorkflowResult": "_workflows.result",
    "WorkflowRun": "_workflows.run",
    "audio": "",
    "auth": "",
    "errors": "",
    "messages": "",
    "tool": "_tools.tool",
    "webhooks": "",
}

if not TYPE_CHECKING:  # type checkers read the imports above; __getattr__ would make every misspelt name valid
    __all__ = list(_MODULES)

    def __getattr__(name):
        from coze_api._core._lazy import load

        return load(__name__, globals(), _MODULES, name)

    def __dir__():
        return sorted(__all__)
