"""Settings of a WebSocket: what was given, and what the description says where nothing was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._spec.spec import SocketMessage, Spec

__all__ = ["Settings", "merge"]


class Settings:
    """The settings of one connection.

    Args:
        message: The message that tells clients which settings are in use.
        spec: The description.
        fallbacks: Values of members that must be told and have no default, by name.
    """

    def __init__(self, message: SocketMessage, spec: Spec, fallbacks: Mapping[str, Any]) -> None:
        self._schema = message.schema
        self._spec = spec
        self._fallbacks = fallbacks
        self.given: dict[str, Any] = {}

    def effective(self, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the settings in use.

        Args:
            given: What was given; all that was kept by default.
        """
        return self._filled(self._schema, self.given if given is None else given)

    def _filled(self, schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        required = schema.get("required", ())
        result = {}
        for name, described in schema["properties"].items():
            followed, _ = self._spec.follow(described, "")
            value = given.get(name, described.get("default", followed.get("default")))
            if value is None and name in required:
                value = {} if "properties" in followed else self._fallbacks.get(name)
            if isinstance(value, Mapping) and "properties" in followed:
                value = self._filled(followed, value)
            if value is not None:
                result[name] = value
        return result


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings changed by others: members that are objects change member by member."""
    result = dict(old)
    for name, value in new.items():
        before = result.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[name] = merge(before, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return result
