"""Waiting for a connection, in front of the pool of the HTTP library.

That pool compares every waiting request with every connection whenever a request begins or ends: where thousands wait,
it keeps the processor busy until they fail. Here they wait in order, and each costs the same.
"""

# Not derived: threads are few and wait in the library's own pool.

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from ._http import AsyncByteStream, AsyncHTTPClient, HTTPRequest, HTTPResponse, PoolTimeout, send_async

if TYPE_CHECKING:
    from anyio import Event

__all__ = ["AsyncConnectionLimit"]


class AsyncConnectionLimit:
    """Limits how many requests of an event loop are under way at once. Those above it are sent in the order they came.

    Args:
        max_connections: The limit; None for no limit.
    """

    def __init__(self, max_connections: int | None) -> None:
        self._free = max_connections
        self._waiting: OrderedDict[Event, None] = OrderedDict()

    async def send(self, http: AsyncHTTPClient, request: HTTPRequest, options: dict[str, Any]) -> HTTPResponse:
        """Send a request once there is room for it. Its response is not read; closing it makes room again.

        Raises:
            PoolTimeout: There was no room in time.
        """
        if self._free is None:
            return await send_async(http, request, stream=True, **options)
        await self._acquire(request)
        try:
            response = await send_async(http, request, stream=True, **options)
        except BaseException:
            self._release()
            raise
        if response.is_closed:
            self._release()
        else:
            assert isinstance(response.stream, AsyncByteStream)
            response.stream = _Released(response.stream, self)
        return response

    async def _acquire(self, request: HTTPRequest) -> None:
        assert self._free is not None
        if self._free:  # no request waits then
            self._free -= 1
            return
        from anyio import Event, fail_after  # comes with httpx

        turn = Event()
        self._waiting[turn] = None
        try:
            with fail_after(request.extensions["timeout"]["pool"]):
                await turn.wait()
        except BaseException as error:
            if turn in self._waiting:
                del self._waiting[turn]
            else:
                self._release()  # the turn came at the same moment
            if isinstance(error, TimeoutError):
                raise PoolTimeout("no connection became free", request=request) from None
            raise

    def _release(self) -> None:
        if self._waiting:
            turn, _ = self._waiting.popitem(last=False)
            turn.set()
        elif self._free is not None:
            self._free += 1


class _Released(AsyncByteStream):
    """The body of a response, which makes room for another request when it is closed."""

    def __init__(self, stream: AsyncByteStream, limit: AsyncConnectionLimit) -> None:
        self._stream = stream
        self._limit: AsyncConnectionLimit | None = limit

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            limit, self._limit = self._limit, None
            if limit is not None:
                limit._release()
