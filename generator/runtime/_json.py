"""JSON text to values and back, with orjson where it is installed."""

from __future__ import annotations

import json
import json.scanner
import re
from collections.abc import Callable
from typing import Any

__all__ = ["MAX_DEPTH", "NestedTooDeeply", "check_depth", "dumps", "loads", "loads_exactly", "parser", "use"]

MAX_DEPTH = 128
"""Levels of arrays and objects that are read. More than that exhausts the stack of whatever walks over a value later:
`repr`, comparing, copying, encoding."""

_FEW = 8

_scan = json.scanner.make_scanner(json.JSONDecoder())  # type: ignore[arg-type]  # typeshed expects more
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class NestedTooDeeply(ValueError):
    """JSON text has more than `MAX_DEPTH` levels."""


_long = re.compile(r"\d{19}", re.ASCII).search  # the least number beyond 64 bits, -2**63 - 1, has 19 digits


def _standard_loads(data: bytes | str) -> Any:
    # Decoding to str first and calling the scanner directly takes about a third off `json.loads(bytes)`,
    # which guesses the encoding each time and calls three functions on the way.
    text = (data if isinstance(data, str) else data.decode("utf-8", "replace")).strip()
    try:
        value, end = _scan(text, 0)
    except StopIteration as stop:
        raise json.JSONDecodeError("Expecting value", text, stop.value) from None
    except RecursionError:
        raise NestedTooDeeply(f"more than {MAX_DEPTH} levels") from None
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def _standard_dumps(value: Any) -> bytes:
    try:
        return _encode(value).encode()
    except RecursionError:
        raise NestedTooDeeply("it is nested too deeply") from None


_loads: Callable[[bytes | str], Any] | None = None
_dumps: Callable[[Any], bytes] | None = None


def use(name: str) -> None:
    """Choose the parser: ``"orjson"``, ``"json"``, or ``"auto"`` for orjson where it is installed.

    Raises:
        ImportError: *name* is orjson, which is not installed.
    """
    global _loads, _dumps
    if name != "json":
        try:
            import orjson
        except ImportError:
            if name == "orjson":
                raise
        else:
            _loads, _dumps = orjson.loads, orjson.dumps
            return
    _loads, _dumps = _standard_loads, _standard_dumps


def loads(data: bytes | str) -> Any:
    """Parse JSON text.

    Raises:
        NestedTooDeeply: *data* has more than `MAX_DEPTH` levels.
        ValueError: *data* is not JSON.
    """
    if _loads is None:
        use("auto")  # at the first call, since importing orjson costs more than a small program needs
        return loads(data)
    try:
        value = _loads(data)
    except ValueError:
        if _loads is _standard_loads:
            raise
        value = _standard_loads(data)  # orjson refuses invalid UTF-8 and halves of surrogate pairs, which do occur
    check_depth(data, value)
    return value


def check_depth(data: bytes | str, value: Any) -> None:
    """Refuse JSON text that has more levels than are read.

    Args:
        data: The text. Where it has few brackets, nothing else is looked at.
        value: What was parsed from it. The text alone does not suffice: a bracket may be part of a string.

    Raises:
        NestedTooDeeply: It has more than `MAX_DEPTH` levels.
    """
    if _has_few_brackets(data) if isinstance(data, bytes) else data.count("[") + data.count("{") <= MAX_DEPTH:
        return
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            item
            for outer in level
            for item in (outer.values() if outer.__class__ is dict else outer)
            if item.__class__ is dict or item.__class__ is list
        ]
        if not level:
            return
    raise NestedTooDeeply(f"more than {MAX_DEPTH} levels")


def _has_few_brackets(data: bytes) -> bool:
    """Return whether text has at most `MAX_DEPTH` opening brackets.

    To find the few brackets of a message with audio takes half the time of counting, which looks at each byte.
    """
    at = -1
    for _ in range(_FEW):
        at = data.find(b"{", at + 1)
        if at < 0:
            return data.find(b"[") < 0 or data.count(b"[") <= MAX_DEPTH - _FEW
    return data.count(b"[") + data.count(b"{") <= MAX_DEPTH


def loads_exactly(text: str) -> Any:
    """Parse JSON text with whole numbers of any size. orjson makes floats of those beyond 64 bits.

    To look for long numbers takes longer than to parse, so `loads` does not.

    Raises:
        NestedTooDeeply: *text* has more than `MAX_DEPTH` levels.
        ValueError: *text* is not JSON.
    """
    if not _long(text):
        return loads(text)
    value = _standard_loads(text)
    check_depth(text, value)
    return value


def parser() -> Callable[[bytes | str], Any]:
    """Return the chosen parser alone, for loops. `loads` may accept text that it rejects with ValueError."""
    if _loads is None:
        use("auto")
    assert _loads is not None
    return _loads


def dumps(value: Any) -> bytes:
    """Write *value* as JSON text in UTF-8.

    Raises:
        TypeError: *value* holds something that is not JSON-serializable.
        ValueError: *value* holds infinity, or text that UTF-8 cannot write, or is nested too deeply.
    """
    if _dumps is None:
        use("auto")
        return dumps(value)
    try:
        text = _dumps(value)
        if b"null" not in text or _dumps is _standard_dumps:
            return text
        return _standard_dumps(value)  # orjson writes null for infinity, which this one refuses
    except TypeError:
        if _dumps is _standard_dumps:
            raise
        return _standard_dumps(value)  # orjson rejects integers of more than 64 bits, which JSON allows
