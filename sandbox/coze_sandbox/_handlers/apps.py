"""Low-code apps. The seed data has one; the API can only copy apps."""

from __future__ import annotations

from .._common.errors import BOT_NOT_PUBLISHED, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from ._bot_serializers import API_CHANNEL
from ._common import get_or_404, newest_first, numbered_page
from ._registry import operation

_VERSION = "v1.0.0"  # apps are published once: the API cannot publish them


@operation("apps.list")
def list_apps(call: Call) -> ResponseFields:
    """List the apps of a workspace in one state of publication, last changed first."""
    state, query = call.state, call.query
    get_or_404(state, "workspace", query["workspace_id"])
    wanted = query.get("publish_status", "published_online")
    channel = query.get("connector_id", API_CHANNEL)
    apps = []
    for app in state.store.list("app", query["workspace_id"]):
        is_online = app["is_published"] and channel == API_CHANNEL
        if wanted == "all" or (not app["is_published"] if wanted == "unpublished_draft" else is_online):
            apps.append(app)
    page, _ = numbered_page(call, newest_first(apps))
    shown = [{name: value for name, value in app.items() if name != "space_id"} for app in page]
    return {"data": {"items": shown, "total": len(apps)}}


@operation("apps.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return an app as it is published.

    Raises:
        CallError: The app does not exist, is not published to the channel, or has no such version.
    """
    key, channel = call.path["app_id"], call.query.get("connector_id", API_CHANNEL)
    app = get_or_404(call.state, "app", key)
    if not app["is_published"] or channel != API_CHANNEL:
        raise CallError(BOT_NOT_PUBLISHED, f"The app {key} has not been published to the channel {channel}.")
    if call.query.get("version", "") not in ("", _VERSION):
        raise missing(NOT_FOUND, "version", call.query["version"])
    shown = {name: app[name] for name in ("name", "description", "icon_url")}
    return {"data": {"app_id": key, "version": _VERSION, **shown, "variables": []}}
