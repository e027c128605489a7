"""Reads operations and their responses from a HAR file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..spec.diagnostics import DescriptionError, Diagnostic
from .facts import Address, Operation

__all__ = ["read_entries", "read_har"]


def read_har(path: Path, addresses: Mapping[Address, str]) -> Iterator[Operation]:
    """Yield what each exchange of the file shows, failures aside.

    Args:
        path: The file, as browsers and `drift live --har` write it.
        addresses: The addresses of the described operations: a recording does not show which parts of a path are ids.

    Raises:
        DescriptionError: The file is not a HAR file.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["log"]["entries"]
        yield from read_entries(entries, addresses, path.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DescriptionError([Diagnostic(str(path), 1, "har", f"is not a HAR file: {error!r:.200}")]) from error


def read_entries(
    entries: Iterable[Mapping[str, Any]], addresses: Mapping[Address, str], place: str
) -> Iterator[Operation]:
    """Yield what each entry of a HAR file shows. See `read_har`."""
    exchanges = [(entry["request"], entry["response"]) for entry in entries]
    for request, response in exchanges:
        yield from _operation(request, response, addresses, place)


def _operation(
    request: Mapping[str, Any], response: Mapping[str, Any], addresses: Mapping[Address, str], place: str
) -> Iterator[Operation]:
    url = urlsplit(request["url"])
    answer = _json(response.get("content", {}).get("text"))
    method = request["method"].upper()
    address = next(
        (candidate for candidate in addresses if candidate[0] == method and _fits(url.path, candidate[1])),
        (method, url.path),
    )
    name = addresses.get(address, "")
    if not isinstance(answer, dict):
        return  # events and files have no members
    if answer.get("code", 0) != 0 or response["status"] >= 400:
        if name and answer.get("code"):  # of an error, only its code is described
            code = {"response.code": frozenset({str(answer["code"])})}
            yield Operation(name, address, code, complete=frozenset(), place=place)
        return
    members = {f"request.{name}": frozenset({value}) for name, value in parse_qsl(url.query)}
    members |= _members(_json(request.get("postData", {}).get("text")), "request")
    members |= _members(answer, "response")
    types: dict[str, frozenset[str]] = {}
    objects: dict[str, frozenset[str]] = {}
    _shapes(answer, "response", types, objects)
    yield Operation(name, address, members, types=types, objects=objects, complete=frozenset(), place=place)


def _fits(path: str, template: str) -> bool:
    segments, wanted = path.rstrip("/").split("/"), template.split("/")
    return len(segments) == len(wanted) and all(
        part in ("{}", segment) for segment, part in zip(segments, wanted, strict=True)
    )


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _members(value: Any, prefix: str) -> dict[str, frozenset[str]]:
    """Return all members of a value, each with the texts and numbers that were seen for it."""
    members: dict[str, frozenset[str]] = {}
    if isinstance(value, dict):
        for name, inner in value.items():
            members[f"{prefix}.{name}"] = frozenset()
            members |= _members(inner, f"{prefix}.{name}")
    elif isinstance(value, list):
        for item in value:
            for name, values in _members(item, f"{prefix}[]").items():
                members[name] = members.get(name, frozenset()) | values
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        members[prefix] = frozenset({str(value)})
    return members


_TYPES = {bool: "boolean", dict: "object", float: "number", int: "integer", list: "array", str: "string"}


def _shapes(value: Any, prefix: str, types: dict[str, frozenset[str]], objects: dict[str, frozenset[str]]) -> None:
    """Collect the JSON types of all members of a value, and the names that all objects at the same place have."""
    types[prefix] = types.get(prefix, frozenset()) | {_TYPES.get(type(value), "null")}
    if isinstance(value, dict):
        objects[prefix] = objects.get(prefix, frozenset(value)) & value.keys()
        for name, inner in value.items():
            _shapes(inner, f"{prefix}.{name}", types, objects)
    elif isinstance(value, list):
        for item in value:
            _shapes(item, f"{prefix}[]", types, objects)
