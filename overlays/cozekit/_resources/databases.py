# @generated from databases_async.py by `python -m generator sync`; do not edit.
"""Changing and reading rows of databases by tasks, and waiting for these."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from coze_api.operations import databases as _operations
from coze_api.resources.database_tasks import DatabaseTasksAPI
from coze_api.resources.databases import DatabasesAPI, DatabasesRecordsAPI

from .._call_options import followup_options, hide_headers, split_options
from .._polling import has_failed, poll_until_done
from .._type_guards import text_of
from ..errors import DatabaseTaskFailed, DecodeError, InvalidArgumentError

if TYPE_CHECKING:
    from coze_api._core._operation import Operation
    from coze_api.models import DatabaseRecordsChange, DatabaseRows, DatabaseTask
    from coze_api.params.databases import (
        RecordsCreateParams,
        RecordsDeleteParams,
        RecordsQueryParams,
        RecordsUpdateParams,
    )

__all__ = ["Databases", "DatabasesRecords"]


class DatabasesRecords(DatabasesRecordsAPI):
    """Rows of databases."""

    def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[RecordsCreateParams]
    ) -> DatabaseTask:
        """Add rows to a database by a task, and wait until they are there.

        Args:
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`; `is_async` is set. `extra_headers` and `timeout` are used for every request.

        Returns:
            The task; `affected_rows` is the number of rows that were added.

        Raises:
            DatabaseTaskFailed: The task failed.
            PollTimeout: The task did not end in time. It continues at Coze.
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        return self._run(_operations.RECORDS_CREATE, DatabasesRecordsAPI.create, arguments, poll_interval, poll_timeout)

    def update_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[RecordsUpdateParams]
    ) -> DatabaseTask:
        """Change rows of a database by a task, and wait until they are changed.

        Args:
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `update`; `is_async` is set. `extra_headers` and `timeout` are used for every request.

        Returns:
            The task; `affected_rows` is the number of rows that were changed.

        Raises:
            DatabaseTaskFailed: The task failed.
            PollTimeout: The task did not end in time. It continues at Coze.
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        return self._run(_operations.RECORDS_UPDATE, DatabasesRecordsAPI.update, arguments, poll_interval, poll_timeout)

    def delete_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[RecordsDeleteParams]
    ) -> DatabaseTask:
        """Delete rows of a database by a task, and wait until they are gone.

        Args:
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `delete`; `is_async` is set. `extra_headers` and `timeout` are used for every request.

        Returns:
            The task; `affected_rows` is the number of rows that were deleted.

        Raises:
            DatabaseTaskFailed: The task failed.
            PollTimeout: The task did not end in time. It continues at Coze.
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        return self._run(_operations.RECORDS_DELETE, DatabasesRecordsAPI.delete, arguments, poll_interval, poll_timeout)

    def query_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[RecordsQueryParams]
    ) -> DatabaseTask:
        """Read rows of a database by a task, and wait until they are in a file.

        Args:
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `query`; `is_async` is set. `extra_headers` and `timeout` are used for every request.

        Returns:
            The task; `select_items_file_url` is the address of a JSON file with the rows, and `has_more` whether there
            are more rows than the file holds.

        Raises:
            DatabaseTaskFailed: The task failed.
            PollTimeout: The task did not end in time. It continues at Coze.
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        return self._run(_operations.RECORDS_QUERY, DatabasesRecordsAPI.query, arguments, poll_interval, poll_timeout)

    def _run(
        self, operation: Operation[Any], method: Callable[..., Any], arguments: Any, interval: float, limit: float
    ) -> DatabaseTask:
        if arguments.get("is_async") is False:
            raise InvalidArgumentError(
                f"{operation.id}_and_poll: is_async must be omitted or True; use {operation.id} for is_async=False"
            )
        # Not by the method itself: that of queries returns pages.
        params, options = split_options(method, {**arguments, "is_async": True})
        started: DatabaseRecordsChange | DatabaseRows = self._client.request(operation, params, options)
        task_id = text_of(started.task_id)
        if not task_id:
            raise DecodeError(
                "the response has no id of a task",
                operation=operation.id,
                logid=started.logid,
                response=started.response,
            )
        tasks, followup = DatabaseTasksAPI(self._client), followup_options(arguments)
        task = poll_until_done(
            operation,
            lambda: tasks.retrieve(task_id=task_id, **followup),
            f"the database task {task_id} did not end",
            interval=interval,
            limit=limit,
        )
        if has_failed(operation, task):
            reason = text_of(task.error_msg) or "Coze returned no reason"
            raise DatabaseTaskFailed(
                f"the database task {task_id} failed: {reason} (logid {task.logid or 'unknown'})", task=task
            )
        return task


class Databases(DatabasesAPI):
    """Databases and their rows."""

    @cached_property
    def records(self) -> DatabasesRecords:
        """Rows of databases."""
        return DatabasesRecords(self._client)
