"""JSON from strangers."""

from __future__ import annotations

import json
import math
from typing import Any

from ._errors import INVALID_PARAMETER, CallError

__all__ = ["parse_json"]


def parse_json(content: bytes, name: str) -> Any:
    """Parse JSON that can be written again.

    Args:
        content: The text.
        name: What it is called in failures.

    Raises:
        CallError: It is no JSON, or holds numbers or texts beyond what JSON can say.
    """
    try:
        value = json.loads(content, parse_constant=_no_constant, parse_float=_finite)
        if b"\\u" in content:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise CallError(INVALID_PARAMETER, f"{name}: not JSON: {error}") from error
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # could not be written as JSON again
        raise ValueError(f"{text} is too large a number")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
