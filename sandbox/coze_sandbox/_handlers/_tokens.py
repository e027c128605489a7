"""Issuing of access tokens."""

from __future__ import annotations

from typing import Any

from .._config.oauth_apps import OAuthApp
from .._oauth.consent import new_secret
from .._state.seed import USER_ID
from .._state.state import SandboxState

__all__ = ["LIFETIME", "new_token"]

LIFETIME = 900
"""Default lifetime of a token in seconds."""


def new_token(
    state: SandboxState, app: OAuthApp, prefix: str, seconds: int = LIFETIME, **limits: Any
) -> dict[str, Any]:
    """Issue an access token.

    Args:
        state: The state.
        app: The app.
        prefix: Prefix of the token.
        seconds: Lifetime in seconds.
        **limits: Restrictions: `permissions`, `workspace_id`, `bot_ids`; and `user_id`, its account.
    """
    token, expires = new_secret(state, prefix), state.clock.seconds() + seconds
    allowed = limits.pop("permissions", None)
    if allowed is None and app.permissions is not None:
        allowed = sorted(app.permissions)
    document = {"user_id": USER_ID, "client_id": app.client_id, "permissions": allowed, **limits}
    state.store.put("token", token, {**document, "expires_at": expires})
    # A timestamp, not a duration, as at Coze.
    return {"access_token": token, "expires_in": expires, "token_type": "Bearer"}
