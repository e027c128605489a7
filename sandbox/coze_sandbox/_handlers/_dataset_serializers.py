"""Serializers of knowledge bases and documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._state.state import SandboxState
from .._state.store import public
from ._common import get_or_404

__all__ = [
    "COMPLETED",
    "FAILED",
    "PROCESSING",
    "serialize_dataset",
    "serialize_document",
    "serialize_progress",
    "store_document",
]

PROCESSING, COMPLETED, FAILED = 0, 1, 9

_ICON = "https://sandbox.invalid/dataset.png"


def document_status(state: SandboxState, document: Mapping[str, Any]) -> int:
    """Return the status of a document: it is processed until its end time."""
    if document["_ends_at"] > state.clock.now():
        return PROCESSING
    return FAILED if document["_fails"] else COMPLETED


def serialize_document(state: SandboxState, document: Mapping[str, Any]) -> dict[str, Any]:
    """Serialize a document."""
    status = document_status(state, document)
    return {**public(document), "status": status, "slice_count": document["slice_count"] if status == COMPLETED else 0}


def serialize_progress(state: SandboxState, document: Mapping[str, Any]) -> dict[str, Any]:
    """Serialize the progress of a document."""
    status = document_status(state, document)
    left = max(document["_ends_at"] - state.clock.now(), 0)
    whole = state.options.answer_seconds or 1
    shown = {
        "document_id": document["document_id"],
        "document_name": document["name"],
        "url": document["_url"],
        "size": document["size"],
        "type": document["type"],
        "status": status,
        "progress": max(int(100 * (1 - left / whole)), 0) if status == PROCESSING else 100,
        "remaining_time": int(left),
        "update_type": document["update_type"],
        "update_interval": document["update_interval"],
    }
    if status == FAILED:
        shown["status_descript"] = document["_fails"]
    return shown


def store_document(state: SandboxState, document: dict[str, Any]) -> dict[str, Any]:
    """Save a document, and return it."""
    return state.store.put("document", document["document_id"], document, document["_dataset_id"])


def serialize_dataset(state: SandboxState, dataset: Mapping[str, Any], user_id: str) -> dict[str, Any]:
    """Serialize a knowledge base with the status of its documents."""
    documents = state.store.list("document", dataset["dataset_id"])
    creator = get_or_404(state, "user", dataset["creator_id"])
    icon = dataset["icon_file_id"]
    by_status: dict[int, list[dict[str, Any]]] = {PROCESSING: [], COMPLETED: [], FAILED: []}
    for document in documents:
        by_status[document_status(state, document)].append(document)
    return {
        "dataset_id": dataset["dataset_id"],
        "name": dataset["name"],
        "description": dataset["description"],
        "space_id": dataset["space_id"],
        "project_id": "",
        "dataset_type": 0,
        "format_type": dataset["format_type"],
        "status": 1,
        "can_edit": dataset["creator_id"] == user_id,
        "icon_uri": f"FileBizType.BIZ_DATASET_ICON/{icon or 'default'}.png",
        "icon_url": f"https://sandbox.invalid/icon/{icon}.png" if icon else _ICON,
        "doc_count": len(documents),
        "slice_count": sum(document["slice_count"] for document in by_status[COMPLETED]),
        "hit_count": 0,
        "bot_used_count": _used_by(state, dataset["dataset_id"]),
        "all_file_size": str(sum(document["size"] for document in documents)),
        "chunk_strategy": documents[0]["chunk_strategy"] if documents else {},
        "file_list": [document["name"] for document in documents],
        "processing_file_list": [document["name"] for document in by_status[PROCESSING]],
        "processing_file_id_list": [document["document_id"] for document in by_status[PROCESSING]],
        "failed_file_list": [document["name"] for document in by_status[FAILED]],
        "creator_id": creator["user_id"],
        "creator_name": creator["user_name"],
        "avatar_url": creator["avatar_url"],
        "create_time": dataset["create_time"],
        "update_time": dataset["update_time"],
    }


def _used_by(state: SandboxState, dataset_id: str) -> int:
    return sum(
        dataset_id in bot["draft"].get("knowledge", {}).get("dataset_ids", []) for bot in state.store.list("bot")
    )
