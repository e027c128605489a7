"""Read-only view of the state."""

from __future__ import annotations

from typing import Any

from .._state.store import Store

__all__ = ["browse"]

_SECRET = {"device", "jwt", "oauth_code", "refresh_token", "token"}
_MOST = 500


def browse(store: Store, kind: str | None) -> dict[str, Any]:
    """Count the documents of each kind, or list those of one.

    Args:
        store: The state.
        kind: Kind of the documents to list: the newest 500, newest first. Tokens, codes and keys are never shown.
    """
    if kind is None:
        return {"kinds": {name: count for name, count in store.kinds().items() if not name.startswith("_")}}
    if kind in _SECRET:
        return {"documents": [], "hidden": True}
    found = store.newest(kind, _MOST)
    return {"documents": [{"id": key, "document": _shown(document)} for key, document in found], "hidden": False}


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if "token" not in name and "secret" not in name}
