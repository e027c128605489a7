"""Routing of requests to operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import attrs

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError
from .._spec.spec import Operation

__all__ = ["Router", "RouteMatch", "sent_path"]

# Methods that clients use instead of the documented one.
_ALIASES = {
    # The official Python and JavaScript SDKs poll with POST.
    ("POST", "/v3/chat/retrieve"): "GET",
    # The official Java SDK uses POST.
    ("POST", "/v1/conversation/message/retrieve"): "GET",
}


@attrs.frozen
class RouteMatch:
    """Result of the router.

    Attributes:
        operation: The operation, or None for an unknown path or method.
        path: The path parameters, decoded.
        allowed: The methods of the path; empty for an unknown path.
    """

    operation: Operation | None
    path: dict[str, str]
    allowed: tuple[str, ...]

    def refusal(self, method: str, path: str) -> CallError:
        """Return the error for a request without an operation.

        Args:
            method: HTTP method.
            path: The path as sent.
        """
        if not self.allowed:
            return CallError(NOT_FOUND, f"unknown path {path}", status=404)
        allowed = ", ".join(self.allowed)
        msg = f"{path} does not allow {method}, only {allowed}"
        return CallError(INVALID_PARAMETER, msg, status=405, headers={"Allow": allowed})


class Router:
    """Finds operations by method and path.

    Args:
        operations: The operations of the spec.
        aliases: Whether to accept the methods that only SDKs use.
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
            raw_path: The path as sent, percent-encoded, so that ids may contain slashes.
        """
        verbs = self._literal.get(raw_path)
        path: dict[str, str] = {}
        if verbs is None:
            segments = raw_path.split("/")
            for template, candidates in self._templates:
                path_values = _match(template, segments)
                if path_values is not None:
                    verbs, path = candidates, path_values
                    break
        if verbs is None:
            return RouteMatch(None, {}, ())
        return RouteMatch(verbs.get(method), path, tuple(sorted(verbs)))


def sent_path(scope: Mapping[str, Any]) -> str:
    """Return the path of an ASGI scope as sent, percent-encoded."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path: str = raw.decode("latin-1").partition("?")[0]
    return path


def _match(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    path_values = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            if not segment:
                return None
            path_values[expected[1:-1]] = unquote(segment)
        elif expected != segment:
            return None
    return path_values
