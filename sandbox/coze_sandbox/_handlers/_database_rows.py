"""Rows of databases: typed values, filters, and who reads and changes which rows."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError

__all__ = ["SYSTEM_COLUMNS", "column_of", "parse_value", "row_filter", "shown_value", "sorted_rows"]

SYSTEM_COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "id", "desc": "Id of the row", "type": "integer", "is_primary_key": True},
    {"name": "sys_platform", "desc": "Channel that added the row", "type": "string"},
    {"name": "uuid", "desc": "User that the row belongs to", "type": "string"},
    {"name": "bstudio_create_time", "desc": "When the row was added", "type": "time"},
)
"""The columns that Coze adds to every database."""

_WITHOUT_VALUE = {"is_null", "is_not_null"}
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "greater_than": operator.gt,
    "less_than": operator.lt,
    "greater_equal": operator.ge,
    "less_equal": operator.le,
}
_BOOLEANS = {"true": True, "false": False}

Column = Mapping[str, Any]
Row = Mapping[str, Any]
RowFilter = Callable[[Row], bool]


def column_of(columns: Iterable[Column], name: str, where: str) -> Column:
    """Return a column by name.

    Raises:
        CallError: The database has no such column.
    """
    for column in columns:
        if column["name"] == name:
            return column
    raise CallError(INVALID_PARAMETER, f"{where}: the database has no column {name!r}")


def parse_value(column: Column, text: str, where: str) -> Any:
    """Convert a text to the type of a column. Times are kept as texts, which sort by time.

    Raises:
        CallError: The text is not a value of the type.
    """
    try:
        match column["type"]:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return _BOOLEANS[text.lower()]
            case "time":
                return datetime.fromisoformat(text).isoformat(sep=" ")
    except (ValueError, KeyError) as error:
        message = f"{where}: {text!r} is no {column['type']}, the type of the column {column['name']}"
        raise CallError(INVALID_PARAMETER, message) from error
    return text


def shown_value(value: Any) -> Any:
    """Return a value as queries return it: as text, or null."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def row_filter(columns: Sequence[Column], sent: Mapping[str, Any], *, required: bool = False) -> RowFilter:
    """Check a filter, and return a function that decides whether a row meets it.

    Args:
        columns: The columns of the database.
        sent: The filter of the request.
        required: Whether it needs conditions.

    Raises:
        CallError: A condition is incomplete or names an unknown column, a value has the wrong type, or conditions that
            are required are missing.
    """
    conditions = sent.get("conditions", [])
    if required and not conditions:
        raise CallError(INVALID_PARAMETER, "body.filter.conditions: at least one condition is needed")
    tests = [
        _condition(columns, condition, f"body.filter.conditions[{number}]")
        for number, condition in enumerate(conditions)
    ]
    if sent.get("logic") == "or" and tests:
        return lambda row: any(test(row) for test in tests)
    return lambda row: all(test(row) for test in tests)


def sorted_rows(rows: Iterable[Row], orders: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Sort rows by several columns, the first one counts most. Rows without a value come first."""
    result = list(rows)
    for order in reversed(orders):
        name, descending = order["field_name"], order.get("direction") == "desc"
        result.sort(key=lambda row: (row.get(name) is not None, row.get(name) or 0), reverse=descending)
    return result


def _condition(columns: Sequence[Column], sent: Mapping[str, Any], where: str) -> RowFilter:
    for name in ("left", "operation", "right"):
        if name not in sent and not (name == "right" and sent.get("operation") in _WITHOUT_VALUE):
            raise CallError(INVALID_PARAMETER, f"{where}.{name}: it is required")
    column = column_of(columns, sent["left"], f"{where}.left")
    kind: str = sent["operation"]
    if kind in _WITHOUT_VALUE:
        return lambda row: (row.get(column["name"]) is None) == (kind == "is_null")
    compares = _comparison(column, kind, sent["right"], f"{where}.right")

    def meets(row: Row) -> bool:
        value = row.get(column["name"])
        return value is not None and compares(value)  # as in SQL: a missing value meets no comparison

    return meets


def _comparison(column: Column, kind: str, text: str, where: str) -> Callable[[Any], bool]:
    """Return a function that compares a value with that of a condition.

    How lists are written is not documented: JSON and commas are accepted.
    """
    match kind:
        case "in" | "not_in":
            items = [parse_value(column, str(item), where) for item in _items(text)]
            return lambda value: (value in items) == (kind == "in")
        case "like" | "not_like":
            pattern = re.compile(
                "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in text), re.DOTALL
            )
            return lambda value: bool(pattern.fullmatch(str(shown_value(value)))) == (kind == "like")
    wanted, compare = parse_value(column, text, where), _COMPARED[kind]
    return lambda value: compare(value, wanted)


def _items(text: str) -> list[Any]:
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    return listed if isinstance(listed, list) else [item.strip() for item in text.split(",")]
