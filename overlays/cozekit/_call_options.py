"""Arguments that our methods pass on to generated methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from coze_api._core._deprecation import by_new_names
from coze_api._core._operation import Options
from coze_api._core._secrets import hidden

if TYPE_CHECKING:
    from coze_api._core._operation import RequestOptions

__all__ = ["hide_headers", "followup_options", "split_options"]

_OPTIONS = {"extra_headers": "headers", "extra_query": "query", "extra_body": "body", "timeout": "timeout"}


def hide_headers(arguments: Any) -> None:
    """Hide `extra_headers`, which may contain a token, from tracebacks with local variables."""
    if arguments.get("extra_headers") is not None:
        arguments["extra_headers"] = hidden(arguments["extra_headers"])


@cache
def _signature(method: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(method)


def split_options(method: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Options]:
    """Split operation arguments from request options.

    Raises:
        TypeError: The generated *method* does not accept the arguments.
        InvalidArgumentError: An argument is given by its old name and by its new one.
    """
    arguments = by_new_names(method, arguments)
    try:
        _signature(method).bind(None, **arguments)
    except TypeError as error:
        raise TypeError(f"{method.__name__}(): {error}") from None
    params = {name: value for name, value in arguments.items() if name not in _OPTIONS}
    return params, Options(**{field: arguments.get(name) for name, field in _OPTIONS.items()})


def followup_options(arguments: Mapping[str, Any]) -> RequestOptions:
    """Return the request options that also apply to follow-up requests."""
    return {"extra_headers": arguments.get("extra_headers"), "timeout": arguments.get("timeout")}
