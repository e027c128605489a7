# @generated from datasets_async.py by `python -m generator sync`; do not edit.
"""Adding documents to knowledge bases, and waiting until they are processed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Unpack

from coze_api.operations import datasets as _operations
from coze_api.resources.datasets import DatasetsAPI, DatasetsDocumentsAPI

from .._call_options import followup_options, hide_headers
from .._polling import poll_until_done
from .datasets_async import DocumentsResult, _ids, _result

if TYPE_CHECKING:
    from coze_api.params.datasets import DocumentsCreateParams

__all__ = ["Datasets", "DocumentsResult"]


class DatasetsDocuments(DatasetsDocumentsAPI):
    """Documents of knowledge bases."""

    def create_and_poll(
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
        ids = _ids(self.create(**arguments))
        dataset_id, options = arguments["dataset_id"], followup_options(arguments)
        datasets = DatasetsAPI(self._client)
        progress = poll_until_done(
            _operations.DOCUMENTS_CREATE,
            lambda: datasets.process(dataset_id=dataset_id, document_ids=ids, **options),
            f"documents of the knowledge base {dataset_id} were not processed",
            interval=poll_interval,
            limit=poll_timeout,
        )
        return _result(progress, ids)


class Datasets(DatasetsAPI):
    """Knowledge bases and their documents."""

    @cached_property
    def documents(self) -> DatasetsDocuments:
        """Documents of knowledge bases."""
        return DatasetsDocuments(self._client)
