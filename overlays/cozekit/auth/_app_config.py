"""The JSON file with an app's settings, as it is downloaded from the console of Coze."""

from __future__ import annotations

import json
import os
from typing import Any, Self

from coze_api._core._secrets import hidden

from .._private_files import read_regular
from ..errors import InvalidArgumentError

__all__ = ["FromFile", "read_app_file"]

_MEMBERS = {
    "web": ("client_id", "client_secret"),
    "pkce": ("client_id",),
    "device": ("client_id",),
    "jwt": ("client_id", "private_key", "public_key_id"),
}


def read_app_file(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """Read the settings of an app, as arguments.

    Args:
        path: The file.
        kind: The flow's name in the file: web, pkce, device or jwt.

    Raises:
        InvalidArgumentError: The file cannot be read or is for another flow. The message does not show its content.
    """
    settings, problem = _read(path, kind)
    if problem:
        raise InvalidArgumentError(f"{os.fspath(path)}: {problem}")
    return settings


def _read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], str]:
    try:
        content = json.loads(read_regular(path, follow=True))  # mounted secrets are links
    except OSError as error:
        return {}, f"cannot be read: {error.strerror}"
    except ValueError:
        return {}, "is not JSON; download the app's settings from the console of Coze again"
    if not isinstance(content, dict):
        return {}, "is not a JSON object; download the app's settings from the console of Coze again"
    if content.get("client_type", kind) != kind:
        return {}, f"belongs to an app of the flow {content['client_type']!r:.20}, not {kind!r}"
    absent = [name for name in _MEMBERS[kind] if not content.get(name)]
    if absent:
        return {}, f"lacks {', '.join(absent)}"
    settings = {name: hidden(content[name]) for name in _MEMBERS[kind]}
    if content.get("coze_api_base"):
        settings["base_url"] = content["coze_api_base"]
    return settings, ""


class FromFile:
    """A flow that can be created from the settings file of the console of Coze."""

    _kind: str

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """Create a flow from the app's settings file, as it is downloaded from the console of Coze.

        Args:
            path: The JSON file.
            **options: Further arguments. They override the file.

        Raises:
            InvalidArgumentError: The file cannot be read or is of another kind of app.
        """
        return cls(**{**read_app_file(path, cls._kind), **options})
