"""Adding documents to knowledge bases, and waiting until they are processed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Unpack

import attrs

from coze_api.models import Document, DocumentProgress
from coze_api.operations import datasets as _operations
from coze_api.resources.datasets import AsyncDatasetsAPI, AsyncDatasetsDocumentsAPI

from .._call_options import followup_options, hide_headers
from .._polling_async import has_failed, poll_until_done
from .._type_guards import instances_of, key_of, text_of
from ..errors import DecodeError

if TYPE_CHECKING:
    from coze_api.models import DocumentProgressList
    from coze_api.params.datasets import DocumentsCreateParams

__all__ = ["AsyncDatasets", "DocumentsResult"]


@attrs.frozen
class DocumentsResult:
    """Documents that were added to a knowledge base and processed.

    Attributes:
        documents: The final state of each, in the order in which they were added.
    """

    documents: list[DocumentProgress]

    @property
    def failed(self) -> list[DocumentProgress]:
        """Those that could not be processed; `status_descript` has the reason."""
        return [document for document in self.documents if has_failed(_operations.DOCUMENTS_CREATE, document)]


def _ids(documents: list[Document]) -> list[str]:
    """Return the ids of the documents that were added.

    Raises:
        DecodeError: One has none.
    """
    ids = [document.document_id for document in instances_of(documents, Document) if text_of(document.document_id)]
    if len(ids) < len(documents):
        raise DecodeError(f"a document has no id: {documents!r:.200}", operation=_operations.DOCUMENTS_CREATE.id)
    return ids


def _result(progress: DocumentProgressList, document_ids: list[str]) -> DocumentsResult:
    by_id = {key_of(document.document_id): document for document in progress.data or ()}
    return DocumentsResult([by_id[key] for key in document_ids if key in by_id])


class AsyncDatasetsDocuments(AsyncDatasetsDocumentsAPI):
    """Documents of knowledge bases."""

    async def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[DocumentsCreateParams]
    ) -> DocumentsResult:
        """Add documents to a knowledge base and wait until all of them are processed.

        Args:
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`. `extra_headers` and `timeout` are used for every request.

        Returns:
            The final state of each document; check `failed`.

        Raises:
            PollTimeout: They were not processed in time. Coze continues; `datasets.process` returns the progress.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        ids = _ids(await self.create(**arguments))
        dataset_id, options = arguments["dataset_id"], followup_options(arguments)
        datasets = AsyncDatasetsAPI(self._client)
        progress = await poll_until_done(
            _operations.DOCUMENTS_CREATE,
            lambda: datasets.process(dataset_id=dataset_id, document_ids=ids, **options),
            f"documents of the knowledge base {dataset_id} were not processed",
            interval=poll_interval,
            limit=poll_timeout,
        )
        return _result(progress, ids)


class AsyncDatasets(AsyncDatasetsAPI):
    """Knowledge bases and their documents."""

    @cached_property
    def documents(self) -> AsyncDatasetsDocuments:
        """Documents of knowledge bases."""
        return AsyncDatasetsDocuments(self._client)
