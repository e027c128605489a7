"""Whose token is used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .. import Coze
from .._config import resolve_base_url, resolve_token
from .._profiles import current_profile
from ._console import Failure

__all__ = ["who_is"]

_TIMEOUT = 20.0
_FAR = datetime(9000, 1, 1, tzinfo=UTC)


def who_is(profile_name: str | None) -> dict[str, Any]:
    """Ask Coze whose token it is that a client would use.

    Raises:
        Failure: There is no token.
        CozeError: Coze does not take it, or did not answer.
    """
    token = None if profile_name else resolve_token(None)
    if token:
        return _ask(resolve_base_url(None), {"token": token}, "COZE_API_TOKEN")
    current = current_profile(profile_name)
    if current is None:
        raise Failure("nobody has logged in: run `cozekit login`, or set COZE_API_TOKEN")
    profile, profiles = current
    facts = _ask(profile.base_url, profile.credentials(profiles.store), f"profile {profile.name} ({profile.method})")
    kept = profiles.store.load(profile.name)  # after asking, which may have renewed it
    if kept is not None and kept.expires_at < _FAR:
        facts["expires_at"] = kept.expires_at.isoformat()
    return facts


def _ask(base_url: str, credentials: dict[str, Any], source: str) -> dict[str, Any]:
    with Coze(base_url=base_url, timeout=_TIMEOUT, **credentials) as coze:
        user = coze.users.me()
    name = user.nick_name or user.user_name
    return {"name": name, "user_id": user.user_id, "service": base_url, "token_from": source, "expires_at": None}
