"""Finds the differences between a response and the description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract._calls import Call, document, resolve
from tests.contract._filled import violations

__all__ = ["drift"]


def drift(call: Call, status: int, answer: Any) -> list[str]:
    """List the differences: unknown members and values, missing members, other types, unknown codes."""
    assert call.answer is not None
    if not isinstance(answer, dict):
        return [f"the response is {answer!r:.60}, not an object"]
    code = answer.get("code", 0)
    if code != 0:
        known = {entry["code"] for entry in document()["components"]["x-coze-errors"]}
        return [] if code in known else [f"code {code} is not in the error table: {answer.get('msg')!r:.100}"]
    if status != 200:
        return [f"HTTP status {status} without an error code"]
    schema = call.answer["schema"]
    return [*violations(schema, answer), *(f"{where} is not described" for where in _unknown(schema, answer, ""))]


def _unknown(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    schema = _variant(resolve(schema), value)
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            inner = known.get(name, others if isinstance(others, dict) else None)
            if inner is not None:
                yield from _unknown(inner, item, f"{where}.{name}")
            elif known:
                yield f"{where}.{name}".lstrip(".")
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _unknown(schema["items"], item, f"{where}[{number}]")


def _variant(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return the first variant that accepts the value, or the first of all."""
    variants = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if not variants:
        return schema
    fitting = [variant for variant in variants if not violations(variant, value)]
    return _variant(resolve((fitting or variants)[0]), value)
