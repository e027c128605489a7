"""Marks of what is deprecated: type checkers show them at the call, as PEP 702 defines, and the call warns."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._errors import InvalidArgumentError

__all__ = ["by_new_names", "deprecated", "renamed_arguments"]

R = TypeVar("R")
M = TypeVar("M", bound=Callable[..., Any])
# The packages of the client, whose own calls do not warn.
_PACKAGES = {__name__.partition(".")[0], "cozekit"}


def _deprecated(message: str, /) -> Callable[[M], M]:
    """Mark a method as deprecated: a call of it warns, except from the client's own code.

    Args:
        message: Text of the `DeprecationWarning`, which names the line of the call.
    """

    def decorate(method: M) -> M:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            # Here and not in the coroutine: a task runs that, and the line of the call is not on its stack.
            if not _is_own(sys._getframe(1).f_globals):
                warnings.warn(message, DeprecationWarning, stacklevel=2)
            return method(*args, **_taken_from(kwargs))

        call.__deprecated__ = message  # type: ignore[attr-defined]  # PEP 702 defines the attribute
        return _like(method, call)

    return decorate


if TYPE_CHECKING:
    # Type checkers bring this module along and know the mark by this name; at run time nobody needs to install it.
    from typing_extensions import deprecated
else:
    deprecated = _deprecated


def renamed_arguments(operation: str, names: Mapping[str, str]) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Let a method accept arguments by their old names too, with a warning.

    Args:
        operation: Operation id, for messages.
        names: Old name to new name.

    Raises:
        InvalidArgumentError: At the call: an argument is given by both names.
    """

    def decorate(method: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            _rename(operation, names, kwargs)
            return method(*args, **_taken_from(kwargs))

        call.__renamed__ = (operation, names)  # type: ignore[attr-defined]  # for `by_new_names`
        return _like(method, call)

    return decorate


def by_new_names(method: Callable[..., Any], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return arguments by their new names, for code that sends what *method* would send.

    Raises:
        InvalidArgumentError: An argument is given by both names.
    """
    renames: tuple[str, Mapping[str, str]] = getattr(method, "__renamed__", ("", {}))
    operation, names = renames
    if names.keys().isdisjoint(arguments):
        return arguments
    renamed = dict(arguments)
    _rename(operation, names, renamed)
    return renamed


def _rename(operation: str, names: Mapping[str, str], arguments: dict[str, Any]) -> None:
    for old, new in names.items():
        if old not in arguments:
            continue
        if new in arguments:
            arguments.clear()  # a traceback may show local variables, and these hold secrets
            raise InvalidArgumentError(f"{operation}: {old} is the old name of {new}: give {new} alone")
        arguments[new] = arguments.pop(old)
        depth = 1
        while _is_own(sys._getframe(depth).f_globals):
            depth += 1
        warnings.warn(f"`{operation}`: `{old}` is deprecated; use `{new}` instead", DeprecationWarning, depth + 1)


def _taken_from(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments, and empty the dict that held them: tracebacks may show the local variables of a wrapper."""
    taken = dict(arguments)
    arguments.clear()
    return taken


def _is_own(namespace: Mapping[str, Any]) -> bool:
    return str(namespace.get("__name__")).partition(".")[0] in _PACKAGES


def _like(method: M, call: Callable[..., Any]) -> M:
    """Return *call* as what it stands for, marked as a coroutine function if *method* is one."""
    # `inspect` of Python 3.11 has no such mark.
    if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(method):
        call = inspect.markcoroutinefunction(call)
    return cast("M", call)
