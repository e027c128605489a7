"""Python functions as tools of a bot."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, overload

import attrs

from coze_api._core import _json
from coze_api._core._model import Model

from ..errors import InvalidArgumentError
from .arguments import ToolParameters, inspect_parameters

__all__ = ["Tool", "serialize_result", "tool", "tools_by_name"]

P = ParamSpec("P")
R = TypeVar("R")


class Tool(Generic[P, R]):
    """A function that a bot may call, with the name that the bot knows it by. Calling it calls the function.

    Attributes:
        name: What the bot calls it: the name of a plugin's tool that runs at your side.
        function: What is called.
    """

    def __init__(self, function: Callable[P, R], name: str | None = None) -> None:
        """Make a tool of a function. See `tool`."""
        if not callable(function):
            raise InvalidArgumentError(f"a tool must be a function, not {type(function).__name__}")
        found = name if name is not None else getattr(function, "__name__", "")
        if not isinstance(found, str) or not found or found == "<lambda>":
            raise InvalidArgumentError(f"the tool {function!r:.60} has no name; give one by cozekit.tool(…, name=…)")
        self.name = found
        self.function = function
        self._parameters = inspect_parameters(function, found)
        update_wrapper(self, function, updated=())

    def __call__(self, *arguments: P.args, **options: P.kwargs) -> R:
        return self.function(*arguments, **options)

    def __get__(self, instance: Any, owner: Any = None) -> Tool[..., R]:
        """Bind a method that was made a tool inside its class."""
        bind = getattr(self.function, "__get__", None)
        return self if instance is None or bind is None else Tool(bind(instance, owner), self.name)

    def __repr__(self) -> str:
        return f"Tool({self.name!r})"

    @property
    def parameters(self) -> ToolParameters:
        """What it takes."""
        return self._parameters

    @property
    def is_async(self) -> bool:
        """Whether the function must be awaited."""
        told: Any = self.function
        while isinstance(told, partial | Tool):
            told = told.func if isinstance(told, partial) else told.function
        return inspect.iscoroutinefunction(told) or inspect.iscoroutinefunction(getattr(told, "__call__", None))  # noqa: B004  (an object may have an async `__call__`)


@overload
def tool(function: Callable[P, R], /, *, name: str | None = None) -> Tool[P, R]: ...


@overload
def tool(*, name: str | None = None) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(function: Any = None, /, *, name: str | None = None) -> Any:
    """Make a function a tool under another name; as a decorator, or on a function, method or `functools.partial`.

    ```python
    @cozekit.tool(name="weather-now")
    def get_weather(city: str) -> str: ...
    ```

    A function whose own name is that of the tool needs none of this.

    Args:
        function: What to call. Its parameters must be annotated with what JSON can say: str, int, float, bool, list,
            dict, Literal, Enum, unions of them, TypedDicts, dataclasses, attrs classes. Without an annotation a
            parameter takes what comes.
        name: What the bot calls it. Default: the function's name.

    Raises:
        InvalidArgumentError: The function has no name or cannot be called with named arguments from JSON.
    """
    if function is None:
        return partial(tool, name=name)
    return Tool(function.function, name or function.name) if isinstance(function, Tool) else Tool(function, name)


def tools_by_name(functions: Sequence[Callable[..., Any]], *, allow_async: bool) -> dict[str, Tool[..., Any]]:
    """Make tools of functions, by name.

    Args:
        functions: Functions and tools.
        allow_async: Whether there is an event loop for async ones.

    Raises:
        InvalidArgumentError: One is no tool, has another's name, or must be awaited and cannot.
    """
    if callable(functions) or isinstance(functions, str):
        raise InvalidArgumentError("tools must be a list of functions")
    found: dict[str, Tool[..., Any]] = {}
    for function in functions:
        one = function if isinstance(function, Tool) else Tool(function)
        if one.name in found:
            raise InvalidArgumentError(f"there are two tools called {one.name}; name one by cozekit.tool(…, name=…)")
        if one.is_async and not allow_async:
            raise InvalidArgumentError(f"the tool {one.name} is async; use AsyncCoze, which takes sync tools as well")
        found[one.name] = one
    return found


def serialize_result(value: Any) -> str:
    """Write what a tool returned for the bot: a text as it is, anything else as JSON.

    Raises:
        TypeError: JSON has no word for it.
        ValueError: It is infinite.
    """
    plain = _to_jsonable(value)
    return plain if isinstance(plain, str) else _json.dumps(plain).decode()


def _to_jsonable(value: Any) -> Any:
    if isinstance(value, Enum):
        return _to_jsonable(value.value)
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, type):
        return value
    if attrs.has(type(value)):
        return {field.name: _to_jsonable(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if dataclasses.is_dataclass(value):
        return {field.name: _to_jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_to_jsonable(key): _to_jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_to_jsonable(item) for item in value]
    return value
