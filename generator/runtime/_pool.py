# @generated from _pool_async.py by `python -m generator sync`; do not edit.
"""Connections, and the requests that wait for one.

A pool of the HTTP library looks at all its connections, and at all requests that wait, whenever a request begins or
ends. With thousands it keeps the processor busy until they fail. Here each connection is a pool of its own, and each
request costs the same, however many there are.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from threading import Lock
from time import monotonic
from typing import Any

from ._http import CONNECTED, KEEPALIVE_SECONDS, ByteStream, HTTPRequest, HTTPResponse, HTTPTransport, PoolTimeout
from ._pool_async import LOG_PAUSE, LONG_WAIT
from ._turn import Turn

__all__ = ["LOG_PAUSE", "LONG_WAIT", "ConnectionLimit", "ConnectionPool"]


class ConnectionLimit:
    """Limits how many requests are under way at once. Those above it are sent in the order they came.

    Args:
        max_connections: The limit.
    """

    def __init__(self, max_connections: int) -> None:
        self._max_connections = self._free = max_connections
        self._waiting: OrderedDict[Turn, None] = OrderedDict()
        self._lock = Lock()
        self._next_log = 0.0

    def acquire(self, request: HTTPRequest) -> None:
        """Wait until there is room for a request.

        Raises:
            PoolTimeout: There was no room in the seconds that the request may wait.
        """
        with self._lock:
            if self._free:  # no request waits then
                self._free -= 1
                return
            turn = Turn()
            self._waiting[turn] = None
        try:
            has_room = self._wait(turn, request.extensions.get("timeout", {}).get("pool"))
        except BaseException:
            if not self._leave(turn):
                self.release()  # the turn came at the same moment
            raise
        if not has_room and self._leave(turn):
            raise PoolTimeout("no connection became free", request=request)

    def _wait(self, turn: Turn, seconds: float | None) -> bool:
        """Wait for a turn, and log it if that takes long; return whether it came."""
        while seconds is None or seconds > LONG_WAIT:
            if turn.wait(LONG_WAIT):
                return True
            self._log_long_wait()
            seconds = None if seconds is None else seconds - LONG_WAIT
        return turn.wait(seconds)

    def _log_long_wait(self) -> None:
        with self._lock:
            if monotonic() < self._next_log:
                return
            self._next_log = monotonic() + LOG_PAUSE
            under_way, waiting = self._max_connections - self._free, len(self._waiting)
        logging.getLogger("coze_api.connections").warning(
            "%d requests and streams are under way, which is the limit; %d more wait for one of them to end, some for"
            " over %g s. Close streams that are no longer read; set deadline= to bound the wait.",
            under_way,
            waiting,
            LONG_WAIT,
        )

    def release(self) -> None:
        """Make room for another request."""
        with self._lock:
            if self._waiting:
                turn, _ = self._waiting.popitem(last=False)
                turn.set()
            else:
                self._free += 1

    def _leave(self, turn: Turn) -> bool:
        """Leave the queue; False if the turn has come already."""
        with self._lock:
            return self._waiting.pop(turn, turn) is None


class ConnectionPool(HTTPTransport):
    """A transport that sends each request by the connection that was used last, or by a new one.

    Args:
        make: Makes a transport for one connection.
        limit: Limits the requests of all transports of a client.
        prepare_tls: Called before the first request to an https address.
    """

    def __init__(
        self, make: Callable[[], HTTPTransport], limit: ConnectionLimit, prepare_tls: Callable[[], object] | None = None
    ) -> None:
        self._make = make
        self._limit = limit
        self._prepare_tls = prepare_tls
        self._lock = Lock()
        self._connections: set[_Connection] = set()
        self._idle: deque[_Connection] = deque()
        self._put_back(self._add())

    def handle_request(self, request: HTTPRequest) -> HTTPResponse:
        """Send a request once there is room for it. Closing the response makes room again.

        Raises:
            PoolTimeout: There was no room in time.
        """
        prepare = self._prepare_tls  # other threads may have called it in the next moment
        if prepare is not None and request.url.scheme == "https":
            prepare()
            self._prepare_tls = None
        self._limit.acquire(request)
        connection = self._take()
        try:
            while stale := self._take_stale():
                stale.transport.close()
            if connection.stream is not None and (connected := request.extensions.get(CONNECTED)):
                connected(connection.stream)
            response = connection.transport.handle_request(request)
            connection.stream = response.extensions.get("network_stream")
            assert isinstance(response.stream, ByteStream)
            response.stream = _Body(response.stream, lambda: self._release(connection))
        except BaseException:
            self._release(connection)
            raise
        return response

    def _add(self) -> _Connection:
        connection = _Connection(self._make())
        self._connections.add(connection)
        return connection

    def _take(self) -> _Connection:
        with self._lock:
            return self._idle.pop() if self._idle else self._add()

    def _take_stale(self) -> _Connection | None:
        """Remove the connection that was not used for the longest time, if that was too long."""
        with self._lock:
            if not self._idle or monotonic() - self._idle[0].used_at < KEEPALIVE_SECONDS:
                return None
            connection = self._idle.popleft()
            self._connections.remove(connection)
            return connection

    def _put_back(self, connection: _Connection) -> None:
        with self._lock:
            connection.used_at = monotonic()
            self._idle.append(connection)

    def _release(self, connection: _Connection) -> None:
        self._put_back(connection)
        self._limit.release()

    def close(self) -> None:
        """Close all connections."""
        for connection in list(self._connections):  # other threads may add some
            connection.transport.close()


class _Connection:
    """A connection.

    Attributes:
        transport: Its transport, which opens it again where it was closed.
        stream: Its network stream, as of its last response.
        used_at: When its last response was closed.
    """

    def __init__(self, transport: HTTPTransport) -> None:
        self.transport = transport
        self.stream: Any = None
        self.used_at = 0.0


class _Body(ByteStream):
    """The body of a response, which makes room for another request when it is closed."""

    def __init__(self, stream: ByteStream, release: Callable[[], None]) -> None:
        self._stream = stream
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            release, self._release = self._release, None
            if release is not None:
                release()
