"""Knowledge bases: documents that are waited for until they can be found."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Unpack

import attrs

from coze_api.models import Document, DocumentProgress
from coze_api.operations import datasets as _operations
from coze_api.resources.datasets import (
    AsyncDatasetsAPI,
    AsyncDatasetsDocumentsAPI,
)

from .._call_options import followup_options, hide_headers
from .._polling import Waiting, goes_on, has_failed
from .._type_guards import instances_of, key_of, text_of
from ..errors import DecodeError

if TYPE_CHECKING:
    from coze_api.models import DocumentProgressList
    from coze_api.params.datasets import DocumentsCreateParams

__all__ = ["AsyncDatasets", "DocumentsResult"]


@attrs.frozen
class DocumentsResult:
    """What became of documents that were added to a knowledge base.

    Attributes:
        documents: How far each of them is, in the order in which they were added.
    """

    documents: list[DocumentProgress]

    @property
    def failed(self) -> list[DocumentProgress]:
        """Those that could not be processed; `status_descript` tells why."""
        return [one for one in self.documents if has_failed(_operations.DOCUMENTS_CREATE, one)]


def _goes_on(told: DocumentProgressList, dataset_id: str, waiting: Waiting) -> bool:
    """Tell whether a document is still being processed.

    Raises:
        PollTimeout: It takes too long.
    """
    missing = f"documents of the knowledge base {dataset_id} were not processed"
    return goes_on(_operations.DOCUMENTS_CREATE, told, waiting, missing, last=told)


def _ids(added: list[Document]) -> list[str]:
    """Return the ids of the documents that were added.

    Raises:
        DecodeError: One has none.
    """
    ids = [one.document_id for one in instances_of(added, Document) if text_of(one.document_id)]
    if len(ids) < len(added):
        raise DecodeError(f"a document has no id: {added!r:.200}", operation=_operations.DOCUMENTS_CREATE.id)
    return ids


def _result(told: DocumentProgressList, document_ids: list[str]) -> DocumentsResult:
    found = {key_of(one.document_id): one for one in told.data or ()}
    return DocumentsResult([found[key] for key in document_ids if key in found])


class AsyncDatasetsDocuments(AsyncDatasetsDocumentsAPI):
    """Documents of knowledge bases."""

    async def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[DocumentsCreateParams]
    ) -> DocumentsResult:
        """Add documents to a knowledge base and wait until all of them are processed.

        Args:
            poll_interval: Seconds before asking again. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`. `extra_headers` and `timeout` go with every request.

        Returns:
            What became of each; look at `failed`.

        Raises:
            PollTimeout: They were not processed in time. They still are; `datasets.process` tells how far.
            APIError: Coze refused a call.
        """
        hide_headers(arguments)
        ids = _ids(await self.create(**arguments))
        waiting, datasets = Waiting(poll_interval, poll_timeout), AsyncDatasetsAPI(self._client)
        while True:
            told = await datasets.process(
                dataset_id=arguments["dataset_id"], document_ids=ids, **followup_options(arguments)
            )
            if not _goes_on(told, arguments["dataset_id"], waiting):
                return _result(told, ids)
            await waiting.asleep()


class AsyncDatasets(AsyncDatasetsAPI):
    """Knowledge bases and their documents."""

    @cached_property
    def documents(self) -> AsyncDatasetsDocuments:
        """Documents of knowledge bases."""
        return AsyncDatasetsDocuments(self._client)
