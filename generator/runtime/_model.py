"""The base of all models. Decoding accepts everything that the server sends and keeps all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import attrs

from ._response import Response
from ._time import UnixTime, UnixTimeMs, to_wire

__all__ = [
    "Empty",
    "Model",
    "Unknown",
    "Value",
    "decode_union",
    "encode",
    "unknown_fields",
    "new_instance",
    "decode_tagged_union",
]

new_instance = object.__new__


@attrs.frozen(eq=False, repr=False)
class Value:
    """Any kind of argument."""

    required: bool = attrs.field(default=False, kw_only=True)

    def encode(self, value: Any, where: str) -> Any:
        """Check *value* and return what is sent for it.

        Raises:
            InvalidValue: It does not fit; the message starts with *where*.
        """
        raise TypeError(where)  # each kind has its own


@attrs.define(eq=False, repr=False, kw_only=True)
class Model:
    """Something that Coze describes as an object.

    Decoding accepts what the description does not know: unknown members and explicit nulls are kept in
    `extra_fields` and written back by `to_dict`; a missing member reads as None; a value of another type
    than described is handed through unchanged.
    """

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="extra_fields")
    _response: Response | None = attrs.field(default=None, init=False)

    _known: ClassVar[frozenset[str]] = frozenset()
    _renamed: ClassVar[Mapping[str, str]] = {}
    _secrets: ClassVar[frozenset[str]] = frozenset()
    _inputs: ClassVar[Mapping[str, Value]] = {}
    _from_string: ClassVar[Mapping[str, Any] | None] = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Decode a JSON object. Never fails on its content."""
        raise TypeError(f"{cls.__name__} is a base class")  # each generated model has its own

    def to_dict(self) -> dict[str, Any]:
        """Encode as a JSON object, with the members that were not known."""
        result = {
            wire: encode(value) for name, wire in _names(type(self)) if (value := getattr(self, name)) is not None
        }
        for key, value in (self._extra or {}).items():
            if key not in result or (value is None and result[key] == []):  # a null list reads as an empty one
                result[key] = value
        return result

    @property
    def extra_fields(self) -> dict[str, Any]:
        """Members that the description does not know, and known ones that came as null."""
        return dict(self._extra or {})

    @property
    def response(self) -> Response:
        """The HTTP response that this object came in.

        Raises:
            AttributeError: The object is a part of a response, or was made by the caller.
        """
        if self._response is None:
            raise AttributeError(
                f"this {type(self).__name__} is not a response itself; read .response on what the method returned"
            )
        return self._response

    @property
    def logid(self) -> str:
        """Log id of the call that returned this object; Coze support needs it.

        For a part of a response with a member of this name, the value of that member, or "".

        Raises:
            AttributeError: The object is a part of a response without such a member, or was made by the caller.
        """
        if self._response is None and "logid" in self._known:
            return getattr(self, "logid_", None) or ""
        return self.response.logid

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        assert isinstance(other, Model)
        return self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        hidden = self._secrets
        parts = [
            f"{n}={'…' if n in hidden else repr(v)}"
            for n, _ in _names(type(self))
            if (v := getattr(self, n)) is not None
        ]
        if self._extra:
            parts.append(f"extra_fields={self._extra!r}")
        return f"{type(self).__name__}({', '.join(parts)})"


class Empty(Model):
    """The response of an operation that returns nothing. Members that came all the same are in `extra_fields`."""

    __slots__ = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Empty:
        self: Empty = new_instance(cls)
        self._extra = dict(data) if data.__class__ is dict and data else None
        self._response = None
        return self


_NAMES: dict[type[Any], tuple[tuple[str, str], ...]] = {}


def _names(cls: type[Model]) -> tuple[tuple[str, str], ...]:
    """List the attributes of a model with their names in JSON."""
    if cls not in _NAMES:
        names = (field.name for field in attrs.fields(cls) if field.name not in {"_extra", "_response"})
        _NAMES[cls] = tuple((name, cls._renamed.get(name, name)) for name in names)
    return _NAMES[cls]


def encode(value: Any) -> Any:
    """Turn models, lists and maps of them into what JSON knows."""
    if isinstance(value, Model | Unknown):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, UnixTime | UnixTimeMs):
        return to_wire(value)
    return value


def unknown_fields(data: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    """Pick the members that no attribute keeps: unknown ones, and nulls."""
    return {key: value for key, value in data.items() if value is None or key not in known} or None


@attrs.frozen
class Unknown:
    """An object whose kind the description does not know.

    Attributes:
        tag: The kind that the object names.
        raw: The object as it came.
    """

    tag: Any
    raw: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the object as it came."""
        return self.raw


_Decoder = Callable[[Any], Any]


def decode_tagged_union(value: Any, member: str, kinds: Mapping[str, _Decoder]) -> Any:
    """Decode one of several objects by the *member* that names its kind."""
    if value.__class__ is not dict:
        return value
    tag = value.get(member)
    decoder = kinds.get(tag) if isinstance(tag, str) else None
    return Unknown(tag, value) if decoder is None else decoder(value)


def decode_union(value: Any, kinds: tuple[tuple[frozenset[str], _Decoder], ...]) -> Any:
    """Decode one of several objects by the members that each must have; the last kind takes what is left."""
    if value.__class__ is not dict:
        return value
    for required, decoder in kinds:
        if required.issubset(value):
            return decoder(value)
    return kinds[-1][1](value)
