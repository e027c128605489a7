"""Sending messages in the background."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, Self

from coze_api._core._messages import EncodedMessage

from ..errors import SocketClosed
from .concurrency import AsyncWorker, AsyncWorkerError

__all__ = ["AsyncSender"]


class AsyncSender:
    """Sends messages: those of a list at once, those of other iterables in a thread or task.

    Args:
        send: Sends an encoded message.
        encode: Checks and encodes a message.
        messages: The messages.
        running: The senders that are running now, to which this one adds itself.
    """

    def __init__(
        self,
        send: Callable[[EncodedMessage], Awaitable[None]],
        encode: Callable[[Any], EncodedMessage],
        messages: list[Any] | AsyncIterable[Any],
        running: set[AsyncSender],
    ) -> None:
        self._send = send
        self._encode = encode
        self._messages = messages
        self._running = running
        self._worker = AsyncWorker("cozekit-sender")
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        if isinstance(self._messages, list):
            for message in self._messages:
                await self._send(self._encode(message))
        else:
            self._running.add(self)
            self._worker.start(self._run, self._messages)
        return self

    async def _run(self, messages: AsyncIterable[Any]) -> None:
        try:
            async for message in messages:
                if not await self._worker.proceed():
                    return
                await self._send(self._encode(message))
        except SocketClosed:
            pass  # the receiver raises it, after the messages that arrived before
        except AsyncWorkerError as error:
            self._failure = error
        finally:
            self._running.discard(self)
            if hasattr(messages, "aclose"):
                await messages.aclose()  # a generator should end in the thread or task that runs it

    def raise_failure(self) -> None:
        """Raise the exception that ended sending, if there was one."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    async def stop(self) -> None:
        """Stop sending."""
        await self._worker.stop()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
