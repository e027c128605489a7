"""Handlers by operation id."""

from __future__ import annotations

from collections.abc import Callable

from .._call import Call, Members, Stream

__all__ = ["HANDLERS", "Handler", "operation"]

Handler = Callable[[Call], Members | Stream | None]

HANDLERS: dict[str, Handler] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register the decorated function as the handler of an operation.

    Args:
        name: Operation id.

    Raises:
        ValueError: The operation has a handler already.
    """

    def register(handler: Handler) -> Handler:
        if name in HANDLERS:
            raise ValueError(f"two handlers for {name}")
        HANDLERS[name] = handler
        return handler

    return register
