"""Messages that come outside of answers: over WebSockets and RTC rooms, and as callbacks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from os import urandom
from typing import Any, ClassVar, Generic, Self, TypeVar

import attrs

from . import _json
from ._argument_types import InvalidValue, Object, Text
from ._errors import InvalidArgumentError
from ._model import Model, Unknown, new_instance, unknown_fields

__all__ = ["CallbackProtocol", "EncodedMessage", "Frame", "TaggedMessages", "Signature", "SocketProtocol"]

M = TypeVar("M")
U = TypeVar("U")
D = TypeVar("D")


@attrs.define(eq=False, repr=False, kw_only=True)
class Frame(Model):
    """A message of a WebSocket or an RTC room. All have the same few members, so all are decoded by the same code."""

    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    @property
    def logid(self) -> str:
        """Log id in the detail of the message; "" if there is none, as in messages of the caller."""
        detail = getattr(self, "detail", None)
        return detail.logid if isinstance(detail, Model) else ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        self: Self = new_instance(cls)
        members = _MEMBERS.get(cls) or _members(cls)
        absent = 0
        for name, decode in members:
            value = data.get(name)
            if value is None:
                absent += 1
            setattr(self, name, value if decode is None else decode(value))
        # Equal only if nothing is null and nothing unknown, as in other models.
        self._extra = None if absent + len(data) == len(members) else unknown_fields(data, cls._known)
        self._response = None
        return self


_Members = tuple[tuple[str, Callable[[Any], Any] | None], ...]
_MEMBERS: dict[type[Frame], _Members] = {}


def _members(cls: type[Frame]) -> _Members:
    """List the members of a message with their decoders."""
    _MEMBERS[cls] = tuple((name, cls._decoders.get(name)) for name in sorted(cls._known))
    return _MEMBERS[cls]


class EncodedMessage(bytes):
    """A message as JSON text, checked and with its id."""

    __slots__ = ()


@attrs.frozen
class _TextMessage:
    """How messages of a class are written whose content is one text, such as audio in Base64. Most messages are such.

    Attributes:
        tag: Member that names the kind.
        kind: The kind.
        content: Class of the content.
        member: Name of the text.
        before: JSON before the text.
        after: JSON after the text, up to the id.
    """

    tag: str
    kind: str
    content: type[Model]
    member: str
    before: bytes
    after: bytes

    @classmethod
    def of(cls, tag: str, message: type[Model]) -> Self | None:
        """Describe a class of messages; None if their content may be anything else."""
        data = message._inputs.get("data")
        if not isinstance(data, Object) or message._inputs.keys() != {tag, "id", "data"}:
            return None
        content = data.model()
        if [*content._inputs.values()] != [Text(required=True)] or content._renamed:
            return None
        (member,) = content._inputs
        mark = _new_id()
        make: Any = message
        sample = make(data=content.from_dict({member: mark}))
        before, after = _json.dumps(sample.to_dict()).split(b'"%b"' % mark.encode())
        return cls(tag, getattr(sample, tag), content, member, before, after.removesuffix(b"}") + b',"id":"')

    def text_of(self, message: Any) -> str | None:
        """Return the text of a message; None if the message has anything else that is not the same in all."""
        data = message.data
        if data.__class__ is not self.content or data._extra or message._extra or message.id is not None:
            return None
        if getattr(message, self.tag) != self.kind:
            return None
        text = getattr(data, self.member)
        return text if text.__class__ is str else None

    def write(self, text: bytes) -> tuple[str, EncodedMessage]:
        """Write a message.

        Args:
            text: Its text as JSON.

        Returns:
            The message's id and the message.
        """
        number = _new_id()
        return number, EncodedMessage(b"".join((self.before, text, self.after, number.encode(), b'"}')))


def _new_id() -> str:
    """Return a random UUID. To make a `uuid.UUID` and write it takes three times as long."""
    digits = urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


_UNSEEN = None, None


@attrs.frozen(eq=False, repr=False)
class TaggedMessages(Generic[M]):
    """A tagged union of messages: a member names the kind.

    Attributes:
        tag: Path to the member that names the kind.
        kinds: Its values and their classes.
    """

    tag: tuple[str, ...]
    kinds: Mapping[str, type[Model]]
    _types: dict[type[Any], tuple[Object, _TextMessage | None]] = attrs.field(
        init=False, repr=False, eq=False, factory=dict
    )

    def decode(self, data: Mapping[str, Any]) -> M:
        """Decode a JSON object. A kind that the description does not know becomes `Unknown`."""
        tag: Any = data
        for name in self.tag:
            tag = tag.get(name) if tag.__class__ is dict or isinstance(tag, Mapping) else None
        kind = self.kinds.get(tag) if isinstance(tag, str) else None
        message: Any = Unknown(tag, dict(data)) if kind is None else kind.from_dict(data)
        return message  # type: ignore[no-any-return]  # M is the union of the classes and Unknown

    def encode(self, message: object) -> dict[str, Any]:
        """Check a message and encode it as a JSON object, with an id of its own where it has none.

        Args:
            message: An object of one of the classes, a dict of the same form, or an `Unknown`, which is not checked.

        Raises:
            InvalidArgumentError: It is none of these messages, or does not fit the description.
        """
        if isinstance(message, Unknown):
            encoded = dict(message.raw)
        else:
            cls = self._class_of(message)
            try:
                encoded = self._type(cls)[0].encode(message, cls.__name__)
            except InvalidValue as invalid:
                raise InvalidArgumentError(str(invalid)) from None
        return {**encoded, "id": str(encoded.get("id") or _new_id())}

    def _class_of(self, message: object) -> type[Model]:
        if isinstance(message, Mapping):
            kind = message.get(self.tag[0])
            if isinstance(kind, str) and kind in self.kinds:
                return self.kinds[kind]
            known = ", ".join(self.kinds)
            raise InvalidArgumentError(
                f"a message here is one of {known}, not {kind!r:.60} (an Unknown is taken as it is)"
            )
        if message.__class__ not in self._types and message.__class__ not in self.kinds.values():
            known = ", ".join(sorted(cls.__name__ for cls in self.kinds.values()))
            raise InvalidArgumentError(f"a message here is one of {known}, not {type(message).__name__}")
        found: type[Any] = message.__class__
        return found

    def _type(self, cls: type[Model]) -> tuple[Object, _TextMessage | None]:
        """Return how a class of messages is encoded, and how it is written where that is simple."""
        found = self._types.get(cls)
        if found is None:
            found = self._types[cls] = Object(lambda: cls), _TextMessage.of(self.tag[0], cls)
        return found

    def dumps(self, message: object) -> str:
        """Check a message and write it as JSON. See `encode`."""
        return self.write(message)[1].decode()

    def write(self, message: object) -> tuple[str, EncodedMessage]:
        """Check a message and write it as JSON in UTF-8. See `encode`.

        Returns:
            Its id and the text.
        """
        simple = self._types.get(message.__class__, _UNSEEN)[1]
        text = None if simple is None else simple.text_of(message)
        value: Any = self.encode(message) if text is None else text
        try:
            json = _json.dumps(value)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"the message cannot be written as JSON: {error}") from error
        return (value["id"], EncodedMessage(json)) if simple is None or text is None else simple.write(json)

    def writer(self, cls: type[Model]) -> Callable[[bytes], EncodedMessage]:
        """Return a function that writes messages of a class whose content is one text, such as audio.

        Args:
            cls: The class. The function takes the text, in which JSON would escape nothing, as is true of Base64.
        """
        simple = self._type(cls)[1]
        assert simple is not None
        write = simple.write
        return lambda text: write(b'"%b"' % text)[1]

    def loads(self, text: str | bytes) -> M:
        """Read a message. Text that is not a JSON object becomes an `Unknown` without a kind, with the text as data."""
        raw = text.encode() if isinstance(text, str) else text
        try:
            data = _json.loads(raw)
        except ValueError:
            data = raw.decode(errors="replace")
        return self.decode(data if isinstance(data, dict) else {"data": data})


@attrs.frozen(eq=False, repr=False)
class SocketProtocol(Generic[U, D]):
    """The messages of a WebSocket or an RTC room.

    Attributes:
        uplink: What is sent.
        downlink: What is received.
        ends: Kinds of received messages that complete the reply to a request.
        fails: Kinds that report a failure.
        answers: Kinds of sent messages, with the kinds that Coze responds with.
    """

    uplink: TaggedMessages[U]
    downlink: TaggedMessages[D]
    ends: frozenset[str] = frozenset()
    fails: frozenset[str] = frozenset()
    answers: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, repr=False)


@attrs.frozen(eq=False, repr=False)
class Signature:
    """How a callback is signed.

    Attributes:
        algorithm: Name of the hash.
        parts: What is hashed, in this order, with nothing in between: ``timestamp``, ``nonce``, ``token``, ``body``.
        headers: Names of the headers for ``timestamp``, ``nonce`` and ``signature``.
    """

    algorithm: str
    parts: tuple[str, ...]
    headers: Mapping[str, str]

    def sign(self, *, timestamp: str, nonce: str, token: str, body: bytes) -> str:
        """Return the signature, in lower-case hexadecimal digits.

        Args:
            timestamp: Value of the timestamp's header.
            nonce: Value of the nonce's header.
            token: The callback app's token.
            body: The request's body as it was received.
        """
        values = {"timestamp": timestamp.encode(), "nonce": nonce.encode(), "token": token.encode(), "body": body}
        return hashlib.new(self.algorithm, b"".join(values[part] for part in self.parts)).hexdigest()


@attrs.frozen(eq=False, repr=False)
class CallbackProtocol(Generic[M]):
    """The callbacks that Coze sends.

    Attributes:
        messages: Their kinds.
        signature: How they are signed.
        challenge: Member of the body by which Coze checks an address; the response has to return its value unchanged.
    """

    messages: TaggedMessages[M]
    signature: Signature
    challenge: str
