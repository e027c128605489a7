"""Settings of a WebSocket, with the defaults of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._spec.spec import SocketMessage, Spec

__all__ = ["Settings", "merge"]


class Settings:
    """The settings of one connection.

    Args:
        message: The message with the effective settings.
        spec: The spec.
        fallbacks: Values of required members without a default, by name.
    """

    def __init__(self, message: SocketMessage, spec: Spec, fallbacks: Mapping[str, Any]) -> None:
        self._schema = message.schema
        self._spec = spec
        self._fallbacks = fallbacks
        self.configured: dict[str, Any] = {}

    def effective(self, configured: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the effective settings.

        Args:
            configured: Settings of the client; by default the stored ones.
        """
        return self._filled(self._schema, self.configured if configured is None else configured)

    def _filled(self, schema: Mapping[str, Any], configured: Mapping[str, Any]) -> dict[str, Any]:
        required = schema.get("required", ())
        result = {}
        for name, described in schema["properties"].items():
            followed, _ = self._spec.follow(described, "")
            value = configured.get(name, described.get("default", followed.get("default")))
            if value is None and name in required:
                value = {} if "properties" in followed else self._fallbacks.get(name)
            if isinstance(value, Mapping) and "properties" in followed:
                value = self._filled(followed, value)
            if value is not None:
                result[name] = value
        return result


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge settings; objects are merged recursively."""
    result = dict(old)
    for name, value in new.items():
        before = result.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[name] = merge(before, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return result
