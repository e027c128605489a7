"""Handlers by operation id."""

from __future__ import annotations

from collections.abc import Callable

from .._call import Call, Result
from .._errors import CallError

__all__ = ["HANDLERS", "Handler", "operation"]

Handler = Callable[[Call], Result | CallError | None]
"""Takes a call. A failure that is returned keeps what was changed; one that is raised undoes it."""

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
