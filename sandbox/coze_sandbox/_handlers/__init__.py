"""What the operations do, one module per resource."""

from __future__ import annotations

from . import (
    bot_publishing,
    bot_sharing,
    bots,
    chat,
    conversations,
    files,
    messages,
    users,
    workflow_runs,
    workspace_members,
    workspaces,
)
from ._registry import HANDLERS

__all__ = ["HANDLERS"]

# Imported for what they register.
_MODULES = (
    bot_publishing,
    bot_sharing,
    bots,
    chat,
    conversations,
    files,
    messages,
    users,
    workflow_runs,
    workspace_members,
    workspaces,
)
