"""What the operations do, one module per resource."""

from __future__ import annotations

from . import (
    audio_speech,
    bot_publishing,
    bot_sharing,
    bots,
    chat,
    conversations,
    dataset_documents,
    dataset_images,
    datasets,
    files,
    messages,
    users,
    variables,
    workflow_chat,
    workflow_histories,
    workflow_runs,
    workflows,
    workspace_members,
    workspaces,
)
from ._registry import HANDLERS

__all__ = ["HANDLERS"]

# Imported for what they register.
_MODULES = (
    audio_speech,
    bot_publishing,
    bot_sharing,
    bots,
    chat,
    conversations,
    dataset_documents,
    dataset_images,
    datasets,
    files,
    messages,
    users,
    variables,
    workflow_chat,
    workflow_histories,
    workflow_runs,
    workflows,
    workspace_members,
    workspaces,
)
