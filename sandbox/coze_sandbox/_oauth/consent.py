"""Pending authorizations of browsers and devices, until they are allowed or denied."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .._config.oauth_apps import APPS, OAuthApp
from .._state.seed import USER_ID
from .._state.state import SandboxState

__all__ = [
    "AUTHORIZATION",
    "BROWSER",
    "DEVICE",
    "redirect_address",
    "begin_browser",
    "begin_device",
    "decide",
    "find_app",
    "find_pending",
    "is_active",
    "new_secret",
    "set_active",
    "list_pending",
    "record_authorization",
]

BROWSER, DEVICE = "oauth_browser", "oauth_device"
AUTHORIZATION = "oauth_authorization"
_USER_CODE = "oauth_user_code"
_INACTIVE = "oauth_inactive"

_BROWSER_SECONDS = 600
_CODE_SECONDS = 300
_DEVICE_SECONDS = 300
# No vowels, to avoid words, and no ambiguous letters (RFC 8628, 6.1).
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_USER_CODE_LENGTH = 8


def new_secret(state: SandboxState, prefix: str) -> str:
    """Return a unique secret."""
    seed = f"{state.options.seed} {state.new_id()}"
    return prefix + hashlib.sha256(seed.encode()).hexdigest()


def find_app(state: SandboxState, client_id: str) -> OAuthApp | None:
    """Return the app with a client id, or None.

    With the option `any_oauth_app`, unknown ids are apps of the kind `any`.
    """
    app = next((app for app in (*APPS, *state.options.oauth_apps) if app.client_id == client_id), None)
    if app is None and state.options.any_oauth_app:
        return OAuthApp(client_id=client_id, kind="any", name=client_id)
    return app


def is_active(state: SandboxState, app: OAuthApp) -> bool:
    """Return whether an app is active: its owner can deactivate it."""
    return state.find(_INACTIVE, app.client_id) is None


def set_active(state: SandboxState, client_id: str, *, active: bool) -> None:
    """Deactivate an app, or activate it again.

    Raises:
        ValueError: The app is unknown.
    """
    if find_app(state, client_id) is None:
        raise ValueError(f"unknown OAuth app {client_id}")
    if active:
        state.store.delete(_INACTIVE, client_id)
    else:
        state.store.put(_INACTIVE, client_id, {})


def begin_browser(state: SandboxState, app: OAuthApp, request: dict[str, Any]) -> str:
    """Store the authorization request of a browser and return its key.

    Args:
        state: The state.
        app: The app.
        request: `redirect_uri`, `state`, `code_challenge`, `method` and `workspace_id`.
    """
    key = new_secret(state, "")[:32]
    pending = {**request, "client_id": app.client_id, "expires_at": state.clock.now() + _BROWSER_SECONDS}
    state.store.put(BROWSER, key, pending)
    return key


def begin_device(state: SandboxState, app: OAuthApp, workspace_id: str | None) -> tuple[str, str, int]:
    """Store the authorization request of a device; return device code, user code and lifetime in seconds."""
    code = new_secret(state, "")[:48]
    number, user_code = int(hashlib.sha256(code.encode()).hexdigest(), 16), ""
    for _ in range(_USER_CODE_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        user_code += _LETTERS[letter]
    pending = {
        "client_id": app.client_id,
        "workspace_id": workspace_id,
        "user_code": user_code,
        "allowed": state.auto_consent,
        "polled_at": None,
        "expires_at": state.clock.now() + _DEVICE_SECONDS,
    }
    state.store.put(DEVICE, code, pending)
    state.store.put(_USER_CODE, user_code, {"device_code": code})
    return code, f"{user_code[:4]}-{user_code[4:]}", _DEVICE_SECONDS


def find_pending(state: SandboxState, key: str) -> tuple[str, str, dict[str, Any]] | None:
    """Find a pending request.

    Args:
        state: The state.
        key: The key of a browser, or the user code of a device in any notation.

    Returns:
        Kind, key and document; None if no request with this key is pending.
    """
    kind, pending = BROWSER, state.find(BROWSER, key)
    if pending is None:
        by_user = state.find(_USER_CODE, "".join(filter(str.isalnum, key)).upper())
        if by_user is None:
            return None
        kind, key = DEVICE, by_user["device_code"]
        pending = state.find(DEVICE, key)
    if pending is None or pending["expires_at"] <= state.clock.now() or pending.get("allowed") is not None:
        return None
    return kind, key, pending


def list_pending(state: SandboxState) -> list[dict[str, Any]]:
    """Return the pending requests, oldest first, each with its `key`."""
    entries = []
    for kind in (BROWSER, DEVICE):
        for key, pending in state.store.items(kind).items():
            if find_pending(state, pending.get("user_code", key)) is not None:
                shown = {"kind": kind.removeprefix("oauth_"), "client_id": pending["client_id"]}
                entries.append({**shown, "key": pending.get("user_code", key), "expires_at": pending["expires_at"]})
    return entries


def decide(state: SandboxState, key: str, *, allow: bool) -> str | None:
    """Decide a pending request.

    Args:
        state: The state.
        key: The key of a browser, or the user code of a device.
        allow: Whether to allow it.

    Returns:
        The redirect URL of a browser; None for a device, which polls.

    Raises:
        ValueError: No request with this key is pending: it is wrong, was used, or has expired.
    """
    entry = find_pending(state, key)
    if entry is None:
        raise ValueError("no pending request for this code: it is wrong, was used, or has expired")
    kind, key, pending = entry
    with state.store.transaction():
        if allow:
            record_authorization(state, pending["client_id"], USER_ID, pending["workspace_id"])
        if kind == DEVICE:
            state.store.put(DEVICE, key, {**pending, "allowed": allow})
            return None
        state.store.delete(BROWSER, key)
        if not allow:
            words = {"error": "access_denied", "error_description": "The user denied the request."}
            return redirect_address(pending["redirect_uri"], pending["state"], words)
        code = new_secret(state, "code_")
        state.store.put("oauth_code", code, {**pending, "expires_at": state.clock.now() + _CODE_SECONDS})
        return redirect_address(pending["redirect_uri"], pending["state"], {"code": code})


def record_authorization(state: SandboxState, client_id: str, account_id: str, workspace_id: str | None = None) -> None:
    """Record that a user or an organization authorized an app, for one workspace or for the account."""
    user, organization = state.find("user", account_id), state.find("organization", account_id)
    name, avatar = (user["nick_name"], user["avatar_url"]) if user else ((organization or {}).get("name", ""), "")
    app = find_app(state, client_id)
    permissions = sorted(app.permissions or ()) if app else []
    key = f"{client_id}/{account_id}"
    known = state.find(AUTHORIZATION, key) or {"id": state.new_id()}
    account = {
        "account_id": account_id,
        "account_type": "user" if user else "organization",
        "account_name": name,
        "account_avatar_url": avatar,
    }
    permission: dict[str, Any] = {"account_permission": {"permissions": permissions}}
    if workspace_id is not None:
        permission = {"workspace_permission": {"workspace_ids": [workspace_id], "permissions": permissions}}
    state.store.put(AUTHORIZATION, key, {**known, "account": account, "permission": permission}, client_id)


def redirect_address(redirect_uri: str, state: str, answer: dict[str, str]) -> str:
    """Return the redirect URL, with the code or error appended to its query."""
    address = urlsplit(redirect_uri)
    own = parse_qsl(address.query, keep_blank_values=True)
    return urlunsplit(address._replace(query=urlencode([*own, *answer.items(), ("state", state)])))
