"""Sessions over a WebSocket: send, receive, keep alive, close. What is special to a protocol is in its subclass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from coze_api._core._handshake import Handshake

from ..errors import SocketClosed
from .handshake import open_wire
from .options import SocketOptions
from .sender import Sender
from .session_state import SocketState

if TYPE_CHECKING:
    from coze_api._core._client import BaseClient

    from .connection import Wire

__all__ = ["NORMAL", "Session", "wire_closed"]

U = TypeVar("U")
D = TypeVar("D")
NORMAL = {1000, 1001}  # close codes that end the session without anything having gone wrong


class Session(Generic[U, D]):
    """A WebSocket. Opened by `with`, or by the first message sent or awaited; closed by leaving `with`.

    One thread may receive while others send.

    Iterating over it yields every message, whatever it is, until the connection is closed. A message that tells a
    failure is raised as `SocketFailed` or `ChatFailed`, after which one may go on.
    """

    def __init__(
        self, client: BaseClient, handshake: Handshake[U, D], options: SocketOptions, settings: U | None = None
    ) -> None:
        self._client = client
        self._state = SocketState(handshake, options)
        self._wire: Wire | None = None
        self._settings = settings
        self._senders: set[Sender] = set()
        self._over = threading.Event()
        self._is_closed = False
        self._heart: threading.Thread | None = None
        self._ping: tuple[float, threading.Event] | None = None
        self._opening = threading.Lock()
        self._talking = threading.Lock()
        if settings is not None:
            self._state.encode(settings)  # what does not fit is told before a connection is made

    @property
    def logid(self) -> str:
        """Log id of the connection, which Coze support asks for; "" until it is open."""
        return self._state.logid

    @property
    def is_open(self) -> bool:
        """Whether the connection was opened and is not closed, as far as is known here."""
        return self._wire is not None and self._state.closed is None and not self._over.is_set()

    @property
    def received(self) -> int:
        """How many messages arrived."""
        return self._state.received

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._state.operation}, logid={self.logid!r}, open={self.is_open})"

    def open(self) -> Self:
        """Connect, and send the settings where there are any; returns when Coze has confirmed them.

        Raises:
            APIError: Coze refused the handshake.
            APIConnectionError: There was no answer.
            SocketFailed: Coze refused the settings.
        """
        with self._opening:
            if self._wire is not None:
                return self
            self._wire, self._state.logid = open_wire(self._client, self._state.handshake, self._state.options)
            if self._state.options.ping_interval is not None:
                self._heart = threading.Thread(target=self._beat, name="cozekit-heartbeat", daemon=True)
                self._heart.start()
        if self._settings is not None:
            try:
                self._apply(self._settings)
            except BaseException:
                self.close()
                raise
        return self

    def _apply(self, settings: U) -> None:
        """Send settings, and wait until Coze confirms them where it does. What arrives until then stays for later."""
        self.send(settings)
        awaited = self._confirmations(settings)
        while awaited:
            message = self._receive()
            if self._state.kind_of(message) in awaited:
                return
            self._state.pending.append(message)

    def _confirmations(self, settings: U) -> frozenset[str]:
        """Name the kinds of message that confirm settings."""
        return self._state.confirmations(settings)

    def send(self, message: U) -> str:
        """Send a message.

        Args:
            message: One of the protocol's uplink messages, or a dict of the same form. An `Unknown` is sent unchecked.

        Returns:
            The message's id, which is made where it has none.

        Raises:
            InvalidArgumentError: The message does not fit the description; nothing was sent.
            SocketClosed: The connection is closed.
        """
        number, frame = self._state.encode(message)
        self.open()
        assert self._wire is not None
        try:
            with self._talking:
                self._wire.send(frame)
        except wire_closed() as closed:
            raise self._state.over(closed, self) from closed
        self._state.sent()
        return number

    def recv(self, timeout: float | None = None) -> D:
        """Wait for the next message.

        Args:
            timeout: Seconds to wait. Default: the option `idle_timeout`.

        Returns:
            The message; an `Unknown` where the description does not know its kind.

        Raises:
            SocketFailed: The message tells a failure; the session may go on.
            ChatFailed: The message tells that a chat failed; the session may go on.
            SocketClosed: The connection is closed, and no message is left.
            APITimeoutError: None came in time. The session is still open.
        """
        return self._state.pending.popleft() if self._state.pending else self._receive(timeout=timeout)

    def _receive(self, sender: Sender | None = None, *, timeout: float | None = None) -> D:
        """Wait for a message that was not seen yet."""
        self.open()
        assert self._wire is not None
        began, looked = time.monotonic(), 0
        while True:
            if self._is_closed:
                raise self._state.left(self)
            if sender is not None:
                sender.raise_failure()
            wait = self._state.wait(began, looked, timeout, beside=sender is not None)
            try:
                frame = self._wire.receive(wait)
            except TimeoutError:
                looked += 1
                self._look_alive(self._wire, began)
                continue
            except wire_closed() as closed:
                if sender is not None:
                    sender.raise_failure()
                raise self._state.over(closed, self) from closed
            message = self._state.decode(frame)
            if (failure := self._state.failure(message, self)) is not None:
                raise failure
            return message

    def _look_alive(self, wire: Wire, began: float) -> None:
        """Hang up where a ping was not answered in time."""
        ping = self._ping
        if ping is not None and not ping[1].is_set() and self._state.gives_up(ping[0], began):
            wire.abort()

    def _beat(self) -> None:
        assert self._wire is not None
        while not self._over.wait(self._state.options.ping_interval):
            if self._ping is None or self._ping[1].is_set():
                pong = self._wire.ping()
                if pong is None:
                    return
                self._ping = (time.monotonic(), pong)

    def __iter__(self) -> Iterator[D]:
        return self

    def __next__(self) -> D:
        try:
            return self.recv()
        except SocketClosed as closed:
            if self._over.is_set() or (closed.clean and closed.code in NORMAL):
                raise StopIteration from None
            raise

    def _exchange(
        self, messages: Iterable[U], is_end: Callable[[D], bool] | None = None, *, closes: bool = True
    ) -> Generator[D, None, None]:
        """Send messages, and yield what arrives until the end of what was asked.

        Args:
            messages: What is sent, beside receiving; a list is sent before.
            is_end: Tells the last message. Default: what the description says.
            closes: Whether leaving early closes the session: what is still to come would be taken for the answer to
                the next question.
        """
        is_end = is_end or self._state.is_end
        self.open()
        ended = False
        with Sender(self, messages, self._senders) as sender:
            try:
                while not ended:
                    message = self.recv() if self._state.pending else self._receive(sender)
                    ended = is_end(message)
                    yield message
            finally:
                sender.stop()
                if not ended and closes:
                    self.close()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye and hang up. Safe to call at any time and more than once."""
        self._over.set()
        for sender in list(self._senders):
            sender.stop()
        if self._wire is not None and not self._is_closed:
            self._is_closed = True
            # Whoever sends may be blocked by a server that does not read, and would block the goodbye, too.
            if self._talking.acquire(timeout=self._state.options.close_timeout or -1):
                self._talking.release()
                self._wire.close(code, reason)
            else:
                self._wire.abort()
        if self._heart is not None and self._heart is not threading.current_thread():
            self._heart.join()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()


def wire_closed() -> Any:
    """Return the exception that tells that a connection is over."""
    from .connection import WireClosed  # loads websockets, which is there once a connection is

    return WireClosed
