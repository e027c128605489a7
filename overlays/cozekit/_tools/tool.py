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
    """A function that a bot may call, with the name under which the bot calls it. Calling a tool calls the function.

    Attributes:
        name: The name under which the bot calls it: that of a plugin's tool that runs on the client side.
        function: The function.
    """

    def __init__(self, function: Callable[P, R], name: str | None = None) -> None:
        """Create a tool from a function, as `tool` does."""
        if not callable(function):
            raise InvalidArgumentError(f"a tool must be a function, not {type(function).__name__}")
        tool_name = name if name is not None else getattr(function, "__name__", "")
        if not isinstance(tool_name, str) or not tool_name or tool_name == "<lambda>":
            raise InvalidArgumentError(f"the tool {function!r:.60} has no name; set one by cozekit.tool(…, name=…)")
        self.name = tool_name
        self.function = function
        self._parameters = inspect_parameters(function, tool_name)
        update_wrapper(self, function, updated=())

    def __call__(self, *arguments: P.args, **others: P.kwargs) -> R:
        return self.function(*arguments, **others)

    def __get__(self, instance: Any, owner: Any = None) -> Tool[..., R]:
        """Bind a method that was decorated inside its class."""
        bind = getattr(self.function, "__get__", None)
        return self if instance is None or bind is None else Tool(bind(instance, owner), self.name)

    def __repr__(self) -> str:
        return f"Tool({self.name!r})"

    @property
    def parameters(self) -> ToolParameters:
        """The parameters of the function."""
        return self._parameters

    @property
    def is_async(self) -> bool:
        """Whether the function must be awaited."""
        function: Any = self.function
        while isinstance(function, partial | Tool):
            function = function.func if isinstance(function, partial) else function.function
        return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004  (an object may have an async `__call__`)


@overload
def tool(function: Callable[P, R], /, *, name: str | None = None) -> Tool[P, R]: ...


@overload
def tool(*, name: str | None = None) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(function: Any = None, /, *, name: str | None = None) -> Any:
    """Create a tool with a name of its own: as a decorator, or from a function, method or `functools.partial`.

    ```python
    @cozekit.tool(name="weather-now")
    def get_weather(city: str) -> str: ...
    ```

    A function whose own name is that of the tool can be passed as it is.

    Args:
        function: The function. Its parameters must be annotated with types that JSON can represent: str, int, float,
            bool, list, dict, Literal, Enum, unions of them, TypedDicts, dataclasses, attrs classes. A parameter without
            an annotation accepts any JSON value.
        name: The name under which the bot calls it. Default: the function's name.

    Raises:
        InvalidArgumentError: The function has no name or cannot be called with named arguments from JSON.
    """
    if function is None:
        return partial(tool, name=name)
    return Tool(function.function, name or function.name) if isinstance(function, Tool) else Tool(function, name)


def tools_by_name(functions: Sequence[Callable[..., Any]], *, allow_async: bool) -> dict[str, Tool[..., Any]]:
    """Return tools by name, created from functions where necessary.

    Args:
        functions: Functions and tools.
        allow_async: Whether async functions can be awaited.

    Raises:
        InvalidArgumentError: A value is not a function, two tools have the same name, or a function is async and
            cannot be awaited.
    """
    if callable(functions) or isinstance(functions, str):
        raise InvalidArgumentError("tools must be a list of functions")
    tools: dict[str, Tool[..., Any]] = {}
    for function in functions:
        named = function if isinstance(function, Tool) else Tool(function)
        if named.name in tools:
            raise InvalidArgumentError(
                f"there are two tools called {named.name}; rename one by cozekit.tool(…, name=…)"
            )
        if named.is_async and not allow_async:
            raise InvalidArgumentError(f"the tool {named.name} is async; use AsyncCoze, which also runs sync tools")
        tools[named.name] = named
    return tools


def serialize_result(value: Any) -> str:
    """Return the result of a tool as text for the bot: text as it is, anything else as JSON.

    Raises:
        TypeError: The value is not JSON-serializable.
        ValueError: It contains an infinite number.
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
