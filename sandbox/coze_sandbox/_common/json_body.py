"""Strict parsing of untrusted JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

from .errors import INVALID_PARAMETER, CallError

__all__ = ["parse_json"]

# Deeper than real data, and far below the recursion limit of every Python version.
_MAX_DEPTH = 100


def parse_json(content: bytes | str, name: str) -> Any:
    """Parse JSON that can be serialized again and traversed recursively.

    Args:
        content: The text.
        name: Name of the value in error messages.

    Raises:
        CallError: The text is not JSON, contains a number or a string that JSON cannot represent, or is nested more
            than 100 deep.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # raises for a lone surrogate
    except ValueError as error:
        raise CallError(INVALID_PARAMETER, f"{name}: not JSON: {error}") from error
    except RecursionError as error:
        raise _too_deep(name) from error
    # Counting brackets, also those within strings, avoids a traversal for almost every body.
    if text.count("[") + text.count("{") > _MAX_DEPTH and _is_too_deep(value):
        raise _too_deep(name)
    return value


def _too_deep(name: str) -> CallError:
    return CallError(INVALID_PARAMETER, f"{name}: nested more than {_MAX_DEPTH} deep")


def _is_too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_MAX_DEPTH):
        level = [member for container in level for member in _members(container) if isinstance(member, dict | list)]
        if not level:
            return False
    return True


def _members(container: Any) -> Collection[Any]:
    return container.values() if isinstance(container, dict) else container


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # not serializable as JSON
        raise ValueError(f"{text} is too large a number")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
