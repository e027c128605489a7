"""Ids of the seed data for sample requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._config.oauth_apps import PUBLIC_APP, WEB_APP
from .._state import seed

__all__ = ["NOTES", "from_the_start"]

_COLLEAGUE = seed.COLLEAGUE_IDS[0]

Values = Mapping[str, Any]

_COMMON: Values = {
    "app_id": seed.APP_ID,
    "bot_id": seed.BOT_ID,
    "enterprise_id": seed.ENTERPRISE_ID,
    "folder_id": seed.FOLDER_ID,
    "live_id": seed.LIVE_ID,
    "organization_id": seed.ORGANIZATION_ID,
    "owner_uid": seed.USER_ID,
    "plugin_id": seed.PLUGIN_ID,
    "receiver_user_id": seed.USER_ID,
    "space_id": seed.WORKSPACE_ID,
    "super_admin_user_id": seed.USER_ID,
    "to_workspace_id": seed.WORKSPACE_ID,
    "user_id": seed.USER_ID,
    "voice_id": seed.VOICE_ID,
    "workflow_id": seed.WORKFLOW_ECHO,
    "workspace_id": seed.WORKSPACE_ID,
}
_BROWSER: Values = {"client_id": WEB_APP.client_id, "redirect_uri": WEB_APP.redirect_uris[0]}
_DEVICE: Values = {"client_id": PUBLIC_APP.client_id}
_OF_OPERATIONS: Mapping[str, Values] = {
    "benefit_limitations.create": {"entity_id": "SN1234567890"},
    "conversations.create": {"messages": [{"role": "user", "content": "Hello", "content_type": "text"}]},
    "copy_tasks.create": {"entity_id": seed.APP_ID},
    "datasets.documents.update": {"update_rule": None},
    "enterprises.members.create": {"user_id": _COLLEAGUE},
    "oauth.authorize": _BROWSER,
    "oauth.authorize_workspace": _BROWSER,
    "oauth.device_code": _DEVICE,
    "oauth.device_code_workspace": _DEVICE,
    "oauth.token": _BROWSER,
    "plugins.tools.call": {"tool_name": "mirror", "arguments": {"text": "Hello"}},
    "variables.retrieve": {"bot_id": seed.BOT_ID},
    "workflows.chat.stream": {"workflow_id": seed.WORKFLOW_CHAT, "parameters": {}},
    "workflows.runs.create": {"parameters": {"input": "Hello"}},
    "workflows.runs.stream": {"parameters": {"input": "Hello"}},
    "workspaces.members.create": {"users": [{"user_id": _COLLEAGUE, "role_type": "member"}]},
}

_JWT = "Needs a JWT signed by SERVICE_APP or ENTERPRISE_APP instead of the token, so it cannot be sent from here."
NOTES: Mapping[str, str] = {
    "datasets.images.update": "Needs an image: create a knowledge base with format_type 2, and add a picture to it.",
    "oauth.token": "Needs a code, which oauth.authorize passes to the app in its redirect.",
    "oauth.token_account": _JWT,
    "oauth.token_enterprise": _JWT,
}
"""Why some requests cannot be sent from a form."""


def from_the_start(operation: str) -> tuple[Values, Values]:
    """Return values by member name, for all operations and for one of them.

    None drops a member.
    """
    return _COMMON, _OF_OPERATIONS.get(operation, {})
