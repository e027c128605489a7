"""Files: uploaded once, referred to by id. Coze never returns the content, so it is not stored."""

from __future__ import annotations

from .._http.context import Call, ResponseFields
from .._state.store import public
from ._common import get_or_404, sent_file
from ._registry import operation


@operation("files.upload")
def upload(call: Call) -> ResponseFields:
    """Store name, size and digest of a file."""
    file, state = sent_file(call), call.state
    key = state.new_id()
    stored = {"id": key, "bytes": file.size, "file_name": file.name, "created_at": state.clock.seconds()}
    state.store.put("file", key, {**stored, "_sha256": file.sha256, "_creator_id": call.user_id})
    return {"data": stored}


@operation("files.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the metadata of a file."""
    stored = get_or_404(call.state, "file", call.query["file_id"])
    return {"data": public(stored)}
