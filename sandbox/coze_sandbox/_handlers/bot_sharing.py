"""Who may edit a bot."""

from __future__ import annotations

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call
from ._collaborators import add_collaborators, remove_collaborator
from ._common import get_or_404
from ._registry import operation

__all__ = ["create_collaborator", "delete_collaborator", "update_mode"]


@operation("bots.collaboration_modes.update")
def update_mode(call: Call) -> None:
    """Let only the owner edit, or collaborators as well. Going back to one editor drops the others.

    Raises:
        CallError: There is no such bot.
    """
    store, bot_id = call.state.store, call.path["bot_id"]
    bot = get_or_404(call.state, "bot", bot_id)
    bot["collaboration_mode"] = call.body.get("collaboration_mode", "single")
    if bot["collaboration_mode"] == "single":
        store.delete_children("collaborator", bot_id)
    store.put("bot", bot_id, bot, bot["space_id"])


@operation("bots.collaborators.create")
def create_collaborator(call: Call) -> None:
    """Let accounts edit a bot.

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
    """Let an account edit a bot no longer.

    Raises:
        CallError: The bot does not exist or the account is none of its collaborators.
    """
    bot_id = call.path["bot_id"]
    get_or_404(call.state, "bot", bot_id)
    remove_collaborator(call, "collaborator", bot_id)
