"""Knowledge bases with their documents and images. Only the size of a document's content is stored."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import attrs

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from .._state.store import public
from ._common import check_file, check_owner, get_or_404, numbered_page, sent_file
from ._registry import operation
from .workspaces import member_key

_LOCAL_FILE, _WEB_PAGE, _UPLOADED_FILE = 0, 1, 5
_CUSTOM_CHUNKS = 1
_FILE_TYPES = ("pdf", "txt", "doc", "docx")
_BYTES_PER_SLICE = 1000
_NOWHERE = re.compile(r"https?://[^/?#]*\.invalid(:\d+)?([/?#]|$)", re.IGNORECASE)
_TEXT, _IMAGE = 0, 2
PROCESSING, COMPLETED, FAILED = 0, 1, 9
_ICON = "https://sandbox.invalid/dataset.png"


@operation("datasets.create")
def create(call: Call) -> ResponseFields:
    """Create an empty knowledge base."""
    state, body = call.state, call.body
    get_or_404(state, "workspace", body["space_id"], name="space_id")
    check_file(state, body.get("file_id"))
    key, now = state.new_id(), state.clock.seconds()
    dataset = {
        "dataset_id": key,
        "name": body["name"],
        "description": body.get("description", ""),
        "space_id": body["space_id"],
        "format_type": body["format_type"],
        "icon_file_id": body.get("file_id", ""),
        "creator_id": call.user_id,
        "create_time": now,
        "update_time": now,
    }
    state.store.put("dataset", key, dataset, body["space_id"])
    return {"data": {"dataset_id": key}}


@operation("datasets.update")
def update(call: Call) -> None:
    """Replace name, description and icon; omitted ones are reset to their defaults."""
    state, body = call.state, call.body
    dataset = get_or_404(state, "dataset", call.path["dataset_id"])
    check_owner(call, dataset["creator_id"], "knowledge base")
    check_file(state, body.get("file_id"))
    dataset.update(
        name=body["name"],
        description=body.get("description", ""),
        icon_file_id=body.get("file_id", ""),
        update_time=state.clock.seconds(),
    )
    state.store.put("dataset", dataset["dataset_id"], dataset, dataset["space_id"])


@operation("datasets.delete")
def delete(call: Call) -> None:
    """Remove a knowledge base with all that is in it, and unbind it from the bots' drafts."""
    store, key = call.state.store, call.path["dataset_id"]
    dataset = get_or_404(call.state, "dataset", key)
    member = call.state.find("member", member_key(dataset["space_id"], call.user_id)) or {}
    if member.get("role_type") not in {"owner", "admin"}:
        check_owner(call, dataset["creator_id"], "knowledge base")
    store.delete("dataset", key)
    store.delete_children("document", key)
    for bot in store.list("bot"):
        bound = bot["draft"].get("knowledge", {}).get("dataset_ids", [])
        if key in bound:
            bound.remove(key)
            store.put("bot", bot["draft"]["bot_id"], bot, bot["space_id"])


@operation("datasets.list")
def list_datasets(call: Call) -> ResponseFields:
    """List the knowledge bases of a workspace, the newest first."""
    state, query = call.state, call.query
    get_or_404(state, "workspace", query["space_id"], name="space_id")
    datasets = [
        dataset
        for dataset in reversed(state.store.list("dataset", query["space_id"]))
        if query.get("name", "") in dataset["name"]
        and query.get("format_type", dataset["format_type"]) == dataset["format_type"]
    ]
    page, _ = numbered_page(call, datasets, size=10)
    shown = [serialize_dataset(state, dataset, call.user_id) for dataset in page]
    return {"data": {"dataset_list": shown, "total_count": len(datasets)}}


@operation("datasets.process")
def process(call: Call) -> ResponseFields:
    """Return the progress of documents."""
    state, key = call.state, call.path["dataset_id"]
    get_or_404(state, "dataset", key)
    known = {document["document_id"]: document for document in state.store.list("document", key)}
    for document_id in call.body["document_ids"]:
        if document_id not in known:
            raise missing(NOT_FOUND, "document_id", document_id)
    shown = [serialize_progress(state, known[document_id]) for document_id in call.body["document_ids"]]
    return {"data": {"data": shown}}


@attrs.frozen
class _Source:
    kind: int
    size: int
    type: str
    url: str


@operation("datasets.documents.create")
def create_document(call: Call) -> ResponseFields:
    """Add documents, which are processed until their time has come. Empty files fail then, and web
    pages under `.invalid`.
    """
    state, body = call.state, call.body
    dataset = get_or_404(state, "dataset", body["dataset_id"])
    check_owner(call, dataset["creator_id"], "knowledge base")
    if body.get("format_type", _TEXT) != dataset["format_type"]:
        raise CallError(INVALID_PARAMETER, "body.format_type: not that of the knowledge base")
    _check_chunks(call, dataset)
    sources = [
        _source(call, entry, dataset["format_type"], f"body.document_bases.{number}")
        for number, entry in enumerate(body["document_bases"])
    ]
    if not sources or len({source.kind for source in sources}) > 1:
        raise CallError(INVALID_PARAMETER, "body.document_bases: all sources must be of the same kind")
    added = []
    for entry, source in zip(body["document_bases"], sources, strict=True):
        key = state.new_id()
        caption = entry.get("caption", "")
        if not caption and body["chunk_strategy"].get("caption_type", 0) == 0:
            caption = f"A picture called {entry['name']}."
        document = {
            **_new_document(call, dataset, key, entry["name"], source),
            "chunk_strategy": body["chunk_strategy"],
            **_update_rule(entry),
            "_caption": caption if dataset["format_type"] == _IMAGE else "",
        }
        added.append(serialize_document(state, store_document(state, document)))
    return {"document_infos": added}


@operation("datasets.documents_v2.create")
def upload_document(call: Call) -> ResponseFields:
    """Add one file as a document, which is processed until its time has come."""
    state, file = call.state, sent_file(call)
    dataset = get_or_404(state, "dataset", call.path["dataset_id"])
    check_owner(call, dataset["creator_id"], "knowledge base")
    source = _Source(_LOCAL_FILE, file.size, PurePosixPath(file.name).suffix.removeprefix("."), "")
    document = _new_document(call, dataset, state.new_id(), file.name, source)
    return {"document_infos": [serialize_document(state, store_document(state, document))]}


def _new_document(call: Call, dataset: Mapping[str, Any], key: str, name: str, source: _Source) -> dict[str, Any]:
    """Return a document that is being processed."""
    state = call.state
    now = state.clock.seconds()
    return {
        "document_id": key,
        "name": name,
        "type": source.type,
        "size": source.size,
        "char_count": source.size,
        "slice_count": -(-source.size // _BYTES_PER_SLICE),
        "hit_count": 0,
        "format_type": dataset["format_type"],
        "source_type": source.kind,
        **_update_rule({}),
        "tos_uri": f"FileBizType.BIZ_BOT_DATASET/{key}.{source.type}",
        "create_time": now,
        "update_time": now,
        "_dataset_id": dataset["dataset_id"],
        "_ends_at": state.clock.now() + state.options.answer_seconds,
        "_fails": _failure(source),
        "_url": source.url or f"https://sandbox.invalid/document/{key}.{source.type}",
        "_caption": "",
        "_creator_id": call.user_id,
    }


@operation("datasets.documents.update")
def update_document(call: Call) -> None:
    """Rename a document, or change its update rule.

    The rule is stored with documents of every kind, as by `create`; it has an effect on web pages only.
    """
    state, body = call.state, call.body
    document = get_or_404(state, "document", body["document_id"])
    if "update_rule" in body:
        document.update(_update_rule(body))
    document.update(name=body.get("document_name", document["name"]), update_time=state.clock.seconds())
    store_document(state, document)


@operation("datasets.documents.delete")
def delete_document(call: Call) -> None:
    """Remove documents."""
    for key in call.body["document_ids"]:
        document = get_or_404(call.state, "document", key)
        check_owner(call, get_or_404(call.state, "dataset", document["_dataset_id"])["creator_id"], "knowledge base")
        call.state.store.delete("document", key)


@operation("datasets.documents.list")
def list_documents(call: Call) -> ResponseFields:
    """List the documents of a knowledge base, the newest first."""
    state, key = call.state, call.body["dataset_id"]
    get_or_404(state, "dataset", key)
    documents = state.store.list("document", key)[::-1]
    page, _ = numbered_page(call, documents, param="page", size_param="size", size=10)
    return {"document_infos": [serialize_document(state, document) for document in page], "total": len(documents)}


def _check_chunks(call: Call, dataset: Mapping[str, Any]) -> None:
    chunks = call.body["chunk_strategy"]
    needed = ("separator", "max_tokens") if chunks.get("chunk_type") == _CUSTOM_CHUNKS else ()
    if dataset["format_type"] == _IMAGE and not call.state.store.list("document", dataset["dataset_id"]):
        needed = (*needed, "caption_type")
    for name in needed:
        if name not in chunks:
            raise CallError(INVALID_PARAMETER, f"body.chunk_strategy.{name}: is required")


def _source(call: Call, entry: Mapping[str, Any], format_type: int, where: str) -> _Source:
    info = entry["source_info"]
    kind = info.get("document_source", _LOCAL_FILE)
    if (kind == _UPLOADED_FILE) != (format_type == _IMAGE):
        raise CallError(INVALID_PARAMETER, f"{where}.source_info: the knowledge base does not support this source")
    extension = PurePosixPath(entry["name"]).suffix.removeprefix(".")
    if kind == _UPLOADED_FILE:
        file = get_or_404(call.state, "file", _given(info, "source_file_id", where), name="source_file_id")
        extension = PurePosixPath(file["file_name"]).suffix.removeprefix(".")
        return _Source(kind, file["bytes"], extension, "")
    if kind == _WEB_PAGE:
        url = _given(info, "web_url", where)
        return _Source(kind, len(url), "html", url)
    try:
        content = base64.b64decode(_given(info, "file_base64", where, empty=True), validate=True)
    except ValueError as error:
        raise CallError(INVALID_PARAMETER, f"{where}.source_info.file_base64: {error}") from error
    if _given(info, "file_type", where) not in _FILE_TYPES:
        raise CallError(INVALID_PARAMETER, f"{where}.source_info.file_type: one of {', '.join(_FILE_TYPES)}")
    return _Source(kind, len(content), info["file_type"], "")


def _failure(source: _Source) -> str:
    """Return the error with which a document will fail, or an empty string."""
    if source.kind == _WEB_PAGE:
        # Nothing is under this domain, by RFC 2606; all other addresses are taken for pages.
        return "The page cannot be reached." if _NOWHERE.match(source.url) else ""
    return "" if source.size else "The file is empty."


def _given(info: Mapping[str, Any], name: str, where: str, *, empty: bool = False) -> str:
    if name not in info or not (info[name] or empty):
        raise CallError(INVALID_PARAMETER, f"{where}.source_info.{name}: is required")
    return str(info[name])


def _update_rule(entry: Mapping[str, Any]) -> dict[str, int]:
    rule = entry.get("update_rule", {})
    kind = rule.get("update_type", 0)
    return {"update_type": kind, "update_interval": rule.get("update_interval", 24) if kind else 0}


@operation("datasets.images.list")
def list_images(call: Call) -> ResponseFields:
    """List the images of a knowledge base, the newest first."""
    state, query, key = call.state, call.query, call.path["dataset_id"]
    _image_dataset(call)
    images = [
        document
        for document in reversed(state.store.list("document", key))
        if query.get("keyword", "") in document["_caption"]
        and query.get("has_caption", bool(document["_caption"])) == bool(document["_caption"])
    ]
    page, _ = numbered_page(call, images, size=10)
    return {"data": {"photo_infos": [_shown(call, document) for document in page], "total_count": len(images)}}


@operation("datasets.images.update")
def update_image(call: Call) -> None:
    """Set the caption of an image."""
    state, key = call.state, call.path["document_id"]
    _image_dataset(call)
    document = get_or_404(state, "document", key)
    if document["_dataset_id"] != call.path["dataset_id"]:
        raise missing(NOT_FOUND, "document_id", key)
    document.update(_caption=call.body["caption"], update_time=state.clock.seconds())
    store_document(state, document)


def _image_dataset(call: Call) -> None:
    if get_or_404(call.state, "dataset", call.path["dataset_id"])["format_type"] != _IMAGE:
        raise CallError(INVALID_PARAMETER, "path.dataset_id: not an image knowledge base")


def _shown(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    now = serialize_document(call.state, document)
    same = ("document_id", "name", "size", "type", "status", "source_type", "create_time", "update_time")
    return {
        **{name: now[name] for name in same},
        "caption": document["_caption"],
        "url": document["_url"],
        "creator_id": document["_creator_id"],
    }


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
        "chunk_strategy": documents[0].get("chunk_strategy", {}) if documents else {},
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
