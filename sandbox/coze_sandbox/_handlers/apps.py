"""Low-code apps. The seed data has one; the API can only copy apps."""

from __future__ import annotations

from .._http.context import Call, ResponseFields
from ._bot_serializers import API_CHANNEL
from ._common import get_or_404, newest_first, numbered_page
from ._registry import operation


@operation("apps.list")
def list_apps(call: Call) -> ResponseFields:
    """List the apps of a workspace in one state of publication, last changed first."""
    state, query = call.state, call.query
    get_or_404(state, "workspace", query["workspace_id"])
    wanted = query.get("publish_status", "published_online")
    channel = query.get("connector_id", API_CHANNEL)
    found = []
    for app in state.store.list("app", query["workspace_id"]):
        is_online = app["is_published"] and channel == API_CHANNEL
        if wanted == "all" or (not app["is_published"] if wanted == "unpublished_draft" else is_online):
            found.append(app)
    page, _ = numbered_page(call, newest_first(found))
    shown = [{name: value for name, value in app.items() if name != "space_id"} for app in page]
    return {"data": {"items": shown, "total": len(found)}}
