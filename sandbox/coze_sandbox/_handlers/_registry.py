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


def operation(name: str) -> Callable[[H], H]:
    """Register the decorated function as the handler of an operation.

    Args:
        name: Operation id.

    Raises:
        ValueError: The operation already has a handler.
    """

    def register(handler: H) -> H:
        if name in HANDLERS:
            raise ValueError(f"two handlers for {name}")
        HANDLERS[name] = handler
        return handler

    return register
