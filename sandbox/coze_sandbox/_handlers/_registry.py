"""Handlers by operation id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .._common.errors import CallError
from .._http.context import Call, Result

__all__ = ["HANDLERS", "Handler", "operation"]

Handler = Callable[[Call], Result | CallError | None]
"""Handles a call. Changes are kept if it returns a `CallError`, and rolled back if it raises one."""

H = TypeVar("H", bound=Handler)

HANDLERS: dict[str, Handler] = {}


def operation(*names: str) -> Callable[[H], H]:
    """Register the decorated function as the handler of operations.

    A handler raises `CallError` for requests that Coze would reject: a resource does not exist or belongs to another
    account, a value is not allowed. The docstrings of handlers do not repeat that.

    Args:
        names: Operation ids.

    Raises:
        ValueError: An operation already has a handler.
    """

    def register(handler: H) -> H:
        for name in names:
            if name in HANDLERS:
                raise ValueError(f"two handlers for {name}")
            HANDLERS[name] = handler
        return handler

    return register
