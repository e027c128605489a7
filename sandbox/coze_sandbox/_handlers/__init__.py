"""What the operations do, one module per resource."""

from __future__ import annotations

from . import (
    api_apps,
    apps,
    audio_speech,
    audio_voiceprints,
    audio_voices,
    bot_publishing,
    bot_sharing,
    bots,
    chat,
    conversations,
    copying,
    dataset_documents,
    dataset_images,
    datasets,
    files,
    messages,
    oauth,
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
    api_apps,
    apps,
    audio_speech,
    audio_voiceprints,
    audio_voices,
    bot_publishing,
    bot_sharing,
    bots,
    chat,
    conversations,
    copying,
    dataset_documents,
    dataset_images,
    datasets,
    files,
    messages,
    oauth,
    users,
    variables,
    workflow_chat,
    workflow_histories,
    workflow_runs,
    workflows,
    workspace_members,
    workspaces,
)
