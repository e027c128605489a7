"""Sending beside receiving: by a thread, or by a task."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, Self

from ..errors import SocketClosed

if TYPE_CHECKING:
    from .session import Session
    from .session_async import AsyncSession

__all__ = ["AsyncSender", "Sender"]

_PATIENCE = 2.0  # seconds for the thread to notice that it should stop; a source that gives nothing may block it


class Sender:
    """Sends what an iterable gives, on a thread of its own. A list is sent at once, without one."""

    def __init__(self, session: Session[Any, Any], messages: Iterable[Any], running: set[Sender]) -> None:
        self._session = session
        self._messages = messages
        self._running = running
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if isinstance(self._messages, list):
            for message in self._messages:
                self._session.send(message)
        else:
            self._running.add(self)
            self._thread = threading.Thread(target=self._run, name="cozekit-sender", daemon=True)
            self._thread.start()
        return self

    def _run(self) -> None:
        try:
            for message in self._messages:
                if self._stopped.is_set():
                    return
                self._session.send(message)
        except SocketClosed:
            pass  # whoever receives learns of it, after what arrived before
        except BaseException as error:
            self._failure = error
        finally:
            self._running.discard(self)
            if hasattr(self._messages, "close"):
                self._messages.close()  # the caller's generators end where they are used

    def raise_failure(self) -> None:
        """Raise what went wrong while sending, if anything did."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)

    def __exit__(self, *_: object) -> None:
        self.stop()


class AsyncSender:
    """Sends what an iterable gives, in a task of its own. A list is sent at once, without one."""

    def __init__(
        self,
        session: AsyncSession[Any, Any],
        messages: list[Any] | AsyncIterable[Any],
        running: set[AsyncSender],
    ) -> None:
        self._session = session
        self._messages = messages
        self._running = running
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if isinstance(self._messages, list):
            for message in self._messages:
                await self._session.send(message)
        else:
            self._running.add(self)
            self._task = asyncio.create_task(self._run(), name="cozekit-sender")
        return self

    async def _run(self) -> None:
        assert not isinstance(self._messages, list)
        try:
            async for message in self._messages:
                await self._session.send(message)
                await asyncio.sleep(0)  # sending does not wait while there is room, and receiving wants its turn
        except SocketClosed:
            pass  # whoever receives learns of it, after what arrived before
        except Exception as error:
            self._failure = error
        finally:
            self._running.discard(self)
            if hasattr(self._messages, "aclose"):
                await self._messages.aclose()  # the caller's generators end where they are used

    def raise_failure(self) -> None:
        """Raise what went wrong while sending, if anything did."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    async def stop(self) -> None:
        """Send nothing more."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
