"""Values that the variables of bots and apps have for users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.errors import BOT_NOT_PUBLISHED, INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from ._bot_serializers import API_CHANNEL, published
from ._common import get_or_404
from ._registry import operation


@operation("variables.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the values that were set, all or those named."""
    owner = _owner(call, call.query)
    names = call.query.get("keywords")
    values = call.state.store.list("variable", owner)
    return {"data": {"items": [value for value in values if not names or value["keyword"] in names]}}


@operation("variables.update")
def update(call: Call) -> None:
    """Set values. The API cannot define variables, so every name is accepted."""
    state, owner = call.state, _owner(call, call.body)
    if not call.body["data"]:
        raise CallError(INVALID_PARAMETER, "body.data: at least one value is needed")
    now = state.clock.seconds()
    for variable in call.body["data"]:
        key = f"{owner}/{variable['keyword']}"
        known = state.find("variable", key) or {"create_time": now}
        value = {**known, "keyword": variable["keyword"], "value": variable["value"], "update_time": now}
        state.store.put("variable", key, value, owner)


def _owner(call: Call, sent: Mapping[str, Any]) -> str:
    bot_id, app_id = sent.get("bot_id", ""), sent.get("app_id", "")
    channel = sent.get("connector_id", API_CHANNEL)
    if not bot_id and not app_id:
        raise CallError(INVALID_PARAMETER, "bot_id: bot_id or app_id is required")
    if bot_id:
        published(call.state, get_or_404(call.state, "bot", bot_id), channel)
    if app_id and not get_or_404(call.state, "app", app_id)["is_published"]:
        raise CallError(BOT_NOT_PUBLISHED, f"The app {app_id} has not been published.")
    return "/".join((call.user_id, sent["connector_uid"], channel, bot_id, app_id))
