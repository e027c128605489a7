"""Arguments that a bot gives a tool: from JSON text to the types that the tool's function is annotated with."""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Any

import attrs

from coze_api._core import _json
from coze_api._core._model import Model

from ..errors import InvalidArgumentError, ToolError
from .decoders import SCALARS, Decode, DecodeFailure, array, enum, literal, mapping, object_, preview, union

__all__ = ["ToolParameters", "inspect_parameters"]

_LISTS = (list, collections.abc.Sequence, collections.abc.Collection, collections.abc.Iterable)
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_FREE = (Any, object, inspect.Parameter.empty)


@attrs.frozen
class _Parameter:
    """A parameter of a function, or a member of an object."""

    decode: Decode
    required: bool
    is_nullable: bool


@attrs.frozen
class ToolParameters:
    """What a function takes.

    Attributes:
        function: Its name, for messages.
        members: Parameter by name.
        var_keyword: How to read parameters that have no name of their own (`**others`); None where there may be none.
    """

    function: str
    members: Mapping[str, _Parameter]
    var_keyword: Decode | None = None

    def decode(self, text: object) -> dict[str, Any]:
        """Read the arguments of one call.

        Args:
            text: JSON text. An object in place of its text is taken as it is.

        Raises:
            ToolError: They do not fit. Its text is for the bot.
        """
        given: Any = text
        try:
            if isinstance(text, str):
                # orjson would turn whole numbers of more than 64 bits into others
                given = json.loads(text, parse_constant=_reject_constant) if text.strip() else {}
                _json.check_depth(text, given)
        except (ValueError, RecursionError) as error:
            raise ToolError(f"The arguments of {self.function} are not JSON: {error}") from None
        if given is None:
            given = {}
        if not isinstance(given, dict):
            raise ToolError(f"The arguments of {self.function} must be an object, not {preview(given)}.")
        try:
            return _decode_members(given, self.members, "", self.var_keyword)
        except DecodeFailure as error:
            raise ToolError(f"Wrong arguments for {self.function}: {error}.") from None


def _reject_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def inspect_parameters(function: Callable[..., Any], name: str) -> ToolParameters:
    """Find out what *function* takes.

    Raises:
        InvalidArgumentError: It has parameters that no JSON can be given for.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"tool {name}: its parameters cannot be found out: {error}") from error
    hints = _hints(function, name)
    factory = _DecoderFactory()
    members: dict[str, _Parameter] = {}
    var_keyword = None
    for parameter in signature.parameters.values():
        where = f"tool {name}: parameter {parameter.name}"
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise InvalidArgumentError(f"{where} cannot be given by name, which is how bots give arguments")
        hint = hints.get(parameter.name, parameter.empty)
        decode = factory.decoder(hint, where)
        if parameter.kind is parameter.VAR_KEYWORD:
            var_keyword = decode
        else:
            members[parameter.name] = _Parameter(decode, parameter.default is parameter.empty, _is_nullable(hint))
    return ToolParameters(name, members, var_keyword)


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """Resolve the annotations of the parameters. That of the result may be known to type checkers alone."""
    while isinstance(function := inspect.unwrap(function), partial):
        function = function.func
    if not inspect.isroutine(function):
        function = type(function).__call__
    unwrapped: Any = inspect.unwrap(function)
    unwrapped = getattr(unwrapped, "__func__", unwrapped)
    try:
        notes = {key: value for key, value in getattr(unwrapped, "__annotations__", {}).items() if key != "return"}
        holder = types.SimpleNamespace(__annotations__=notes)
        return typing.get_type_hints(holder, getattr(unwrapped, "__globals__", {}), include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidArgumentError(f"tool {name}: its annotations cannot be resolved: {error}") from error


class _DecoderFactory:
    """Makes a decoder of an annotation. Knows the classes that it has met, which may refer to themselves."""

    def __init__(self) -> None:
        self._met: dict[type, Decode] = {}

    def decoder(self, kind: Any, where: str) -> Decode:
        """Return how to read a value of a kind.

        Raises:
            InvalidArgumentError: No JSON says how to make such a value.
        """
        kind = _unwrap(kind)
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if kind in _FREE or isinstance(kind, typing.TypeVar):
            return lambda value, _: value
        if kind in SCALARS:
            return SCALARS[kind]
        if origin in (typing.Union, types.UnionType):
            return union([self.decoder(part, where) for part in parts])
        if origin is typing.Literal:
            return literal(parts)
        if (origin or kind) in _LISTS:
            return array(self.decoder(parts[0] if parts else Any, where))
        if (origin or kind) in _MAPS:
            return mapping(*(self.decoder(part, where) for part in parts or (str, Any)))
        if isinstance(kind, type):
            if kind not in self._met:
                self._met[kind] = partial(self._later, kind)
                self._met[kind] = self._of_class(kind, where)
            return self._met[kind]
        raise _unusable(kind, where)

    def _later(self, kind: type, value: Any, path: str) -> Any:
        """Read a member of a class that was not understood yet when it was met again."""
        return self._met[kind](value, path)

    def _of_class(self, kind: type, where: str) -> Decode:
        if issubclass(kind, Enum):
            return enum(kind)
        if issubclass(kind, Model):
            return object_(kind.from_dict)
        if typing.is_typeddict(kind):
            required = {name: _is_required(kind, name, hint) for name, hint in _class_hints(kind, where).items()}
            return self._record(kind, {name: (name, needed) for name, needed in required.items()}, where)
        if attrs.has(kind):
            fields = [field for field in attrs.fields(kind) if field.init]
            names = {field.alias or field.name: (field.name, field.default is attrs.NOTHING) for field in fields}
            return self._record(kind, names, where)
        if dataclasses.is_dataclass(kind):
            missing = dataclasses.MISSING
            return self._record(
                kind,
                {
                    field.name: (field.name, field.default is missing and field.default_factory is missing)
                    for field in dataclasses.fields(kind)
                    if field.init
                },
                where,
            )
        raise _unusable(kind, where)

    def _parameter(self, hint: Any, where: str, required: bool) -> _Parameter:
        return _Parameter(self.decoder(hint, where), required, _is_nullable(hint))

    def _record(self, kind: type, names: Mapping[str, tuple[str, bool]], where: str) -> Decode:
        """Read an object whose members are those of a class: by the name of the argument, attribute and need."""
        hints = _class_hints(kind, where)
        members = {
            name: self._parameter(hints.get(attribute, Any), f"{where}.{name}", needed)
            for name, (attribute, needed) in names.items()
        }

        def decode(value: Any, path: str) -> Any:
            if not isinstance(value, dict):
                raise DecodeFailure(f"{path} must be an object, not {preview(value)}")
            arguments = _decode_members(value, members, f"{path}.")
            try:
                return kind(**arguments)
            except (TypeError, ValueError) as error:  # what the class itself checks
                raise DecodeFailure(f"{path}: {error}") from error

        return decode


def _unwrap(kind: Any) -> Any:
    """Take off what says nothing about the value: `Annotated`, `Required`, names of types."""
    while True:
        if typing.get_origin(kind) in (typing.Annotated, typing.Required, typing.NotRequired):
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, typing.NewType):
            kind = kind.__supertype__
        elif type(kind).__name__ == "TypeAliasType":  # `type X = …`, from Python 3.12 on
            kind = kind.__value__
        else:
            return kind


def _class_hints(kind: type, where: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidArgumentError(f"{where}: annotations of {kind.__name__} cannot be resolved: {error}") from error


def _is_required(kind: Any, name: str, hint: Any) -> bool:
    origin = typing.get_origin(hint)  # where annotations are text, the class itself has not understood them
    if origin in (typing.Required, typing.NotRequired):
        return origin is typing.Required
    return name in kind.__required_keys__


def _is_nullable(kind: Any) -> bool:
    kind = _unwrap(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return any(map(_is_nullable, typing.get_args(kind)))
    return kind in (*_FREE, None, types.NoneType) or (
        typing.get_origin(kind) is typing.Literal and None in kind.__args__
    )


def _unusable(kind: Any, where: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{where}: bots cannot give a {getattr(kind, '__name__', kind)}; annotate it with str, int, float, bool, list, "
        "dict, Literal, Enum, a TypedDict, a dataclass or an attrs class"
    )


def _decode_members(
    given: Mapping[str, Any], members: Mapping[str, _Parameter], prefix: str, var_keyword: Decode | None = None
) -> dict[str, Any]:
    decoded = {}
    for name, value in given.items():
        member = members.get(name)
        if member is None:
            if var_keyword is None:
                known = ", ".join(members) or "nothing"
                raise DecodeFailure(f"there is no {prefix}{name}; known are {known}")
            decoded[name] = var_keyword(value, f"{prefix}{name}")
        elif value is not None or member.is_nullable or member.required:
            decoded[name] = member.decode(value, f"{prefix}{name}")
        # else: a null in place of something that need not be given means that it was not
    absent = [f"{prefix}{name}" for name, member in members.items() if member.required and name not in decoded]
    if absent:
        raise DecodeFailure(f"{', '.join(absent)} must be given")
    return decoded
