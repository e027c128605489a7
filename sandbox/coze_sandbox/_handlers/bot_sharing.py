"""Collaboration on bots."""

from __future__ import annotations

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call
from ._collaborators import add_collaborators, remove_collaborator
from ._common import get_or_404
from ._registry import operation

__all__ = ["create_collaborator", "delete_collaborator", "update_mode"]


@operation("bots.collaboration_modes.update")
def update_mode(call: Call) -> None:
    """Set the collaboration mode. The mode with a single editor removes the collaborators.

    Raises:
        CallError: The bot does not exist.
    """
    store, bot_id = call.state.store, call.path["bot_id"]
    bot = get_or_404(call.state, "bot", bot_id)
    bot["collaboration_mode"] = call.body.get("collaboration_mode", "single")
    if bot["collaboration_mode"] == "single":
        store.delete_children("collaborator", bot_id)
    store.put("bot", bot_id, bot, bot["space_id"])


@operation("bots.collaborators.create")
def create_collaborator(call: Call) -> None:
    """Add collaborators to a bot.

    Raises:
        CallError: The bot or an account does not exist, or the bot has one editor only.
    """
    bot_id = call.path["bot_id"]
    bot = get_or_404(call.state, "bot", bot_id)
    if bot["collaboration_mode"] == "single":
        raise CallError(INVALID_PARAMETER, "The bot is not in collaboration mode.")
    add_collaborators(call, "collaborator", bot_id, bot["space_id"])


@operation("bots.collaborators.delete")
def delete_collaborator(call: Call) -> None:
    """Remove a collaborator from a bot.

    Raises:
        CallError: The bot does not exist or the account is not a collaborator.
    """
    bot_id = call.path["bot_id"]
    get_or_404(call.state, "bot", bot_id)
    remove_collaborator(call, "collaborator", bot_id)
