"""Operations as data, for the generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

import attrs

from ._argument_types import Value

__all__ = [
    "Argument",
    "Counter",
    "Event",
    "HandshakeOptions",
    "Operation",
    "Options",
    "Paging",
    "Place",
    "Poll",
    "Protocol",
    "RequestOptions",
    "Timeout",
]

T = TypeVar("T")
E = TypeVar("E")
Place = Literal["path", "query", "header", "body", "part"]
Timeout = float | tuple[float | None, float | None, float | None, float | None] | None


@attrs.frozen(eq=False, repr=False)
class Argument:
    """One argument of an operation.

    Attributes:
        wire: Its name in the request.
        place: Where in the request it goes.
        value: What it may be.
    """

    wire: str
    place: Place
    value: Value


@attrs.frozen(eq=False, repr=False)
class Paging:
    """How an operation gives out its items page by page; see `x-coze-pagination` in openapi/extensions.md."""

    style: Literal["page", "token", "cursor"]
    argument: str
    items: tuple[str, ...]
    size: str | None = None
    total: tuple[str, ...] | None = None
    has_more: tuple[str, ...] | None = None
    next: tuple[str, ...] | None = None


@attrs.frozen(eq=False, repr=False)
class Poll:
    """How to wait for what an operation started; see `x-coze-poll` in openapi/extensions.md."""

    status: str
    pending: frozenset[str | int]
    terminal: frozenset[str | int]
    failed: frozenset[str | int] = frozenset()
    items: tuple[str, ...] | None = None
    waiting: str | None = None
    flag: str | None = None


@attrs.frozen(eq=False, repr=False)
class Counter:
    """A member that counts the events of one kind; see `counter` in openapi/extensions.md.

    Attributes:
        member: The member that counts from 0.
        within: Members that together identify a count.
        until: Boolean member that is true in the last event of a count.
    """

    member: str
    within: tuple[str, ...] = ()
    until: str | None = None


@attrs.frozen(eq=False, repr=False)
class Event(Generic[E]):
    """One kind of server-sent event.

    Attributes:
        make: Makes the event of its data and id.
        decode: Makes the data of a JSON object; None where that stays as it is.
        ends: Whether the stream ends with it.
        fails: Whether it reports a failure.
        counter: What counts such events, if anything does.
        continues: Whether the stream neither ends nor fails with it, as with most events.
    """

    make: Callable[[Any, str | None], E]
    decode: Callable[[Any], Any] | None = None
    ends: Literal["never", "maybe", "always"] = "never"
    fails: bool = False
    counter: Counter | None = None
    continues: bool = attrs.field(init=False)

    @continues.default
    def _continues(self) -> bool:
        return self.ends == "never" and not self.fails


@attrs.frozen(eq=False, repr=False)
class Protocol(Generic[E]):
    """The events of a stream; see `x-coze-stream` in openapi/extensions.md."""

    events: Mapping[str, Event[E]]
    unknown: Callable[[str, Any, str | None], E]
    ids: bool = False
    by_wire: Mapping[bytes, Event[E]] = attrs.field(init=False, repr=False)

    @by_wire.default
    def _by_wire(self) -> Mapping[bytes, Event[E]]:
        """The events by the bytes of their names, which is how they arrive."""
        return {name.encode(): event for name, event in self.events.items()}


@attrs.frozen(eq=False)
class Operation(Generic[T]):
    """An operation of the API.

    Attributes:
        id: Operation id, such as ``bots.create``.
        method: HTTP verb.
        path: Path with ``{name}`` for its parameters.
        decode: Makes the result of the member named by *result*.
        result: Member of the response that is the result; ``.`` for all of it.
        arguments: Python name to argument.
        constants: Body members that the operation sets itself.
        headers: Headers that the operation sets itself.
        servers: Addresses of the official service, where they are not those of the other operations: of pages in the
            browser, and of WebSockets.
        authorized: Whether the token is sent.
        confidential: Whether the response holds secrets, so that no error shows anything of it.
        any_file: Whether the response is a file of any media type, which may be JSON.
        idempotent: Whether a repeated request does no harm.
        permission: The permission that the token needs, if any.
        paging: Set where the result is a page.
        poll: Set where the operation starts something that takes its time.
    """

    id: str
    method: str
    path: str
    decode: Callable[[Any], T]
    result: str = "data"
    arguments: Mapping[str, Argument] = attrs.field(factory=dict, repr=False)
    constants: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    servers: tuple[str, ...] = attrs.field(default=(), repr=False)
    authorized: bool = True
    confidential: bool = False
    any_file: bool = False
    idempotent: bool = False
    permission: str | None = None
    paging: Paging | None = attrs.field(default=None, repr=False)
    poll: Poll | None = attrs.field(default=None, repr=False)


class HandshakeOptions(TypedDict):
    """Keyword arguments that every operation takes that opens a WebSocket, beside its own."""

    extra_headers: NotRequired[Mapping[str, str] | None]
    extra_query: NotRequired[Mapping[str, Any] | None]


class RequestOptions(TypedDict):
    """Keyword arguments that every operation takes besides its own."""

    extra_headers: NotRequired[Mapping[str, str] | None]
    extra_query: NotRequired[Mapping[str, Any] | None]
    extra_body: NotRequired[Mapping[str, Any] | None]
    timeout: NotRequired[Timeout]


@attrs.frozen
class Options:
    """What the caller adds to one request. It is sent unchecked."""

    headers: Mapping[str, str] | None = attrs.field(default=None, repr=False)  # may be secrets
    query: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    timeout: Timeout = None
