"""Channels. Every id is accepted: the API can neither create nor list channels."""

from __future__ import annotations

from .._http.context import Call
from ._common import get_or_404
from ._registry import operation


@operation("connectors.install")
def install(call: Call) -> None:
    """Add a channel to a workspace; this is idempotent."""
    workspace_id, connector_id = call.body["workspace_id"], call.path["connector_id"]
    get_or_404(call.state, "workspace", workspace_id)
    call.state.store.put("connector", f"{workspace_id}/{connector_id}", {"id": connector_id}, workspace_id)


@operation("connectors.bots.update")
def review(call: Call) -> None:
    """Store the review of a bot by a channel."""
    bot_id, connector_id = call.path["bot_id"], call.path["connector_id"]
    get_or_404(call.state, "bot", bot_id)
    call.state.store.put("review", f"{connector_id}/{bot_id}", dict(call.body), connector_id)


@operation("connectors.bind")
def bind(call: Call) -> None:
    """Store the devices of a channel."""
    connector_id = call.path["connector_id"]
    for config in call.body["configs"]:
        for device in config["enums"]:
            key = f"{connector_id}/{config['key']}/{device['value']}"
            call.state.store.put("device", key, device, connector_id)
