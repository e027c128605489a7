"""Canceling a chat that its caller no longer waits for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from coze_api.models import Chat
from coze_api.operations import chat as _operations

from .._polling_async import is_pending
from ..errors import CozeError

__all__ = ["acancel_chat", "cancel_chat", "is_cancelable"]

_CANCEL_TIMEOUT = 5.0  # seconds
_log = logging.getLogger("cozekit.chat")


def is_cancelable(chat: Chat | None) -> bool:
    """Return whether a chat runs, as far as is known. One that waits for its caller cannot be canceled."""
    return chat is not None and is_pending(_operations.CREATE, chat)


def cancel_chat(chats: Any, chat: Chat | None) -> None:
    """Cancel a chat by the resource *chats* if it runs. Errors are logged, not raised."""
    if chat is not None and is_cancelable(chat):
        with _errors_logged(chat):
            chats.cancel(conversation_id=chat.conversation_id, chat_id=chat.id, timeout=_CANCEL_TIMEOUT)


async def acancel_chat(chats: Any, chat: Chat | None) -> None:
    """Cancel a chat by the resource *chats* if it runs, even in a task that is being canceled itself."""
    from anyio import move_on_after  # comes with httpx; works on asyncio and trio

    if chat is not None and is_cancelable(chat):
        with _errors_logged(chat), move_on_after(_CANCEL_TIMEOUT, shield=True):
            await chats.cancel(conversation_id=chat.conversation_id, chat_id=chat.id)


@contextmanager
def _errors_logged(chat: Chat) -> Iterator[None]:
    try:
        yield
    except CozeError as error:
        _log.info("chat %s could not be canceled: %s", chat.id, error)
