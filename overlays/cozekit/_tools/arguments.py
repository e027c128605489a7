"""Parsing of tool arguments: from JSON to the types that the function of a tool is annotated with."""

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
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_ANY = (Any, object, inspect.Parameter.empty)


@attrs.frozen
class _Parameter:
    """A parameter of a function, or a member of an object."""

    decode: Decode
    required: bool
    is_nullable: bool


@attrs.frozen
class ToolParameters:
    """The parameters of a function.

    Attributes:
        function: Name of the function, for messages.
        members: The parameters by name.
        var_keyword: The decoder of all other arguments (`**kwargs`); None if there may be no others.
    """

    function: str
    members: Mapping[str, _Parameter]
    var_keyword: Decode | None = None

    def decode(self, text: object) -> dict[str, Any]:
        """Parse the arguments of one call.

        Args:
            text: JSON text. An object is accepted as well.

        Raises:
            ToolError: The arguments are invalid. The bot gets the message.
        """
        arguments: Any = text
        try:
            if isinstance(text, str):
                # orjson would change integers of more than 64 bits
                arguments = json.loads(text, parse_constant=_reject_constant) if text.strip() else {}
                _json.check_depth(text, arguments)
        except (ValueError, RecursionError) as error:
            raise ToolError(f"The arguments of {self.function} are not JSON: {error}") from None
        if arguments is None:
            arguments = {}
        if not isinstance(arguments, dict):
            raise ToolError(f"The arguments of {self.function} must be an object, not {preview(arguments)}.")
        try:
            return _decode_members(arguments, self.members, "", self.var_keyword)
        except DecodeFailure as error:
            raise ToolError(f"Invalid arguments for {self.function}: {error}.") from None


def _reject_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not valid JSON")


def inspect_parameters(function: Callable[..., Any], name: str) -> ToolParameters:
    """Return the parameters of *function*.

    Raises:
        InvalidArgumentError: It has parameters that JSON cannot represent or that cannot be passed by name.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"tool {name}: its parameters cannot be inspected: {error}") from error
    hints = _hints(function, name)
    factory = _DecoderFactory()
    members: dict[str, _Parameter] = {}
    var_keyword = None
    for parameter in signature.parameters.values():
        where = f"tool {name}: parameter {parameter.name}"
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise InvalidArgumentError(f"{where} cannot be passed by name, and bots pass all arguments by name")
        hint = hints.get(parameter.name, parameter.empty)
        decode = factory.decoder(hint, where)
        if parameter.kind is parameter.VAR_KEYWORD:
            var_keyword = decode
        else:
            members[parameter.name] = _Parameter(decode, parameter.default is parameter.empty, _is_nullable(hint))
    return ToolParameters(name, members, var_keyword)


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """Resolve the annotations of the parameters. That of the result may exist for type checkers only."""
    while isinstance(function := inspect.unwrap(function), partial):
        function = function.func
    if not inspect.isroutine(function):
        function = type(function).__call__
    unwrapped: Any = inspect.unwrap(function)
    unwrapped = getattr(unwrapped, "__func__", unwrapped)
    try:
        annotations = getattr(unwrapped, "__annotations__", {})
        parameters = {name: annotation for name, annotation in annotations.items() if name != "return"}
        holder = types.SimpleNamespace(__annotations__=parameters)
        return typing.get_type_hints(holder, getattr(unwrapped, "__globals__", {}), include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidArgumentError(f"tool {name}: its annotations cannot be resolved: {error}") from error


class _DecoderFactory:
    """Creates decoders from annotations. Keeps those of classes, which may refer to themselves."""

    def __init__(self) -> None:
        self._decoders: dict[type, Decode] = {}

    def decoder(self, hint: Any, where: str) -> Decode:
        """Return the decoder of an annotation.

        Raises:
            InvalidArgumentError: JSON cannot represent such a value.
        """
        kind = _unwrap(hint)
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if kind in _ANY or isinstance(kind, typing.TypeVar):
            return lambda value, _: value
        if kind in SCALARS:
            return SCALARS[kind]
        if origin in (typing.Union, types.UnionType):
            return union([self.decoder(part, where) for part in parts])
        if origin is typing.Literal:
            return literal(parts)
        if (origin or kind) in _LISTS:
            return array(self.decoder(parts[0] if parts else Any, where))
        if (origin or kind) in _MAPPINGS:
            return mapping(*(self.decoder(part, where) for part in parts or (str, Any)))
        if isinstance(kind, type):
            if kind not in self._decoders:
                self._decoders[kind] = partial(self._decode_recursive, kind)
                self._decoders[kind] = self._of_class(kind, where)
            return self._decoders[kind]
        raise _unusable(kind, where)

    def _decode_recursive(self, kind: type, value: Any, path: str) -> Any:
        """Decode a value of a class that refers to itself."""
        return self._decoders[kind](value, path)

    def _of_class(self, kind: type, where: str) -> Decode:
        if issubclass(kind, Enum):
            return enum(kind)
        if issubclass(kind, Model):
            return object_(lambda value, _: kind.from_dict(value))
        if typing.is_typeddict(kind):
            hints = _class_hints(kind, where)
            return self._record(
                kind, {name: (name, _is_required(kind, name, hint)) for name, hint in hints.items()}, where
            )
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
        """Return a decoder of a class from its arguments: the attribute of each, and whether it is required."""
        hints = _class_hints(kind, where)
        members = {
            name: self._parameter(hints.get(attribute, Any), f"{where}.{name}", required)
            for name, (attribute, required) in names.items()
        }

        def decode(value: Any, path: str) -> Any:
            arguments = _decode_members(value, members, f"{path}.")
            try:
                return kind(**arguments)
            except (TypeError, ValueError) as error:  # raised by the class itself
                raise DecodeFailure(f"{path}: {error}") from error

        return object_(decode)


def _unwrap(kind: Any) -> Any:
    """Return the type inside `Annotated`, `Required`, `NotRequired`, `NewType` and type aliases."""
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
    origin = typing.get_origin(hint)  # the class cannot evaluate annotations that are strings
    if origin in (typing.Required, typing.NotRequired):
        return origin is typing.Required
    return name in kind.__required_keys__


def _is_nullable(kind: Any) -> bool:
    kind = _unwrap(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return any(map(_is_nullable, typing.get_args(kind)))
    return kind in (*_ANY, None, types.NoneType) or (
        typing.get_origin(kind) is typing.Literal and None in kind.__args__
    )


def _unusable(kind: Any, where: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{where}: JSON cannot represent {getattr(kind, '__name__', kind)}; annotate it with str, int, float, bool, "
        "list, dict, Literal, Enum, a TypedDict, a dataclass or an attrs class"
    )


def _decode_members(
    values: Mapping[str, Any], members: Mapping[str, _Parameter], prefix: str, var_keyword: Decode | None = None
) -> dict[str, Any]:
    decoded = {}
    for name, value in values.items():
        member = members.get(name)
        if member is None:
            if var_keyword is None:
                expected = ", ".join(members) or "no arguments"
                raise DecodeFailure(f"{prefix}{name} is unknown; expected: {expected}")
            decoded[name] = var_keyword(value, f"{prefix}{name}")
        elif value is not None or member.is_nullable or member.required:
            decoded[name] = member.decode(value, f"{prefix}{name}")
        # else: null for an optional argument means that it is absent
    missing = [f"{prefix}{name}" for name, member in members.items() if member.required and name not in decoded]
    if missing:
        raise DecodeFailure(f"required but missing: {', '.join(missing)}")
    return decoded
