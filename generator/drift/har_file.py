"""Reads operations and their responses from a HAR file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..spec.diagnostics import DescriptionError, Diagnostic
from .facts import Address, Operation

__all__ = ["read_har"]


def read_har(path: Path, addresses: Mapping[Address, str]) -> Iterator[Operation]:
    """Yield what each exchange of the file shows, failures aside.

    Args:
        path: The file, as browsers and `make contract-live` write it.
        addresses: The addresses of the described operations: a recording does not show which parts of a path are ids.

    Raises:
        DescriptionError: The file is not a HAR file.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["log"]["entries"]
        exchanges = [(entry["request"], entry["response"]) for entry in entries]
        for request, response in exchanges:
            if response["status"] < 400:
                yield from _operation(request, response, addresses, path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DescriptionError([Diagnostic(str(path), 1, "har", f"is not a HAR file: {error!r:.200}")]) from error


def _operation(
    request: Mapping[str, Any], response: Mapping[str, Any], addresses: Mapping[Address, str], path: Path
) -> Iterator[Operation]:
    url = urlsplit(request["url"])
    answer = _json(response.get("content", {}).get("text"))
    if not isinstance(answer, dict) or answer.get("code", 0) != 0:
        return  # events and files have no members, and an error is not a response of the operation
    members = {f"request.{name}": frozenset({value}) for name, value in parse_qsl(url.query)}
    members |= _members(_json(request.get("postData", {}).get("text")), "request")
    members |= _members(answer, "response")
    method = request["method"].upper()
    address = next(
        (candidate for candidate in addresses if candidate[0] == method and _fits(url.path, candidate[1])),
        (method, url.path),
    )
    yield Operation(addresses.get(address, ""), address, members, complete=frozenset(), place=path.name)


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
