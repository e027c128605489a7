"""Images of knowledge bases, found by their captions."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from ._common import get_or_404, numbered_page
from ._dataset_serializers import serialize_document, store_document
from ._registry import operation

_IMAGE = 2


@operation("datasets.images.list")
def list_images(call: Call) -> ResponseFields:
    """List the images of a knowledge base, the newest first."""
    state, query, key = call.state, call.query, call.path["dataset_id"]
    _image_dataset(call)
    found = [
        document
        for document in reversed(state.store.list("document", key))
        if query.get("keyword", "") in document["_caption"]
        and query.get("has_caption", bool(document["_caption"])) == bool(document["_caption"])
    ]
    page, _ = numbered_page(call, found, size=10)
    return {"data": {"photo_infos": [_shown(call, document) for document in page], "total_count": len(found)}}


@operation("datasets.images.update")
def update(call: Call) -> None:
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
        raise CallError(INVALID_PARAMETER, "path.dataset_id: no knowledge base of images")


def _shown(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    now = serialize_document(call.state, document)
    same = ("document_id", "name", "size", "type", "status", "source_type", "create_time", "update_time")
    return {
        **{name: now[name] for name in same},
        "caption": document["_caption"],
        "url": document["_url"],
        "creator_id": document["_creator_id"],
    }
