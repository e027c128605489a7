"""Access tokens that the sandbox gives out."""

from __future__ import annotations

from typing import Any

from .._config.oauth_apps import OAuthApp
from .._oauth.consent import new_secret
from .._state.seed import USER_ID
from .._state.state import SandboxState

__all__ = ["LIFETIME", "new_token"]

LIFETIME = 900
"""Seconds that a token is valid where nothing else is asked for."""


def new_token(
    state: SandboxState, app: OAuthApp, prefix: str, seconds: int = LIFETIME, **limits: Any
) -> dict[str, Any]:
    """Make an access token, which opens the other operations until it expires.

    Args:
        state: The state.
        app: The app that it is for.
        prefix: How it begins.
        seconds: For how long it is valid.
        **limits: What it is limited to: `permissions`, `workspace_id`, `bot_ids`; and `user_id`, whose it is.
    """
    token, expires = new_secret(state, prefix), state.clock.seconds() + seconds
    allowed = limits.pop("permissions", None)
    if allowed is None and app.permissions is not None:
        allowed = sorted(app.permissions)
    kept = {"user_id": USER_ID, "client_id": app.client_id, "permissions": allowed, **limits}
    state.store.put("token", token, {**kept, "expires_at": expires})
    # Not a duration: Coze writes the moment here.
    return {"access_token": token, "expires_in": expires, "token_type": "Bearer"}
