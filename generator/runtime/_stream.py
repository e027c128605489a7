"""Streams of typed events, over one HTTP answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

from . import _json
from ._errors import CozeError, StreamFailed, StreamInterrupted
from ._http import HTTPError, HTTPResponse, StreamError
from ._model import Model
from ._operation import Operation, Protocol
from ._response import Response, code_of, logid_of, parse, retryable, undecodable
from ._sse import EventTooLarge, ServerEvent, SSEDecoder

__all__ = ["AsyncStream", "Stream", "is_event_stream", "refusal"]

E = TypeVar("E")
_PATIENCE = 1.0  # seconds for the end of the HTTP answer after the last event
_TRAILING = 8  # chunks to read past the end of a stream before its connection is given up


def is_event_stream(http: HTTPResponse) -> bool:
    """Tell whether an answer is a stream, by what it says of itself."""
    content_type: str = http.headers.get("content-type", "")
    return http.is_success and content_type.partition(";")[0].strip().lower() == "text/event-stream"


def refusal(operation: Operation[Any], http: HTTPResponse) -> CozeError:
    """Make the error for an answer that is no stream or file. Its body must have been read."""
    try:
        answer = parse(operation.id, operation.permission, http)
    except CozeError as error:
        return error
    return undecodable(operation.id, http, logid_of(answer, http), f"it is not what was asked for: {http.text[:80]!r}")


class _StreamState(Generic[E]):
    """All that sync and async streams decide alike; only reading and closing differ."""

    def __init__(self, operation: Operation[Any], protocol: Protocol[E], max_event_bytes: int) -> None:
        self._operation = operation
        self._protocol = protocol
        self._decoder = SSEDecoder(max_event_bytes)
        self._http: HTTPResponse | None = None
        self._ended = False
        self._closed = False
        self._may_end = False
        self._count = 0
        self._rest = b""
        self._last: E | None = None
        self._failure: CozeError | None = None

    @property
    def response(self) -> Response:
        """The HTTP answer.

        Raises:
            RuntimeError: The stream was not opened yet.
        """
        if self._http is None:
            raise RuntimeError("the stream is not open yet: enter it with `with`, or iterate")
        return Response(self._http, self.logid)

    @property
    def logid(self) -> str:
        """Log id of the call; "" until the stream is open."""
        return "" if self._http is None else logid_of({}, self._http)

    @property
    def ended(self) -> bool:
        """Whether the stream came to its proper end."""
        return self._ended

    def _see(self, event: E) -> None:
        """Take note of an event before the caller gets it. For subclasses."""

    def _events(self, chunk: bytes | None) -> Iterator[E]:
        """Decode a chunk, or what is left at the end of input; stop after the event that ends the stream."""
        try:
            found = self._flush() if chunk is None else self._decoder.feed(chunk)
        except EventTooLarge as error:
            raise self._interrupted(str(error)) from error
        events = self._protocol.events
        for name, data, number in found:
            kind = events.get(name)
            event = self._unknown(name, data, number) if kind is None else kind.make(_value(data), number or None)
            self._count += 1
            self._last = event
            self._see(event)
            if kind is not None and kind.ends != "never":
                self._ended = kind.ends == "always"
                self._may_end = True
            if kind is not None and kind.fails:
                self._ended = True
                raise self._failed(event)
            yield event
            if self._ended:
                return

    def _flush(self) -> list[ServerEvent]:
        """Decode what is left at the end of input, without an event whose data was cut off."""
        rest = self._decoder.pending
        found = self._decoder.flush()
        if found and _is_cut(found[-1][1]):
            found.pop()
            self._rest = rest
        return found

    def _unknown(self, name: str, data: str, number: str) -> E:
        value = _value(data)
        if not name and isinstance(value, dict) and value.get("code"):
            # An error answer inside a stream, without framing; see sse_events.json, error_delivery.
            event = self._protocol.unknown(name, value, number or None)
            self._count, self._last, self._ended = self._count + 1, event, True
            raise self._failed(event)
        return self._protocol.unknown(name, value, number or None)

    def _failed(self, event: E) -> CozeError:
        from ..errors import hint

        told = failure_of(event)
        code = code_of(told)
        error = StreamFailed(
            str(told.get("msg") or "the stream reported a failure"),
            code=code,
            status=self.response.status,
            logid=self.logid,
            operation=self._operation.id,
            hint=hint(code, 200, self._operation.permission),
            debug_url=str(told.get("debug_url") or ""),
            retryable=retryable(code, 200),
        )
        error.event = event
        return self._remember(error)

    def _interrupted(self, reason: str) -> CozeError:
        return self._remember(
            StreamInterrupted(
                reason,
                operation=self._operation.id,
                logid=self.logid,
                stream=self,
                events=self._count,
                last_event=self._last,
                rest=self._rest or self._decoder.pending,
            )
        )

    def _remember(self, error: CozeError) -> CozeError:
        self._failure = error
        return error

    def _raise_if_broken(self) -> None:
        """Raise again what ended the stream: reading on does not turn a failure into an end."""
        if self._failure is not None:
            raise self._failure from self._failure.__cause__
        if self._closed and not self._ended:
            raise self._interrupted("it was closed here before its end")

    def _raise_unless_ended(self) -> None:
        """Refuse to look finished after a read that was cancelled: nothing can be read any more, but it was no end."""
        if not self._ended:
            raise self._interrupted("a read was cancelled before its end")

    def _finish(self) -> None:
        """Decide at the end of input whether it was the end of the stream."""
        if self._ended or self._may_end:
            self._ended = True
        else:
            raise self._interrupted("the server closed it without an ending event")


def failure_of(event: Any) -> dict[str, Any]:
    """Find code and message in a failure event: bare, in `last_error`, or as `error_code` and `error_message`."""
    data = getattr(event, "data", None)
    told = data.to_dict() if isinstance(data, Model) else data
    if not isinstance(told, dict):
        return {"msg": told} if isinstance(told, str) else {}
    inner = told.get("last_error")
    merged = {**told, **inner} if isinstance(inner, dict) else dict(told)
    merged["code"] = merged.get("code") or told.get("error_code")
    merged["msg"] = merged.get("msg") or told.get("error_message")
    return merged


def _value(data: str) -> Any:
    if not data:
        return None
    try:
        return _json.loads(data)
    except ValueError:
        return data  # [DONE] without quotes, or a text that a later version sends


def _is_cut(data: str) -> bool:
    """Tell whether the data of an event that lacks its blank line is only the beginning of what was to be sent."""
    return not data or (data.startswith("{") and not isinstance(_value(data), dict))


class Stream(_StreamState[E]):
    """A stream of events. Opened by `with` or by the first event; closed by the end, an error, or leaving `with`.

    Iterating ends in one of three ways: the stream's own end, `StreamFailed` where the stream tells a failure,
    `StreamInterrupted` where it breaks off.
    """

    def __init__(
        self, operation: Operation[Any], protocol: Protocol[E], open_: Callable[[], HTTPResponse], max_event_bytes: int
    ) -> None:
        super().__init__(operation, protocol, max_event_bytes)
        self._open = open_
        self._iterator: Generator[E, None, None] | None = None

    def open(self) -> Self:
        """Send the request, unless it was sent.

        Raises:
            APIError: Coze refused the call.
        """
        if self._http is None:
            self._http = self._open()
        return self

    def close(self) -> None:
        """Give the connection back. Safe to call at any time; reading on raises `StreamInterrupted`."""
        self._closed = True
        if self._http is not None:
            self._http.close()
        if self._iterator is not None:
            with suppress(ValueError):  # another thread is reading; the closed connection ends that
                self._iterator.close()

    def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream told a failure.
            StreamInterrupted: The stream broke off.
        """
        for _ in self:
            pass
        return self

    def __iter__(self) -> Iterator[E]:
        return self

    def __next__(self) -> E:
        if self._iterator is None:
            self._raise_if_broken()
            http = self.open()._http
            assert http is not None
            self._iterator = self._read(http)
        try:
            return next(self._iterator)
        except StopIteration:
            self._raise_if_broken()
            self._raise_unless_ended()
            raise

    def _read(self, http: HTTPResponse) -> Generator[E, None, None]:
        try:
            chunks = http.iter_bytes()
            try:
                for chunk in chunks:
                    yield from self._events(chunk)
                    if self._ended:
                        # The connection can be used again only after the end of the HTTP answer. It follows at once, or
                        # a read times out.
                        for _ in zip(range(_TRAILING), chunks, strict=False):
                            pass
                        return
            except (HTTPError, StreamError) as error:
                if not self._ended:
                    raise self._interrupted(f"{type(error).__name__}: {error}") from error
                return
            yield from self._events(None)
            self._finish()
        finally:
            http.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncStream(_StreamState[E]):
    """A stream of events. Opened by `async with` or by the first event; closed by the end, an error, or leaving.

    Iterating ends in one of three ways: the stream's own end, `StreamFailed` where the stream tells a failure,
    `StreamInterrupted` where it breaks off.
    """

    def __init__(
        self,
        operation: Operation[Any],
        protocol: Protocol[E],
        open_: Callable[[], Awaitable[HTTPResponse]],
        max_event_bytes: int,
    ) -> None:
        super().__init__(operation, protocol, max_event_bytes)
        self._open = open_
        self._iterator: AsyncGenerator[E, None] | None = None

    async def open(self) -> Self:
        """Send the request, unless it was sent.

        Raises:
            APIError: Coze refused the call.
        """
        if self._http is None:
            self._http = await self._open()
        return self

    async def close(self) -> None:
        """Give the connection back. Safe to call at any time; reading on raises `StreamInterrupted`."""
        self._closed = True
        if self._http is not None:
            await self._http.aclose()
        if self._iterator is not None:
            with suppress(RuntimeError):  # another task is reading; the closed connection ends that
                await self._iterator.aclose()

    async def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream told a failure.
            StreamInterrupted: The stream broke off.
        """
        async for _ in self:
            pass
        return self

    def __aiter__(self) -> AsyncIterator[E]:
        return self

    async def __anext__(self) -> E:
        if self._iterator is None:
            self._raise_if_broken()
            http = (await self.open())._http
            assert http is not None
            self._iterator = self._read(http)
        try:
            return await anext(self._iterator)
        except StopAsyncIteration:
            self._raise_if_broken()
            self._raise_unless_ended()
            raise

    async def _read(self, http: HTTPResponse) -> AsyncGenerator[E, None]:
        try:
            chunks = http.aiter_bytes()
            try:
                async for chunk in chunks:
                    for event in self._events(chunk):
                        yield event
                    if self._ended:
                        # The connection can be used again only after the end of the HTTP answer, which follows at once.
                        from anyio import move_on_after  # comes with httpx

                        with move_on_after(_PATIENCE):
                            for _ in range(_TRAILING):
                                await anext(chunks, None)
                        return
            except (HTTPError, StreamError) as error:
                if not self._ended:
                    raise self._interrupted(f"{type(error).__name__}: {error}") from error
                return
            for event in self._events(None):
                yield event
            self._finish()
        finally:
            await http.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
