"""Parameters as they stand in URLs, and back."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

__all__ = ["path_of", "text_of", "typed"]


def text_of(value: Any) -> str:
    """Write a parameter: lists are joined by commas."""
    if isinstance(value, list):
        return ",".join(map(text_of, value))
    return value if isinstance(value, str) else json.dumps(value)


def typed(text: Any, schema: dict[str, Any]) -> Any:
    """Make an argument of what stands in a URL. What is not text is one already."""
    if not isinstance(text, str):
        return text
    if schema.get("type") == "array":
        return text.split(",") if text else []
    return json.loads(text) if schema.get("type") in {"integer", "boolean"} else text


def path_of(template: str, values: dict[str, Any]) -> str:
    """Write a path, its values quoted so that none can be taken for a slash."""
    steps = template.split("/")
    return "/".join(quote(text_of(values[step[1:-1]]), safe="") if step.startswith("{") else step for step in steps)
