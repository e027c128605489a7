"""Rules for the `x-coze-*` keys: which there are, where they stand, and what their values go with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..spec.diagnostics import suggestion
from ._context import Description, Rule, Violation, mapping, violation
from ._keys import check_keys

__all__ = ["EXTENSION_RULES"]

_PAGE = "openapi/extensions.md"
_CELL = re.compile(r"\| `(x-[a-z-]+)` \|")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*\Z", re.ASCII)
_LEVELS = {
    "info": "On `info`",
    "operation": "On an operation",
    "schema": "On a schema or property",
    "parameter": "On a parameter",
    "components": "In `components`",
}
_ERROR_KEYS = ("code", "name", "meaning", "category", "retryable")
_ERROR_MORE = ("http_status", "hint", "grade")
# What a code that is only known from another server decides nothing by.
_DECISIONS = ("category", "retryable")


def extension_key(description: Description) -> Iterator[Violation]:
    """Every `x-` key is listed in extensions.md, and stands on the level it is listed for."""
    page = description.bundle.root / _PAGE
    listed = _listed(page.read_text(encoding="utf-8")) if page.is_file() else {}
    for level, place in description.places():
        for key in place:
            levels = sorted(listed.get(key, ()))
            if not key.startswith("x-") or level in levels:
                continue
            if levels:
                yield violation(place, f"move {key}: it belongs on {' or '.join(levels)}", key)
            else:
                remedy = suggestion(key, (name for name, levels in listed.items() if level in levels))
                yield violation(place, f"explain {key} in {_PAGE}, or remove it{remedy}", key)


def version(description: Description) -> Iterator[Violation]:
    """The version is year and month of `x-coze-as-of` and a number of its own: `2026.11.0`."""
    info = mapping(description.bundle.document.get("info"))
    year, _, month = str(info.get("x-coze-as-of", "")).partition("-")
    if month and not re.fullmatch(rf"{year}\.{int(month)}\.(0|[1-9][0-9]*)", str(info.get("version"))):
        message = f"write {year}.{int(month)}. and a number, as x-coze-as-of is {year}-{month}"
        yield violation(info, message, "version")


def enum_names(description: Description) -> Iterator[Violation]:
    """Numbers in an enum have names, and there is one valid, unique name for each value."""
    for node in description.nodes:
        values, names = node.schema.get("enum"), node.schema.get("x-coze-enum-names")
        if not isinstance(values, list):
            if names is not None:
                yield violation(node.schema, "x-coze-enum-names needs an enum beside it", "x-coze-enum-names")
            continue
        if names is None:
            if any(isinstance(value, int | float) for value in values):
                yield violation(node.schema, f"add x-coze-enum-names for the {len(values)} numbers", "enum")
            continue
        if not isinstance(names, list) or len(names) != len(values):
            count = len(names) if isinstance(names, list) else 0
            message = f"give one name for each value: {len(values)} values, {count} names"
            yield violation(node.schema, message, "x-coze-enum-names")
            continue
        for name in sorted({str(name) for name in names if names.count(name) > 1}):
            yield violation(node.schema, f"use the name {name} once", "x-coze-enum-names")
        for name in names:
            if not isinstance(name, str) or not _CONSTANT.match(name):
                yield violation(
                    node.schema,
                    f"write {name} in capitals, digits and underscores",
                    "x-coze-enum-names",
                )


def enum_descriptions(description: Description) -> Iterator[Violation]:
    """Explained values are values of the enum."""
    for node in description.nodes:
        descriptions = mapping(node.schema.get("x-coze-enum-descriptions"))
        values = node.schema.get("enum")
        known = {str(value) for value in values} if isinstance(values, list) else set()
        for value in descriptions:
            if value not in known:
                yield violation(
                    descriptions,
                    f"{value} is not in the enum; remove its description or add the value",
                    value,
                )


def error_codes(description: Description) -> Iterator[Violation]:
    """An error code is listed once, with all that the client reports about it."""
    listed = mapping(description.document.get("components")).get("x-coze-errors")
    seen: set[object] = set()
    for item in listed if isinstance(listed, list) else []:
        error = mapping(item)
        decides_nothing = error.get("grade") == "doubtful"
        for key in _DECISIONS if decides_nothing else ():
            if key in error:
                yield violation(error, f"remove {key}: a doubtful code decides nothing", key)
        required = tuple(key for key in _ERROR_KEYS if not (decides_nothing and key in _DECISIONS))
        yield from check_keys(error, error, f"error {error.get('code')}", _ERROR_KEYS + _ERROR_MORE, required)
        if error.get("code") in seen:
            yield violation(error, f"list error {error.get('code')} once", "code")
        seen.add(error.get("code"))


def _listed(page: str) -> dict[str, set[str]]:
    levels: dict[str, set[str]] = {}
    for section in page.split("\n## ")[1:]:
        for level, heading in _LEVELS.items():
            if section.startswith(heading):
                for key in _CELL.findall(section):
                    levels.setdefault(key, set()).add(level)
    return levels


EXTENSION_RULES: dict[str, Rule] = {
    "extension-key": extension_key,
    "version": version,
    "enum-names": enum_names,
    "enum-descriptions": enum_descriptions,
    "error-codes": error_codes,
}
