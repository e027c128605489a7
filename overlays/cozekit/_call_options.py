"""Arguments of generated methods, taken by methods of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from coze_api._core._operation import Options
from coze_api._core._secrets import hidden

if TYPE_CHECKING:
    from coze_api._core._operation import RequestOptions

__all__ = ["hide_headers", "followup_options", "split_options"]

_OPTIONS = {"extra_headers": "headers", "extra_query": "query", "extra_body": "body", "timeout": "timeout"}


def hide_headers(arguments: Any) -> None:
    """Keep tracebacks that show variables from showing what stands in `extra_headers`, which may be a token."""
    if arguments.get("extra_headers") is not None:
        arguments["extra_headers"] = hidden(arguments["extra_headers"])


@cache
def _signature(method: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(method)


def split_options(method: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Options]:
    """Part an operation's own arguments from those that every operation takes.

    Raises:
        TypeError: The generated *method* would not take them.
    """
    try:
        _signature(method).bind(None, **arguments)
    except TypeError as error:
        raise TypeError(f"{method.__name__}(): {error}") from None
    own = {name: value for name, value in arguments.items() if name not in _OPTIONS}
    return own, Options(**{field: arguments.get(name) for name, field in _OPTIONS.items()})


def followup_options(arguments: Mapping[str, Any]) -> RequestOptions:
    """Return the options of a request that go with those that follow it, too."""
    return {"extra_headers": arguments.get("extra_headers"), "timeout": arguments.get("timeout")}
