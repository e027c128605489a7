"""Knowledge bases."""

from __future__ import annotations

from .._common.errors import NOT_FOUND, missing
from .._http.context import Call, ResponseFields
from ._common import check_file, check_owner, get_or_404, numbered_page
from ._dataset_serializers import serialize_dataset, serialize_progress
from ._registry import operation
from .workspaces import member_key


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
    found = [
        dataset
        for dataset in reversed(state.store.list("dataset", query["space_id"]))
        if query.get("name", "") in dataset["name"]
        and query.get("format_type", dataset["format_type"]) == dataset["format_type"]
    ]
    page, _ = numbered_page(call, found, size=10)
    shown = [serialize_dataset(state, dataset, call.user_id) for dataset in page]
    return {"data": {"dataset_list": shown, "total_count": len(found)}}


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
