# @generated from datasets_async.py by `python -m generator sync`; do not edit.
"""Knowledge bases: documents that are waited for until they can be found."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Unpack

from coze_api.resources.datasets import DatasetsAPI, DatasetsDocumentsAPI

from .._call_options import followup_options, hide_headers
from .._polling import Waiting
from .datasets_async import DocumentsResult, _goes_on, _ids, _result

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
        ids = _ids(self.create(**arguments))
        waiting, datasets = Waiting(poll_interval, poll_timeout), DatasetsAPI(self._client)
        while True:
            told = datasets.process(dataset_id=arguments["dataset_id"], document_ids=ids, **followup_options(arguments))
            if not _goes_on(told, arguments["dataset_id"], waiting):
                return _result(told, ids)
            waiting.sleep()


class Datasets(DatasetsAPI):
    """Knowledge bases and their documents."""

    @cached_property
    def documents(self) -> DatasetsDocuments:
        """Documents of knowledge bases."""
        return DatasetsDocuments(self._client)
