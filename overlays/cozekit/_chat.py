"""Chatting: streams that know what a chat is, and waiting for a chat that is not streamed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Unpack

import attrs

from coze_api._core._model import encode
from coze_api._core._response import code_of, retryable
from coze_api.errors import hint
from coze_api.models import Chat as ChatState
from coze_api.models import ChatStatus, Message
from coze_api.models import chat as _models
from coze_api.operations import chat as _operations
from coze_api.resources.chat import AsyncChatAPI, ChatAPI

from ._arguments import split
from ._chat_stream import AsyncChatStream, ChatStream, answer_of, follow_ups_of
from .errors import ChatFailed, PollTimeout

if TYPE_CHECKING:
    from coze_api.models import ChatUsage
    from coze_api.params.chat import CreateParams, RetrieveParams, StreamParams, SubmitToolOutputsStreamParams

__all__ = ["AsyncChat", "Chat", "ChatResult"]

_LONGEST_PAUSE = 5.0


@attrs.frozen
class ChatResult:
    """A chat that has ended, or that waits for the caller.

    Attributes:
        chat: Its final state.
        messages: Its messages.
    """

    chat: ChatState
    messages: list[Message]

    @property
    def status(self) -> ChatStatus:
        """How it ended; `ChatStatus.REQUIRES_ACTION` where it waits for tool outputs."""
        return self.chat.status

    @property
    def text(self) -> str:
        """The answer."""
        return answer_of(self.messages)

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests."""
        return follow_ups_of(self.messages)

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used."""
        return self.chat.usage

    @property
    def logid(self) -> str:
        """Log id of the call that told the end."""
        return self.chat.logid


def _again(chat: ChatState, arguments: CreateParams) -> RetrieveParams:
    """Return the arguments for asking about a chat that was started with *arguments*."""
    return {
        "conversation_id": chat.conversation_id,
        "chat_id": chat.id,
        "extra_headers": arguments.get("extra_headers"),
        "timeout": arguments.get("timeout"),
    }


@attrs.define
class _Waiting:
    """Decides when to ask for a chat again, and when to stop."""

    interval: float
    limit: float
    _started: float = attrs.field(factory=time.monotonic, init=False)
    _pause: float = attrs.field(default=0.0, init=False)

    def goes_on(self, chat: ChatState) -> bool:
        """Tell whether the chat still runs. A status that the description does not know ends the waiting.

        Raises:
            PollTimeout: It runs for too long.
        """
        poll = _operations.CREATE.poll
        assert poll is not None
        if getattr(chat, poll.status) not in poll.pending:
            return False
        if time.monotonic() - self._started >= self.limit:
            raise PollTimeout(f"the chat {chat.id} did not end within {self.limit:g} s", chat=chat)
        return True

    def pause(self) -> float:
        """Return the seconds to wait: the interval, growing by half each time, up to 5 seconds."""
        self._pause = min(max(self._pause * 1.5, self.interval), max(_LONGEST_PAUSE, self.interval))
        remaining = self.limit - (time.monotonic() - self._started)
        return max(min(self._pause, remaining), 0.0)


def _checked(chat: ChatState) -> ChatState:
    """Raise what a failed chat tells."""
    if chat.status is not ChatStatus.FAILED:
        return chat
    told = encode(chat.last_error)
    told = told if isinstance(told, dict) else {}
    code = code_of(told)
    error = ChatFailed(
        str(told.get("msg") or "the chat failed"),
        code=code,
        status=chat.response.status,
        logid=chat.logid,
        operation=_operations.RETRIEVE.id,
        hint=hint(code, 200, None),
        retryable=retryable(code, 200),
        response=chat.response,
    )
    error.chat = chat
    raise error


class Chat(ChatAPI):
    """Chat with a bot: by stream, or by starting a chat and asking for its result."""

    def stream(self, **arguments: Unpack[StreamParams]) -> ChatStream:
        """Start a chat and follow it. Takes the arguments of `create`.

        Returns:
            The stream. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
            APIError: On opening: Coze refused the call.
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream broke off.
        """
        own, options = split(ChatAPI.stream, arguments)
        return self._client.stream(_operations.STREAM, _models.ChatStream, own, options, ChatStream)

    def submit_tool_outputs_stream(self, **arguments: Unpack[SubmitToolOutputsStreamParams]) -> ChatStream:
        """Hand over results of tool calls and follow the chat as it goes on. See `stream`."""
        own, options = split(ChatAPI.submit_tool_outputs_stream, arguments)
        operation = _operations.SUBMIT_TOOL_OUTPUTS_STREAM
        return self._client.stream(operation, _models.ChatStream, own, options, ChatStream)

    def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[CreateParams]
    ) -> ChatResult:
        """Start a chat without streaming and wait until it ends.

        Args:
            poll_interval: Seconds before asking again; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`. `extra_headers` and `timeout` go with every request.

        Returns:
            The chat with its messages, when it was completed or canceled, or waits for tool outputs.

        Raises:
            ChatFailed: The chat failed.
            PollTimeout: It did not end in time.
            APIError: Coze refused a call.
        """
        chat: ChatState = self.create(**arguments)
        waiting, again = _Waiting(poll_interval, poll_timeout), _again(chat, arguments)
        while waiting.goes_on(chat):
            time.sleep(waiting.pause())
            chat = self.retrieve(**again)
        return ChatResult(_checked(chat), self.messages.list(**again))


class AsyncChat(AsyncChatAPI):
    """Chat with a bot: by stream, or by starting a chat and asking for its result."""

    def stream(self, **arguments: Unpack[StreamParams]) -> AsyncChatStream:
        """Start a chat and follow it. See the sync client."""
        own, options = split(AsyncChatAPI.stream, arguments)
        return self._client.stream(_operations.STREAM, _models.ChatStream, own, options, AsyncChatStream)

    def submit_tool_outputs_stream(self, **arguments: Unpack[SubmitToolOutputsStreamParams]) -> AsyncChatStream:
        """Hand over results of tool calls and follow the chat as it goes on. See `stream`."""
        own, options = split(AsyncChatAPI.submit_tool_outputs_stream, arguments)
        operation = _operations.SUBMIT_TOOL_OUTPUTS_STREAM
        return self._client.stream(operation, _models.ChatStream, own, options, AsyncChatStream)

    async def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[CreateParams]
    ) -> ChatResult:
        """Start a chat without streaming and wait until it ends. See the sync client."""
        from anyio import sleep  # comes with httpx; serves asyncio and trio alike

        chat: ChatState = await self.create(**arguments)
        waiting, again = _Waiting(poll_interval, poll_timeout), _again(chat, arguments)
        while waiting.goes_on(chat):
            await sleep(waiting.pause())
            chat = await self.retrieve(**again)
        return ChatResult(_checked(chat), await self.messages.list(**again))
