"""Prerequisites of sample requests: resources that have to be created first."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from .._bots.lifecycle import load_chat
from .._common.errors import CallError
from .._state import seed
from .._state.state import SandboxState
from .._state.store import Document

__all__ = ["PREREQUISITES", "Prerequisite"]

_LOOKED_AT = 50
_TEXTS, _IMAGES = 0, 2

Values = Mapping[str, Any]


def _split(text: str) -> Sequence[str]:
    return text.split()


@attrs.frozen
class Prerequisite:
    """A resource that an operation needs and that is not part of the seed data.

    Attributes:
        operations: The operations that create it.
        find: Returns the ids of the newest one by member name, or None.
        changes: Members of the creating requests that differ from their own sample.
    """

    operations: Sequence[str] = attrs.field(converter=_split)
    find: Callable[[SandboxState], Values | None]
    changes: Values = attrs.Factory(dict)


def _newest(kind: str, name: Callable[[str, Document], Values]) -> Callable[[SandboxState], Values | None]:
    def find(state: SandboxState) -> Values | None:
        for key, document in state.store.newest(kind, _LOOKED_AT):
            with contextlib.suppress(_SkipError):
                if state.find(kind, key) is not None:
                    return name(key, document)
        return None

    return find


class _SkipError(Exception):
    """Raised for a document that does not qualify."""


def _require(holds: object) -> None:
    if not holds:
        raise _SkipError


def _by_id(name: str) -> Callable[[str, Document], Values]:
    return lambda key, _: {name: key}


def _shared(name: str) -> Callable[[str, Document], Values]:
    return lambda key, document: {name: key.partition("/")[0], "user_id": document["user_id"]}


def _new_editor(kind: str, name: str) -> Callable[[SandboxState], Values | None]:
    """Find a resource in collaboration mode, and a workspace member who can become a collaborator."""

    def find(state: SandboxState) -> Values | None:
        def values(key: str, document: Document) -> Values:
            _require(document.get("collaboration_mode") != "single")
            members = [member["user_id"] for member in state.store.list("member", document["space_id"])]
            others = [member for member in members if member != seed.USER_ID]
            _require(others)
            return {name: key, "user_id": others[-1]}

        return _newest(kind, values)(state)

    return find


def _chat(status: str = "") -> Callable[[SandboxState], Values | None]:
    def find(state: SandboxState) -> Values | None:
        def values(key: str, document: Document) -> Values:
            names = {"conversation_id": document["conversation_id"], "chat_id": key}
            try:
                chat = load_chat(state, names["conversation_id"], key)
            except CallError as error:
                raise _SkipError from error
            _require(status in {"", chat["status"]})
            if "required_action" in chat:
                calls = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
                names["tool_call_id"] = calls[0]["id"]
            return names

        return _newest("chat", values)(state)

    return find


def _message(_: str, document: Document) -> Values:
    return {"conversation_id": document["conversation_id"], "message_id": document["id"]}


def _rated(key: str, document: Document) -> Values:
    _require("_feedback" in document)
    return _message(key, document)


def _document(key: str, document: Document) -> Values:
    return {"dataset_id": document["_dataset_id"], "document_id": key, "document_ids": [key]}


def _dataset(format_type: int) -> Callable[[str, Document], Values]:
    def values(key: str, document: Document) -> Values:
        _require(document["format_type"] == format_type)
        return {"dataset_id": key}

    return values


def _image(key: str, document: Document) -> Values:
    _require(document["format_type"] == _IMAGES)
    return _document(key, document)


def _feature(key: str, document: Document) -> Values:
    return {"group_id": document["group_id"], "feature_id": key}


def _run(key: str, document: Document) -> Values:
    return {"workflow_id": document["workflow_id"], "execute_id": key}


def _node(key: str, document: Document) -> Values:
    _require(document.get("nodes"))
    return {**_run(key, document), "node_execute_uuid": next(iter(document["nodes"].values()))["node_execute_uuid"]}


def _interrupted(_: str, document: Document) -> Values:
    _require("interrupt" in document)
    interrupt = document["interrupt"]
    return {
        "workflow_id": document["workflow_id"],
        "event_id": interrupt["event_id"],
        "interrupt_type": interrupt["type"],
        "resume_data": "Hello",
    }


def _colleague(_: str, document: Document) -> Values:
    _require(document["user_id"] != seed.USER_ID)
    return {"user_id": document["user_id"]}


def _own_workspace(key: str, _: Document) -> Values:
    _require(key != seed.WORKSPACE_ID)
    return {"workspace_id": key}


def _other_member(_: str, document: Document) -> Values:
    _require(document["role_type"] != "owner")
    return {"user_id": document["user_id"]}


def _outsider(state: SandboxState) -> Values | None:
    """Find an organization and an employee who is not a member."""
    for key, organization in state.store.newest("organization", _LOOKED_AT):
        for employee in state.store.list("employee", organization["enterprise_id"]):
            if state.store.get("organization_member", f"{key}/{employee['user_id']}") is None:
                return {"organization_id": key, "user_id": employee["user_id"]}
    return None


def _user_message(text: str) -> Values:
    return {"additional_messages": [{"role": "user", "content": text, "content_type": "text"}]}


_PREREQUISITES: Mapping[str, Prerequisite] = {
    (
        "api_apps.delete api_apps.events.create api_apps.events.delete api_apps.events.list api_apps.update"
    ): Prerequisite("api_apps.create", _newest("api_app", _by_id("api_app_id"))),
    "apps.collaborators.create": Prerequisite("workspaces.members.create", _new_editor("app", "app_id")),
    "apps.collaborators.delete": Prerequisite(
        "apps.collaborators.create", _newest("app_collaborator", _shared("app_id"))
    ),
    (
        "audio.voiceprint_groups.delete audio.voiceprint_groups.features.create "
        "audio.voiceprint_groups.features.list audio.voiceprint_groups.update"
    ): Prerequisite("audio.voiceprint_groups.create", _newest("voiceprint_group", _by_id("group_id"))),
    (
        "audio.voiceprint_groups.features.delete audio.voiceprint_groups.features.update "
        "audio.voiceprint_groups.speaker_identify"
    ): Prerequisite("audio.voiceprint_groups.features.create", _newest("voiceprint", _feature)),
    "benefit_limitations.update": Prerequisite(
        "benefit_limitations.create", _newest("limitation", _by_id("benefit_id"))
    ),
    "bots.collaborators.create": Prerequisite(
        "bots.collaboration_modes.update workspaces.members.create", _new_editor("bot", "bot_id")
    ),
    "bots.collaborators.delete": Prerequisite("bots.collaborators.create", _newest("collaborator", _shared("bot_id"))),
    "chat.messages.list chat.retrieve": Prerequisite("chat.create", _chat()),
    "chat.cancel": Prerequisite("chat.create", _chat("in_progress"), _user_message("/slow 60 Hello")),
    "chat.submit_tool_outputs": Prerequisite(
        "chat.create", _chat("requires_action"), _user_message("/tool get_weather {}")
    ),
    (
        "conversations.clear conversations.delete conversations.messages.create conversations.messages.list "
        "conversations.retrieve conversations.update"
    ): Prerequisite("conversations.create", _newest("conversation", _by_id("conversation_id"))),
    (
        "conversations.messages.delete conversations.messages.feedback.create conversations.messages.retrieve "
        "conversations.messages.update"
    ): Prerequisite("conversations.messages.create", _newest("message", _message)),
    "conversations.messages.feedback.delete": Prerequisite(
        "conversations.messages.feedback.create", _newest("message", _rated)
    ),
    "copy_tasks.retrieve": Prerequisite("copy_tasks.create", _newest("copy_task", _by_id("task_id"))),
    (
        "databases.delete databases.records.create databases.records.delete databases.records.query "
        "databases.records.update"
    ): Prerequisite("databases.create", _newest("database", _by_id("database_id"))),
    "database_tasks.retrieve": Prerequisite(
        "databases.records.create", _newest("database_task", _by_id("task_id")), {"is_async": True}
    ),
    (
        "datasets.delete datasets.documents.create datasets.documents.list datasets.documents_v2.create datasets.update"
    ): Prerequisite("datasets.create", _newest("dataset", _dataset(_TEXTS))),
    "datasets.images.list": Prerequisite(
        "datasets.create", _newest("dataset", _dataset(_IMAGES)), {"format_type": _IMAGES}
    ),
    "datasets.documents.delete datasets.documents.update datasets.process": Prerequisite(
        "datasets.documents.create", _newest("document", _document)
    ),
    "datasets.images.update": Prerequisite("", _newest("document", _image)),
    ("enterprises.members.delete organizations.members.delete organizations.members.update"): Prerequisite(
        "enterprises.members.create", _newest("employee", _colleague)
    ),
    "authorized_plugins.list authorized_plugins.revoke": Prerequisite("", lambda _: {"entity_id": seed.BOT_ID}),
    "files.content.retrieve files.retrieve": Prerequisite("files.upload", _newest("file", _by_id("file_id"))),
    "organizations.members.create": Prerequisite(
        "enterprises.organizations.create enterprises.members.create", _outsider
    ),
    "workflows.collaborators.create": Prerequisite(
        "workflows.collaboration_modes.update workspaces.members.create", _new_editor("workflow", "workflow_id")
    ),
    "workflows.collaborators.delete": Prerequisite(
        "workflows.collaborators.create", _newest("workflow_collaborator", _shared("workflow_id"))
    ),
    "workflows.runs.resume workflows.runs.stream_resume": Prerequisite(
        "workflows.runs.create", _newest("run", _interrupted), {"workflow_id": seed.WORKFLOW_ASK}
    ),
    "workflows.runs.retrieve_history workflows.runs.run_histories.retrieve": Prerequisite(
        "workflows.runs.create", _newest("run", _run)
    ),
    "workflows.runs.run_histories.execute_nodes.retrieve": Prerequisite(
        "workflows.runs.create", _newest("run", _node), {"workflow_id": seed.WORKFLOW_INTERLEAVED}
    ),
    "workspaces.delete": Prerequisite("workspaces.create", _newest("workspace", _own_workspace)),
    "workspaces.members.update": Prerequisite("workspaces.members.create", _newest("member", _other_member)),
}
PREREQUISITES: Mapping[str, Prerequisite] = {
    operation: prerequisite for operations, prerequisite in _PREREQUISITES.items() for operation in operations.split()
}
"""Prerequisites by operation id."""
