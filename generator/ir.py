"""What the templates are given: the description, with every name and type decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

__all__ = [
    "Api", "Callbacks", "Const", "Enum", "EnumRef", "ErrorCode", "Event", "Field", "ListOf", "MapOf", "Messages",
    "Model", "ModelRef", "Null", "OneOf", "Operation", "Paging", "Poll", "Scalar", "Socket", "Stream", "Type",
]  # fmt: skip


@attrs.frozen
class Scalar:
    """A value that is not an object."""

    kind: Literal["str", "int", "float", "bool", "any", "unix-time", "unix-time-ms", "binary"]


@attrs.frozen
class Null:
    """Nothing but null."""


@attrs.frozen
class Const:
    """One value, always the same."""

    value: str


@attrs.frozen
class ModelRef:
    """An object with a class."""

    name: str


@attrs.frozen
class EnumRef:
    """One of several values."""

    name: str


@attrs.frozen
class ListOf:
    """Several values."""

    item: Type


@attrs.frozen
class MapOf:
    """Values by name."""

    value: Type


@attrs.frozen
class OneOf:
    """A value of one of several types; *tag* is the member that names the type, *kinds* its values."""

    members: tuple[Type, ...]
    tag: str | None = None
    kinds: tuple[tuple[str, str], ...] = ()


Type = Scalar | Null | Const | ModelRef | EnumRef | ListOf | MapOf | OneOf


@attrs.frozen
class Field:
    """A property of a model, or an argument of an operation.

    Attributes:
        name: Python name.
        wire: Name in JSON or in the request.
        schema: The raw schema, for limits and texts.
        place: Where an argument goes; None for properties.
        formerly: Old Python name of an argument, which still works.
    """

    name: str
    wire: str
    type: Type
    required: bool
    nullable: bool
    description: str
    schema: Mapping[str, Any] = attrs.field(repr=False)
    place: Literal["path", "query", "header", "body", "part"] | None = None
    formerly: str | None = None

    @property
    def optional(self) -> bool:
        """Whether it may be None."""
        return self.nullable or not self.required

    @property
    def secret(self) -> bool:
        """Whether it must not be shown."""
        return self.schema.get("format") == "password"


@attrs.frozen
class Model:
    """A class for an object."""

    name: str
    module: str
    description: str
    fields: tuple[Field, ...]
    from_string: Mapping[str, Any] | None
    is_message: bool = False


@attrs.frozen
class Enum:
    """A class for a list of values. *members* are constant name, value and meaning."""

    name: str
    module: str
    description: str
    base: Literal["str", "int"]
    members: tuple[tuple[str, str | int, str], ...]


@attrs.frozen
class Counter:
    """A member that counts the events of one kind."""

    member: str
    within: tuple[str, ...]
    until: str | None


@attrs.frozen
class Event:
    """A class for one kind of server-sent event."""

    wire: str
    name: str
    description: str
    data: Type | None
    ends: str
    fails: bool
    counter: Counter | None


@attrs.frozen
class Stream:
    """A protocol of events."""

    name: str
    module: str
    union: str
    description: str
    events: tuple[Event, ...]
    ids: bool


@attrs.frozen
class Messages:
    """A union of messages, whose member at *tag* names the kind. *kinds* are its values with their classes."""

    union: str
    tag: tuple[str, ...]
    kinds: tuple[tuple[str, str], ...]


@attrs.frozen
class Socket:
    """The messages of a WebSocket or an RTC room."""

    name: str
    module: str
    description: str
    uplink: Messages
    downlink: Messages
    ends: tuple[str, ...]
    fails: tuple[str, ...]
    answers: Mapping[str, tuple[str, ...]]


@attrs.frozen
class Callbacks:
    """The callbacks, the objects that a receiver may respond with, and how callbacks are signed."""

    module: str
    messages: Messages
    answers: tuple[str, ...]
    algorithm: str
    parts: tuple[str, ...]
    headers: Mapping[str, str]
    challenge: str


@attrs.frozen
class Paging:
    """`x-coze-pagination`, with the paths as attribute names of the result."""

    style: str
    argument: str
    items: tuple[str, ...]
    item: Type
    size: str | None
    total: tuple[str, ...] | None
    has_more: tuple[str, ...] | None
    next: tuple[str, ...] | None


@attrs.frozen
class Poll:
    """How to wait for what an operation started."""

    status: str
    pending: tuple[str | int, ...]
    terminal: tuple[str | int, ...]
    failed: tuple[str | int, ...]
    items: tuple[str, ...] | None
    waiting: str | None
    flag: str | None


@attrs.frozen
class Operation:
    """A method. A described operation that can stream becomes two of them; one that opens a WebSocket a `handshake`.

    An operation that was renamed has a further, deprecated method by its old id.
    """

    id: str
    described_id: str
    verb: str
    path: str
    summary: str
    description: str
    notes: tuple[str, ...]
    page: str
    deprecated: bool
    permission: str | None
    idempotent: bool
    arguments: tuple[Field, ...]
    constants: Mapping[str, Any]
    headers: Mapping[str, str]
    servers: tuple[str, ...]
    authorized: bool
    confidential: bool
    answer: Literal["json", "file", "redirect", "socket"]
    any_file: bool
    result: str
    result_type: Type | None
    paging: Paging | None
    poll: Poll | None
    stream: Stream | None
    socket: Socket | None = None
    replaced_by: str | None = None

    @property
    def tag(self) -> str:
        """First segment of the id: the module that it is in."""
        return self.id.partition(".")[0]

    @property
    def constant(self) -> str:
        """Name of its constant."""
        return self.id.partition(".")[2].replace(".", "_").upper()

    @property
    def method(self) -> str:
        """Name of its method."""
        return self.id.rpartition(".")[2]

    @property
    def resource(self) -> str:
        """Id of the resource that the method is on."""
        return self.id.rpartition(".")[0]

    @property
    def deprecation(self) -> str:
        """Text of the warning of a call; empty if it is not deprecated."""
        if not self.deprecated:
            return ""
        return f"`{self.id}` is deprecated" + (f"; use `coze.{self.replaced_by}` instead" if self.replaced_by else "")

    def renaming(self, field: Field) -> str:
        """Return the text of the warning of a call that gives an argument by its old name."""
        return f"`{self.id}`: `{field.formerly}` is deprecated; use `{field.name}` instead"

    @property
    def renamed(self) -> Mapping[str, str]:
        """Old names of arguments, which still work, to the new ones."""
        return {field.formerly: field.name for field in self.arguments if field.formerly}


@attrs.frozen
class ErrorCode:
    """A row of `shared/errors.yaml`."""

    code: int
    name: str
    meaning: str
    category: str | None  # None: known from another server only, so that nothing is decided by it
    retryable: bool
    http_status: int | None
    hint: str


@attrs.frozen
class Api:
    """The whole description."""

    version: str
    models: tuple[Model, ...]
    enums: tuple[Enum, ...]
    streams: tuple[Stream, ...]
    sockets: tuple[Socket, ...]
    callbacks: Callbacks | None
    operations: tuple[Operation, ...]
    errors: tuple[ErrorCode, ...]
    tags: Mapping[str, str]
