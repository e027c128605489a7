"""JSON from strangers."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

from .errors import INVALID_PARAMETER, CallError

__all__ = ["parse_json"]

# Deeper than anybody's data, and far from where recursion ends in any version of Python.
_MAX_DEPTH = 100


def parse_json(content: bytes | str, name: str) -> Any:
    """Parse JSON that can be written again, and walked through by functions that call themselves.

    Args:
        content: The text.
        name: What it is called in failures.

    Raises:
        CallError: It is no JSON, holds numbers or texts beyond what JSON can say, or is nested more than 100 deep.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except ValueError as error:
        raise CallError(INVALID_PARAMETER, f"{name}: not JSON: {error}") from error
    except RecursionError as error:
        raise _too_deep(name) from error
    # Texts may hold brackets as well, which does no harm: what has few brackets in all need not be walked through.
    if text.count("[") + text.count("{") > _MAX_DEPTH and _is_too_deep(value):
        raise _too_deep(name)
    return value


def _too_deep(name: str) -> CallError:
    return CallError(INVALID_PARAMETER, f"{name}: nested more than {_MAX_DEPTH} deep")


def _is_too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_MAX_DEPTH):
        level = [member for one in level for member in _members(one) if isinstance(member, dict | list)]
        if not level:
            return False
    return True


def _members(container: Any) -> Collection[Any]:
    return container.values() if isinstance(container, dict) else container


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # could not be written as JSON again
        raise ValueError(f"{text} is too large a number")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
