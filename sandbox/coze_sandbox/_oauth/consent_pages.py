"""The consent page for browsers, and the page for user codes of devices."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from .._common.errors import CallError
from .._http.body_limit import limit_body
from .._state.seed import USER_ID
from .._state.state import SandboxState
from .consent import BROWSER, DEVICE, decide, find_app, find_pending

__all__ = ["CONSENT_PATH", "DEVICE_PATH", "ConsentPages"]

_MAX_FORM_BYTES = 64 << 10

CONSENT_PATH, DEVICE_PATH = "/oauth/consent", "/device"

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 10vh auto; padding: 0 1rem; }
input, button { font: inherit; padding: .5rem 1rem; margin: .25rem .5rem .25rem 0; }
label { display: block; }
.note { opacity: .75; font-size: .875rem; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


class ConsentPages:
    """Serves both pages.

    Args:
        state: The state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: ASGI scope of type `http`, for one of the two paths.
            receive: ASGI `receive`.
            send: ASGI `send`.
        """
        request = Request(scope, limit_body(receive, _MAX_FORM_BYTES))
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        device = request.url.path == DEVICE_PATH
        if request.method in {"GET", "HEAD"}:
            name = "user_code" if device else "authorize_key"
            return self._show_form(device=device, key=request.query_params.get(name, ""))
        if request.method != "POST":
            return Response(status_code=405, headers={"Allow": "GET, HEAD, POST"})
        origin = request.headers.get("origin")
        # Not parsed as a URL: an origin is a scheme and a host.
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            return _page("This form was sent from elsewhere", "<p>Nothing was decided.</p>", status=403)
        try:
            async with request.form() as form:
                key, decision = str(form.get("key", "")), form.get("decision")
        except (CallError, HTTPException, MultiPartException):
            return _page("This is not the form", "<p>Nothing was decided.</p>", status=400)
        if decision not in {"allow", "deny"}:
            return self._show_form(device=device, key=key)
        return self._decide(key, allow=decision == "allow")

    def _show_form(self, *, device: bool, key: str) -> Response:
        if device and not key:
            return _page("Connect a device", _CODE_FORM)
        entry = find_pending(self._state, key)
        if entry is None or (entry[0] == DEVICE) != device:
            return _not_found(device=device)
        kind, pending = entry[0], entry[2]
        app, user = find_app(self._state, pending["client_id"]), self._state.find("user", USER_ID)
        where = f"workspace {pending['workspace_id']}" if pending["workspace_id"] else "all workspaces"
        shown = pending.get("user_code", key)
        text = f"<p>It will act as <strong>{escape((user or {}).get('nick_name', ''))}</strong> in {escape(where)}.</p>"
        if kind == DEVICE:
            text += f"<p>The device shows the code <strong>{escape(shown[:4])}-{escape(shown[4:])}</strong>.</p>"
        else:
            text += f"<p>Afterwards you return to <strong>{escape(_host(pending))}</strong>.</p>"
        name = app.name if app is not None else pending["client_id"]
        title = f"Allow {name} to use Coze?"
        return _page(title, text + _decision_form(shown), target=_origin(pending))

    def _decide(self, key: str, *, allow: bool) -> Response:
        entry = find_pending(self._state, key)
        if entry is None:
            return _not_found(device=True)
        location = decide(self._state, key, allow=allow)
        if entry[0] == BROWSER and location is not None:
            return RedirectResponse(location, status_code=303, headers={"Cache-Control": "no-store"})
        if allow:
            return _page("The device is connected", "<p>You can close this page and return to it.</p>")
        return _page("The device was refused", "<p>You can close this page.</p>")


_CODE_FORM = (
    f'<form action="{DEVICE_PATH}" method="get"><label for="user_code">Code that the device shows</label>'
    '<input id="user_code" name="user_code" required autofocus autocomplete="off" autocapitalize="characters"'
    ' spellcheck="false" placeholder="ABCD-EFGH"><button>Continue</button></form>'
)


def _decision_form(key: str) -> str:
    return (
        f'<form method="post"><input type="hidden" name="key" value="{escape(key)}">'
        '<button name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button></form>'
    )


def _not_found(*, device: bool) -> Response:
    again = _CODE_FORM if device else "<p>Return to the app and start again.</p>"
    text = '<p role="alert">No request is pending for this code: it is wrong, was used, or has expired.</p>'
    return _page("Unknown code", text + again, status=404)


def _host(pending: dict[str, Any]) -> str:
    return urlsplit(str(pending["redirect_uri"])).netloc


def _origin(pending: dict[str, Any]) -> str:
    """Return the origin of the redirect URL: `form-action` applies to redirects, too."""
    address = urlsplit(pending.get("redirect_uri", ""))
    return f"{address.scheme}://{address.netloc}" if address.netloc else ""


def _page(title: str, content: str, *, status: int = 200, target: str = "") -> HTMLResponse:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{content}"
        '<p class="note">This is a local sandbox, not Coze.</p></main></body></html>'
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none';"
        f" form-action 'self' {target}; frame-ancestors 'none'"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(text, status_code=status, headers=headers)
