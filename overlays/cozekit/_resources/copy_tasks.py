# @generated from copy_tasks_async.py by `python -m generator sync`; do not edit.
"""Copying bots, apps and workflows, and waiting for the copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from coze_api.operations import copy_tasks as _operations
from coze_api.resources.copy_tasks import CopyTasksAPI

from .._call_options import followup_options, hide_headers
from .._polling import poll_until_done
from .copy_tasks_async import CopyResult, _result

if TYPE_CHECKING:
    from coze_api.params.copy_tasks import CreateParams

__all__ = ["CopyResult", "CopyTasks"]


class CopyTasks(CopyTasksAPI):
    """Copy bots, apps and workflows within a workspace or to another one."""

    def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[CreateParams]
    ) -> CopyResult:
        """Copy a bot, an app or a workflow and wait until the copy is complete.

        Args:
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`. `extra_headers` and `timeout` are used for every request.

        Returns:
            The copy. If Coze copies at once, as it does for a bot within its workspace, nothing is polled.

        Raises:
            CopyFailed: Something could not be copied.
            PollTimeout: The copy was not complete in time. Coze continues to copy; `retrieve` returns the progress.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        started = self.create(**arguments)
        if not started.task_id:
            return CopyResult(started)
        task_id, options = started.task_id, followup_options(arguments)
        task = poll_until_done(
            _operations.CREATE,
            lambda: self.retrieve(task_id=task_id, **options),
            f"the copy task {task_id} did not end",
            interval=poll_interval,
            limit=poll_timeout,
        )
        return _result(started, task)
