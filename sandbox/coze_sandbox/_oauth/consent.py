"""Authorizations that wait for a person: begun by a browser or a device, then allowed or refused."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .._config.oauth_apps import APPS, OAuthApp
from .._state.state import SandboxState

__all__ = [
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
]

BROWSER, DEVICE = "oauth_browser", "oauth_device"
_USER_CODE = "oauth_user_code"
_INACTIVE = "oauth_inactive"

_BROWSER_SECONDS = 600
_CODE_SECONDS = 300
_DEVICE_SECONDS = 300
# No vowels, so that no words appear, and nothing that looks like something else (RFC 8628, 6.1).
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_USER_CODE_LENGTH = 8


def new_secret(state: SandboxState, prefix: str) -> str:
    """Return a text that is given out once."""
    seed = f"{state.options.seed} {state.new_id()}"
    return prefix + hashlib.sha256(seed.encode()).hexdigest()


def find_app(state: SandboxState, client_id: str) -> OAuthApp | None:
    """Return the app with a client id, or None.

    Where the options say that any id will do, an unknown one is that of an app of the kind `any`.
    """
    found = next((app for app in (*APPS, *state.options.oauth_apps) if app.client_id == client_id), None)
    if found is None and state.options.any_oauth_app:
        return OAuthApp(client_id=client_id, kind="any", name=client_id)
    return found


def is_active(state: SandboxState, app: OAuthApp) -> bool:
    """Tell whether an app may be used: its owner can deactivate it."""
    return state.find(_INACTIVE, app.client_id) is None


def set_active(state: SandboxState, client_id: str, *, active: bool) -> None:
    """Deactivate an app, or activate it again.

    Raises:
        ValueError: There is no such app.
    """
    if find_app(state, client_id) is None:
        raise ValueError(f"there is no OAuth app {client_id}")
    if active:
        state.store.delete(_INACTIVE, client_id)
    else:
        state.store.put(_INACTIVE, client_id, {})


def begin_browser(state: SandboxState, app: OAuthApp, request: dict[str, Any]) -> str:
    """Keep what a browser was sent with, and return the key under which it waits.

    Args:
        state: The state.
        app: The app that asks.
        request: `redirect_uri`, `state`, `code_challenge`, `method` and `workspace_id`.
    """
    key = new_secret(state, "")[:32]
    kept = {**request, "client_id": app.client_id, "expires_at": state.clock.now() + _BROWSER_SECONDS}
    state.store.put(BROWSER, key, kept)
    return key


def begin_device(state: SandboxState, app: OAuthApp, workspace_id: str | None) -> tuple[str, str, int]:
    """Keep that a device asks, and return its code, that of its user and for how many seconds they are valid."""
    code = new_secret(state, "")[:48]
    number, user_code = int(hashlib.sha256(code.encode()).hexdigest(), 16), ""
    for _ in range(_USER_CODE_LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        user_code += _LETTERS[letter]
    kept = {
        "client_id": app.client_id,
        "workspace_id": workspace_id,
        "user_code": user_code,
        "allowed": state.auto_consent,
        "asked_at": None,
        "expires_at": state.clock.now() + _DEVICE_SECONDS,
    }
    state.store.put(DEVICE, code, kept)
    state.store.put(_USER_CODE, user_code, {"device_code": code})
    return code, f"{user_code[:4]}-{user_code[4:]}", _DEVICE_SECONDS


def find_pending(state: SandboxState, key: str) -> tuple[str, str, dict[str, Any]] | None:
    """Find what waits for a decision.

    Args:
        state: The state.
        key: The key of a browser, or the code that a device shows, written in any way.

    Returns:
        What it is, its key, and what is kept; None if nothing waits under this key any more.
    """
    kind, found = BROWSER, state.find(BROWSER, key)
    if found is None:
        by_user = state.find(_USER_CODE, "".join(filter(str.isalnum, key)).upper())
        if by_user is None:
            return None
        kind, key = DEVICE, by_user["device_code"]
        found = state.find(DEVICE, key)
    if found is None or found["expires_at"] <= state.clock.now() or found.get("allowed") is not None:
        return None
    return kind, key, found


def list_pending(state: SandboxState) -> list[dict[str, Any]]:
    """List what waits for a decision, oldest first, each with the `key` by which to decide."""
    found = []
    for kind in (BROWSER, DEVICE):
        for key, kept in state.store.items(kind).items():
            if find_pending(state, kept.get("user_code", key)) is not None:
                shown = {"kind": kind.removeprefix("oauth_"), "client_id": kept["client_id"]}
                found.append({**shown, "key": kept.get("user_code", key), "expires_at": kept["expires_at"]})
    return found


def decide(state: SandboxState, key: str, *, allow: bool) -> str | None:
    """Allow or refuse.

    Args:
        state: The state.
        key: The key of a browser, or the code that a device shows.
        allow: What the person decides.

    Returns:
        Where a browser goes next; None for a device, which asks for itself.

    Raises:
        ValueError: Nothing waits under this key: it is wrong, was decided on, or has expired.
    """
    found = find_pending(state, key)
    if found is None:
        raise ValueError("nothing waits under this code: it is wrong, was used, or has expired")
    kind, key, kept = found
    with state.store.transaction():
        if kind == DEVICE:
            state.store.put(DEVICE, key, {**kept, "allowed": allow})
            return None
        state.store.delete(BROWSER, key)
        if not allow:
            words = {"error": "access_denied", "error_description": "The user refused."}
            return redirect_address(kept["redirect_uri"], kept["state"], words)
        code = new_secret(state, "code_")
        state.store.put("oauth_code", code, {**kept, "expires_at": state.clock.now() + _CODE_SECONDS})
        return redirect_address(kept["redirect_uri"], kept["state"], {"code": code})


def redirect_address(redirect_uri: str, state: str, answer: dict[str, str]) -> str:
    """Return the address to go back to, with the answer behind what its query has already."""
    address = urlsplit(redirect_uri)
    own = parse_qsl(address.query, keep_blank_values=True)
    return urlunsplit(address._replace(query=urlencode([*own, *answer.items(), ("state", state)])))
