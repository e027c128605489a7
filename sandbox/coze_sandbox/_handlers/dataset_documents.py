"""Documents of knowledge bases. Only the size of their content is stored."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import attrs

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from ._common import check_owner, get_or_404, numbered_page
from ._dataset_serializers import serialize_document, store_document
from ._registry import operation

_TEXT, _IMAGE = 0, 2
_LOCAL_FILE, _WEB_PAGE, _UPLOADED_FILE = 0, 1, 5
_CUSTOM_CHUNKS = 1
_FILE_TYPES = ("pdf", "txt", "doc", "docx")
_BYTES_PER_SLICE = 1000
_NOWHERE = re.compile(r"https?://[^/?#]*\.invalid(:\d+)?([/?#]|$)", re.IGNORECASE)


@attrs.frozen
class _Source:
    kind: int
    size: int
    type: str
    url: str


@operation("datasets.documents.create")
def create(call: Call) -> ResponseFields:
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
        raise CallError(INVALID_PARAMETER, "body.document_bases: must be of one kind of source")
    now = state.clock.seconds()
    added = []
    for entry, source in zip(body["document_bases"], sources, strict=True):
        key = state.new_id()
        caption = entry.get("caption", "")
        if not caption and body["chunk_strategy"].get("caption_type", 0) == 0:
            caption = f"A picture called {entry['name']}."
        document = {
            "document_id": key,
            "name": entry["name"],
            "type": source.type,
            "size": source.size,
            "char_count": source.size,
            "slice_count": -(-source.size // _BYTES_PER_SLICE),
            "hit_count": 0,
            "format_type": dataset["format_type"],
            "source_type": source.kind,
            "chunk_strategy": body["chunk_strategy"],
            **_update_rule(entry),
            "tos_uri": f"FileBizType.BIZ_BOT_DATASET/{key}.{source.type}",
            "create_time": now,
            "update_time": now,
            "_dataset_id": dataset["dataset_id"],
            "_ends_at": state.clock.now() + state.options.answer_seconds,
            "_fails": _failure(source),
            "_url": source.url or f"https://sandbox.invalid/document/{key}.{source.type}",
            "_caption": caption if dataset["format_type"] == _IMAGE else "",
            "_creator_id": call.user_id,
        }
        added.append(serialize_document(state, store_document(state, document)))
    return {"document_infos": added}


@operation("datasets.documents.update")
def update(call: Call) -> None:
    """Rename a document, or change how often it is read anew.

    A rule is kept with documents of every kind, as by `create`; only web pages are read anew by it.
    """
    state, body = call.state, call.body
    document = get_or_404(state, "document", body["document_id"])
    if "update_rule" in body:
        document.update(_update_rule(body))
    document.update(name=body.get("document_name", document["name"]), update_time=state.clock.seconds())
    store_document(state, document)


@operation("datasets.documents.delete")
def delete(call: Call) -> None:
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
    found = state.store.list("document", key)[::-1]
    page, _ = numbered_page(call, found, param="page", size_param="size", size=10)
    return {"document_infos": [serialize_document(state, document) for document in page], "total": len(found)}


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
        raise CallError(INVALID_PARAMETER, f"{where}.source_info: of no kind that the knowledge base takes")
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
