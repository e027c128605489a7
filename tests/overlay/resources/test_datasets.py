"""Documents that are added to a knowledge base and polled until they are processed."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from coze_api import models
from coze_api.operations import datasets as operations
from coze_sandbox import WORKSPACE_ID
from cozekit import errors
from tests.overlay._clients import Connect


def file(name: str, text: str) -> dict[str, Any]:
    content = base64.b64encode(text.encode()).decode()
    return {"name": name, "source_info": {"file_base64": content, "file_type": "txt"}}


def test_documents_are_polled_until_processed(coze):
    """Documents are polled until all are processed; failed ones are listed separately."""
    dataset = coze.datasets.create(name="d", space_id=WORKSPACE_ID, format_type=0)
    result = coze.datasets.documents.create_and_poll(
        dataset_id=dataset.dataset_id,
        document_bases=[file("a.txt", "Hello"), file("empty.txt", ""), file("b.txt", "there")],
        chunk_strategy={},
        poll_interval=0,
    )
    assert [document.document_name for document in result.documents] == ["a.txt", "empty.txt", "b.txt"]
    assert [document.status for document in result.documents] == [
        models.DocumentStatus.COMPLETED,
        models.DocumentStatus.FAILED,
        models.DocumentStatus.COMPLETED,
    ]
    assert [document.document_name for document in result.failed] == ["empty.txt"]


class Server:
    """Adds two documents and returns the given states in order, then the last state repeatedly."""

    def __init__(self, *histories: list[int]) -> None:
        self.histories = list(histories)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == operations.DOCUMENTS_CREATE.path:
            return httpx.Response(200, json={"code": 0, "document_infos": [{"document_id": "1"}, {"document_id": "2"}]})
        states = self.histories.pop(0) if len(self.histories) > 1 else self.histories[0]
        documents = [{"document_id": str(number), "status": state} for number, state in enumerate(states, 1)]
        return httpx.Response(200, json={"code": 0, "data": {"data": documents[::-1]}})


def add(connect: Connect, server: Server, **options: Any) -> Any:
    documents = connect(handler=server).datasets.documents
    arguments = {"dataset_id": "7", "document_bases": [file("a.txt", "a")], "chunk_strategy": {}, "poll_interval": 0}
    return documents.create_and_poll(**{**arguments, **options})


def test_polling_ends_when_no_document_is_pending(connect: Connect):
    """Polling ends when no document is in a pending state; an unknown state is not pending, and the order stays that of
    adding.
    """
    server = Server([], [0, 1], [1, 4], [77, 1000])
    result = add(connect, server, extra_headers={"X-Trace": "1"})
    assert [(document.document_id, document.status) for document in result.documents] == [("1", 77), ("2", 1000)]
    assert [document.document_id for document in result.failed] == ["2"]
    assert len(server.requests) == 5
    assert {request.headers["X-Trace"] for request in server.requests} == {"1"}


def test_slow_documents_are_a_poll_timeout(connect: Connect):
    """Documents that are not processed in time raise PollTimeout with the last response."""
    with pytest.raises(errors.PollTimeout, match="documents of the knowledge base 7 were not processed") as caught:
        add(connect, Server([0, 1]), poll_timeout=0)
    assert [document.status for document in caught.value.last.data] == [1, 0]
