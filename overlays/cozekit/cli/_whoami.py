"""`cozekit whoami`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .. import Coze
from .._config import resolve_base_url, resolve_token
from .._profiles import current_profile
from ._console import CLIError

__all__ = ["token_owner"]

_TIMEOUT = 20.0
_FAR = datetime(9000, 1, 1, tzinfo=UTC)


def token_owner(profile_name: str | None) -> dict[str, Any]:
    """Return the account behind the token that a client would use.

    Raises:
        CLIError: There is no token.
        CozeError: The call failed.
    """
    token = None if profile_name else resolve_token(None)
    if token:
        return _account(resolve_base_url(None), {"token": token}, "COZE_API_TOKEN")
    current = current_profile(profile_name)
    if current is None:
        raise CLIError("you are not logged in: run `cozekit login`, or set COZE_API_TOKEN")
    profile, profiles = current
    facts = _account(
        profile.base_url, profile.credentials(profiles.store), f"profile {profile.name} ({profile.method})"
    )
    saved = profiles.store.load(profile.name)  # after the call, which may have refreshed it
    if saved is not None and saved.expires_at < _FAR:
        facts["expires_at"] = saved.expires_at.isoformat()
    return facts


def _account(base_url: str, credentials: dict[str, Any], source: str) -> dict[str, Any]:
    with Coze(base_url=base_url, timeout=_TIMEOUT, **credentials) as coze:
        user = coze.users.me()
    name = user.nick_name or user.user_name
    return {"name": name, "user_id": user.user_id, "service": base_url, "token_from": source, "expires_at": None}
