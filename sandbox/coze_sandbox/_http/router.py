"""Which operation a request is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import attrs

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError
from .._spec.spec import Operation

__all__ = ["Router", "RouteMatch", "sent_path"]

# Verbs that clients in the wild use although the documentation names another one.
_ALIASES = {
    # The official Python and JavaScript SDKs poll with POST.
    ("POST", "/v3/chat/retrieve"): "GET",
    # The official Java SDK asks with POST.
    ("POST", "/v1/conversation/message/retrieve"): "GET",
}


@attrs.frozen
class RouteMatch:
    """What the router found.

    Attributes:
        operation: The operation, or None where path or verb are unknown.
        path: The path parameters, decoded.
        allowed: The verbs that the path has; empty where the path is unknown.
    """

    operation: Operation | None
    path: dict[str, str]
    allowed: tuple[str, ...]

    def refusal(self, method: str, path: str) -> CallError:
        """Make the failure for a request that no operation was found for.

        Args:
            method: HTTP method.
            path: The path as sent.
        """
        if not self.allowed:
            return CallError(NOT_FOUND, f"there is no path {path}", status=404)
        allowed = ", ".join(self.allowed)
        msg = f"{path} does not know {method}, only {allowed}"
        return CallError(INVALID_PARAMETER, msg, status=405, headers={"Allow": allowed})


class Router:
    """Finds operations by verb and path.

    Args:
        operations: The operations of the description.
        aliases: Whether to know the verbs as well that only SDKs use.
    """

    def __init__(self, operations: Iterable[Operation], *, aliases: bool) -> None:
        self._literal: dict[str, dict[str, Operation]] = {}
        self._templates: list[tuple[tuple[str, ...], dict[str, Operation]]] = []
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        for path, verbs in by_path.items():
            for (verb, alias_path), described in _ALIASES.items():
                if aliases and alias_path == path and described in verbs:
                    verbs.setdefault(verb, verbs[described])
            if "{" in path:
                self._templates.append((tuple(path.split("/")), verbs))
            else:
                self._literal[path] = verbs

    def find(self, method: str, raw_path: str) -> RouteMatch:
        """Find the operation for a request.

        Args:
            method: HTTP method.
            raw_path: The path as sent, still percent-encoded, so that ids may hold slashes.
        """
        verbs = self._literal.get(raw_path)
        path: dict[str, str] = {}
        if verbs is None:
            segments = raw_path.split("/")
            for template, candidates in self._templates:
                found = _match(template, segments)
                if found is not None:
                    verbs, path = candidates, found
                    break
        if verbs is None:
            return RouteMatch(None, {}, ())
        return RouteMatch(verbs.get(method), path, tuple(sorted(verbs)))


def sent_path(scope: Mapping[str, Any]) -> str:
    """Return the path of an ASGI scope as it was sent, still percent-encoded."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path: str = raw.decode("latin-1").partition("?")[0]
    return path


def _match(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    found = {}
    for expected, given in zip(template, segments, strict=True):
        if expected.startswith("{"):
            if not given:
                return None
            found[expected[1:-1]] = unquote(given)
        elif expected != given:
            return None
    return found
