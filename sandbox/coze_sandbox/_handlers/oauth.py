"""Authorization of browsers and devices."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .._common.errors import INVALID_PARAMETER, NO_PERMISSION, CallError
from .._config.oauth_apps import OAuthApp
from .._http.context import Call, Redirect, ResponseFields
from .._http.oauth_errors import OAuthError
from .._oauth.consent import begin_browser, decide, find_app, is_active, redirect_address
from .._oauth.consent import begin_device as keep_device
from .._oauth.consent_pages import CONSENT_PATH, DEVICE_PATH
from ._common import get_or_404
from ._registry import operation


@operation("oauth.authorize")
def authorize(call: Call) -> Redirect:
    """Redirect the browser to the consent page, or back to the app with `auto_consent`.

    Errors of the app or its redirect address are returned without a redirect: to redirect to an unregistered address
    would be an open redirect.
    """
    query, state = call.query, call.state
    app = _app_of_browser(call)
    oauth_state = query.get("state", "")
    challenge = query.get("code_challenge")
    if app.kind == "public" and challenge is None:
        words = {"error": "invalid_request", "error_description": "code_challenge is needed: the app has no secret"}
        return Redirect(redirect_address(query["redirect_uri"], oauth_state, words))
    request = {
        "redirect_uri": query["redirect_uri"],
        "state": oauth_state,
        "code_challenge": challenge,
        "method": query.get("code_challenge_method", "plain"),
        "workspace_id": call.path.get("workspace_id"),
    }
    key = begin_browser(state, app, request)
    if state.auto_consent is not None:
        return Redirect(decide(state, key, allow=state.auto_consent) or "")
    return Redirect(f"{call.base_url}{CONSENT_PATH}?authorize_key={key}")


@operation("oauth.authorize_workspace")
def authorize_workspace(call: Call) -> Redirect:
    """Do the same for one workspace."""
    get_or_404(call.state, "workspace", call.path["workspace_id"])
    return authorize(call)


@operation("oauth.device_code")
def begin_device(call: Call) -> ResponseFields:
    """Start the authorization of a device."""
    state = call.state
    app = find_app(state, call.body["client_id"])
    if app is None:
        raise OAuthError("invalid_request", "invalid request: client_id")
    if not is_active(state, app):
        raise OAuthError("access_deny", _deactivated(app))
    if app.kind not in {"public", "any"}:
        raise OAuthError("access_deny", "invalid app type")
    code, user_code, seconds = keep_device(state, app, call.path.get("workspace_id"))
    return {
        "device_code": code,
        "user_code": user_code,
        "verification_uri": f"{call.base_url}{DEVICE_PATH}",
        "expires_in": seconds,
        "interval": state.options.device_interval,
    }


@operation("oauth.device_code_workspace")
def begin_device_workspace(call: Call) -> ResponseFields:
    """Do the same for one workspace."""
    get_or_404(call.state, "workspace", call.path["workspace_id"])
    return begin_device(call)


def _app_of_browser(call: Call) -> OAuthApp:
    query: Any = call.query
    app = find_app(call.state, query["client_id"])
    if app is None:
        raise CallError(INVALID_PARAMETER, "query.client_id: unknown OAuth app")
    if not is_active(call.state, app):
        raise CallError(NO_PERMISSION, _deactivated(app))
    if app.signs:
        raise CallError(NO_PERMISSION, "invalid app type")
    try:
        address = urlsplit(query["redirect_uri"])
    except ValueError as error:
        raise CallError(INVALID_PARAMETER, f"query.redirect_uri: {error}") from error
    if address.scheme not in {"http", "https"} or not address.netloc or address.fragment:
        raise CallError(INVALID_PARAMETER, "query.redirect_uri: must be an http or https URL without a fragment")
    if not app.may_return_to(query["redirect_uri"]):
        raise CallError(INVALID_PARAMETER, f"query.redirect_uri: not registered for {app.name}")
    return app


def _deactivated(app: OAuthApp) -> str:
    return f"app: {app.name} is currently deactivated by the owner"
