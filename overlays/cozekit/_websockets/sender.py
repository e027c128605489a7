# @generated from sender_async.py by `python -m generator sync`; do not edit.
"""Sending messages in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

from coze_api._core._messages import EncodedMessage

from ..errors import SocketClosed
from .concurrency import Worker, WorkerError

__all__ = ["Sender"]


class Sender:
    """Sends messages: those of a list at once, those of other iterables in a thread or task.

    Args:
        send: Sends an encoded message.
        encode: Checks and encodes a message.
        messages: The messages.
        running: The senders that are running now, to which this one adds itself.
    """

    def __init__(
        self,
        send: Callable[[EncodedMessage], None],
        encode: Callable[[Any], EncodedMessage],
        messages: list[Any] | Iterable[Any],
        running: set[Sender],
    ) -> None:
        self._send = send
        self._encode = encode
        self._messages = messages
        self._running = running
        self._worker = Worker("cozekit-sender")
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        if isinstance(self._messages, list):
            for message in self._messages:
                self._send(self._encode(message))
        else:
            self._running.add(self)
            self._worker.start(self._run, self._messages)
        return self

    def _run(self, messages: Iterable[Any]) -> None:
        try:
            for message in messages:
                if not self._worker.proceed():
                    return
                self._send(self._encode(message))
        except SocketClosed:
            pass  # the receiver raises it, after the messages that arrived before
        except WorkerError as error:
            self._failure = error
        finally:
            self._running.discard(self)
            if hasattr(messages, "close"):
                messages.close()  # a generator should end in the thread or task that runs it

    def raise_failure(self) -> None:
        """Raise the exception that ended sending, if there was one."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def stop(self) -> None:
        """Stop sending."""
        self._worker.stop()

    def __exit__(self, *_: object) -> None:
        self.stop()
