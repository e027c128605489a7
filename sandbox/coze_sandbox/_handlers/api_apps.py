"""Callback apps and their subscriptions."""

from __future__ import annotations

import hashlib
from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.store import public
from ._common import get_or_404, token_page
from ._registry import operation


@operation("api_apps.create")
def create(call: Call) -> ResponseFields:
    """Create a callback app."""
    state, body = call.state, call.body
    needed = "name" if body["app_type"] == "normal" else "connector_id"
    if not body.get(needed):
        raise CallError(INVALID_PARAMETER, f"body.{needed}: is required for this app_type")
    key = state.new_id()
    app = {
        "id": key,
        "name": body.get("name") or f"Channel {body['connector_id']}",
        "app_type": body["app_type"],
        "callback_url": "",
        "connector_id": body.get("connector_id", ""),
        "verify_token": hashlib.sha256(f"{state.options.seed} {key}".encode()).hexdigest(),
    }
    state.store.put("api_app", key, {**app, "_creator_id": call.user_id})
    return {"data": app}


@operation("api_apps.update")
def update(call: Call) -> None:
    """Change name and URL. The sandbox does not verify the URL."""
    app = _app(call)
    app.update({name: call.body[name] for name in ("name", "callback_url") if name in call.body})
    call.state.store.put("api_app", app["id"], app)


@operation("api_apps.delete")
def delete(call: Call) -> None:
    """Remove an app with its subscriptions."""
    key = _app(call)["id"]
    call.state.store.delete("api_app", key)
    call.state.store.delete_children("subscription", key)


@operation("api_apps.list")
def list_apps(call: Call) -> ResponseFields:
    """List the apps, all or those of one kind."""
    wanted = call.query.get("app_type")
    apps = [public(app) for app in call.state.list("api_app") if wanted in {None, app["app_type"]}]
    return token_page(call, apps, "items", size=50)


@operation("api_apps.events.create")
def subscribe(call: Call) -> None:
    """Subscribe an app to events; this is idempotent."""
    key = _app(call)["id"]
    if not call.body["event_types"]:
        raise CallError(INVALID_PARAMETER, "body.event_types: at least one is needed")
    for event_type in call.body["event_types"]:
        call.state.store.put("subscription", f"{key}/{event_type}", {"event_type": event_type}, key)


@operation("api_apps.events.delete")
def unsubscribe(call: Call) -> None:
    """Remove subscriptions; missing ones are ignored."""
    key = _app(call)["id"]
    for event_type in call.body["event_types"]:
        call.state.store.delete("subscription", f"{key}/{event_type}")


@operation("api_apps.events.list")
def list_events(call: Call) -> ResponseFields:
    """List the subscriptions of an app."""
    app = _app(call)
    subscriptions = [
        {
            "api_app_id": app["id"],
            "name": app["name"],
            "event_type": subscription["event_type"],
            "description": f"Events of type {subscription['event_type']}.",
        }
        for subscription in call.state.store.list("subscription", app["id"])
    ]
    return token_page(call, subscriptions, "items", size=50)


def _app(call: Call) -> dict[str, Any]:
    return get_or_404(call.state, "api_app", call.path["api_app_id"])
