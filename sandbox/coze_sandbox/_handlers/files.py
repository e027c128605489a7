"""Files: uploaded once, referred to by id. The content of small ones is kept, for downloads."""

from __future__ import annotations

import base64

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import KEPT_BYTES, Call, FileResponse, ResponseFields
from .._state.store import public
from ._common import get_or_404, sent_file
from ._registry import operation

_ANY_TYPE = "application/octet-stream"


@operation("files.upload")
def upload(call: Call) -> ResponseFields:
    """Store name, size and digest of a file."""
    file, state = sent_file(call), call.state
    key = state.new_id()
    stored = {"id": key, "bytes": file.size, "file_name": file.name, "created_at": state.clock.seconds()}
    state.store.put("file", key, {**stored, "_sha256": file.sha256, "_creator_id": call.user_id})
    if file.content is not None:
        content = {"type": file.content_type, "base64": base64.b64encode(file.content).decode()}
        state.store.put("file_content", key, content)
    return {"data": stored}


@operation("files.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the metadata of a file."""
    stored = get_or_404(call.state, "file", call.query["file_id"])
    return {"data": public(stored)}


@operation("files.content.retrieve")
def retrieve_content(call: Call) -> FileResponse:
    """Return the content of a file, with its name and the type with which it was uploaded.

    Raises:
        CallError: The file does not exist, or is too large for the sandbox to keep its content.
    """
    key = call.query["file_id"]
    if call.state.options.examples:
        return FileResponse(b"A file.", _ANY_TYPE)
    file, content = get_or_404(call.state, "file", key), call.state.find("file_content", key)
    if content is None:
        raise CallError(INVALID_PARAMETER, f"query.file_id: the sandbox keeps files of up to {KEPT_BYTES} bytes")
    type_ = content["type"] if content["type"] in call.operation.success else _ANY_TYPE
    return FileResponse(base64.b64decode(content["base64"]), type_, file["file_name"])
