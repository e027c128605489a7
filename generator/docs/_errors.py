"""Writes the table of error codes."""

from __future__ import annotations

from typing import Any

from ..parser.error_categories import CATEGORIES
from ..spec.bundler import Bundle
from ._markdown import NOTHING, cell, code, table

__all__ = ["codes_list", "errors_page"]


def errors_page(bundled: Bundle) -> str:
    """Write `errors.md`."""
    categories = table(
        ["Category", "Exception", "Meaning"],
        ([code(name), code(exception), cell(meaning)] for name, (exception, meaning) in CATEGORIES.items()),
    )
    codes = _codes(bundled)
    return (
        "# Error codes\n\n"
        "Coze reports an error by the `code` of its response, often with HTTP status 200. "
        f"{len(codes)} codes are described; the HTTP status of a response decides about others.\n\n"
        f"## Categories\n\n{categories}\n## Codes\n\n"
        "A code without a category is known from the vendor's open-source server only: its meaning is shown, and its "
        "HTTP status decides. Retryable means that the same request may work later. Whether the client repeats it also "
        f"depends on what a second time could do.\n\n{_codes_table(codes)}"
    )


def codes_list(bundled: Bundle) -> str:
    """Write all codes in a table that is narrow enough for the middle of the reference page."""
    rows = (
        [
            str(error["code"]),
            "<br>".join(
                [
                    code(error["name"]),
                    *([code(error["category"])] if "category" in error else []),
                    *(["retryable"] if error.get("retryable") else []),
                ]
            ),
            cell(error["meaning"]) + (f"<br><br>{cell(error['hint'])}" if "hint" in error else ""),
        ]
        for error in _codes(bundled)
    )
    return table([">Code", "Name and category", "Meaning, and what to do"], rows)


def _codes(bundled: Bundle) -> list[Any]:
    return sorted(bundled.document["components"].get("x-coze-errors", []), key=lambda error: int(error["code"]))


def _codes_table(codes: list[Any]) -> str:
    rows = (
        [
            str(error["code"]),
            code(error["name"]),
            code(error["category"]) if "category" in error else NOTHING,
            {True: "yes", False: "no"}.get(error.get("retryable"), NOTHING),
            cell(error["meaning"]),
            cell(error["hint"]) if "hint" in error else NOTHING,
        ]
        for error in codes
    )
    return table([">Code", "Name", "Category", "Retryable", "Meaning", "What to do"], rows)
