"""Messages that come outside of answers: over WebSockets and RTC rooms, and as callbacks."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

import attrs

from . import _json
from ._argument_types import InvalidValue, Object
from ._errors import InvalidArgumentError
from ._model import Model, Unknown, new_instance, unknown_fields

__all__ = ["CallbackProtocol", "Frame", "TaggedMessages", "Signature", "SocketProtocol"]

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
        for name in cls._known:
            value = data.get(name)
            decode = cls._decoders.get(name)
            setattr(self, name, value if decode is None else decode(value))
        self._extra = unknown_fields(data, cls._known)
        self._response = None
        return self


@attrs.frozen
class TaggedMessages(Generic[M]):
    """A tagged union of messages: a member names the kind.

    Attributes:
        tag: Path to the member that names the kind.
        kinds: Its values and their classes.
    """

    tag: tuple[str, ...]
    kinds: Mapping[str, type[Model]]

    def decode(self, data: Mapping[str, Any]) -> M:
        """Decode a JSON object. A kind that the description does not know becomes `Unknown`."""
        tag: Any = data
        for name in self.tag:
            tag = tag.get(name) if isinstance(tag, Mapping) else None
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
                encoded = Object(lambda: cls).encode(message, cls.__name__)
            except InvalidValue as invalid:
                raise InvalidArgumentError(str(invalid)) from None
        return {**encoded, "id": str(encoded.get("id") or uuid.uuid4())}

    def _class_of(self, message: object) -> type[Model]:
        if isinstance(message, Mapping):
            kind = message.get(self.tag[0])
            if isinstance(kind, str) and kind in self.kinds:
                return self.kinds[kind]
            known = ", ".join(self.kinds)
            raise InvalidArgumentError(
                f"a message here is one of {known}, not {kind!r:.60} (an Unknown is taken as it is)"
            )
        if type(message) not in self.kinds.values():
            known = ", ".join(sorted(cls.__name__ for cls in self.kinds.values()))
            raise InvalidArgumentError(f"a message here is one of {known}, not {type(message).__name__}")
        assert isinstance(message, Model)
        return type(message)

    def dumps(self, message: object) -> str:
        """Check a message and write it as JSON. See `encode`."""
        encoded = self.encode(message)
        try:
            return _json.dumps(encoded).decode()
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"the message cannot be written as JSON: {error}") from error

    def loads(self, text: str | bytes) -> M:
        """Read a message. Text that is not a JSON object becomes an `Unknown` without a kind, with the text as data."""
        raw = text.encode() if isinstance(text, str) else text
        try:
            data = _json.loads(raw)
        except ValueError:
            data = raw.decode(errors="replace")
        return self.decode(data if isinstance(data, dict) else {"data": data})


@attrs.frozen
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


@attrs.frozen
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


@attrs.frozen
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
