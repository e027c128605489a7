"""Canceling a chat at the server when its caller leaves it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from coze_api.models import Chat
from coze_api.operations import chat as _operations

from .._polling import is_pending
from ..errors import CozeError, StreamInterrupted
from .stream import ChatStream
from .stream_async import AsyncChatStream

__all__ = ["AsyncLeavableStream", "LeavableStream", "acancel_chat", "cancel_chat", "is_cancelable"]

_CANCEL_TIMEOUT = 5.0  # seconds that leaving may take
_log = logging.getLogger("cozekit.chat")


def is_cancelable(chat: Chat | None) -> bool:
    """Tell whether a chat, as far as it is known, can be canceled. One that waits for its caller cannot."""
    return chat is not None and is_pending(_operations.CREATE, chat)


def cancel_chat(send: Callable[..., Any], chat: Chat | None) -> None:
    """Cancel a chat by the method *send* if it runs. A refusal is told to the log alone: whoever leaves, leaves."""
    if chat is None or not is_cancelable(chat):
        return
    try:
        send(conversation_id=chat.conversation_id, chat_id=chat.id, timeout=_CANCEL_TIMEOUT)
    except CozeError as error:
        _log.info("chat %s was left and could not be canceled: %s", chat.id, error)


async def acancel_chat(send: Callable[..., Awaitable[Any]], chat: Chat | None) -> None:
    """Cancel a chat by the method *send* if it runs, even while the caller is being cancelled itself."""
    from anyio import move_on_after  # comes with httpx; serves asyncio and trio alike

    if chat is None or not is_cancelable(chat):
        return
    with move_on_after(_CANCEL_TIMEOUT, shield=True):
        try:
            await send(conversation_id=chat.conversation_id, chat_id=chat.id)
        except CozeError as error:
            _log.info("chat %s was left and could not be canceled: %s", chat.id, error)


class LeavableStream(ChatStream):
    """A stream whose chat is canceled where it is closed before its end.

    A stream that broke off is not: its chat may still be asked for.
    """

    _cancel: Callable[..., Any] | None = None

    def canceling_by(self, send: Callable[..., Any]) -> LeavableStream:
        """Set the method that cancels, and return the stream."""
        self._cancel = send
        return self

    def close(self) -> None:
        """Give the connection back, and cancel the chat if it still runs."""
        send, self._cancel = self._cancel, None
        try:
            super().close()
        finally:
            if send is not None and not self.ended:
                cancel_chat(send, self.chat)

    def __exit__(self, *details: object) -> None:
        if isinstance(details[1], StreamInterrupted):
            self._cancel = None
        super().__exit__(*details)


class AsyncLeavableStream(AsyncChatStream):
    """A stream whose chat is canceled where it is closed before its end. See `LeavableStream`."""

    _cancel: Callable[..., Awaitable[Any]] | None = None

    def canceling_by(self, send: Callable[..., Awaitable[Any]]) -> AsyncLeavableStream:
        """Set the method that cancels, and return the stream."""
        self._cancel = send
        return self

    async def close(self) -> None:
        """Give the connection back, and cancel the chat if it still runs."""
        send, self._cancel = self._cancel, None
        try:
            await super().close()
        finally:
            if send is not None and not self.ended:
                await acancel_chat(send, self.chat)

    async def __aexit__(self, *details: object) -> None:
        if isinstance(details[1], StreamInterrupted):
            self._cancel = None
        await super().__aexit__(*details)
