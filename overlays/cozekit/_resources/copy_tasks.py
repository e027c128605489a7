# @generated from copy_tasks_async.py by `python -m generator sync`; do not edit.
"""Copies of bots, apps and workflows that are waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from coze_api.resources.copy_tasks import CopyTasksAPI

from .._call_options import followup_options, hide_headers
from .._polling import Waiting
from .copy_tasks_async import CopyResult, _goes_on, _result

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
            poll_interval: Seconds before asking again. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`. `extra_headers` and `timeout` go with every request.

        Returns:
            The copy. Nothing is waited for where Coze makes it at once, as of a bot that stays in its workspace.

        Raises:
            CopyFailed: Something could not be copied.
            PollTimeout: It was not complete in time. Coze goes on; `retrieve` tells how far it is.
            APIError: Coze refused a call.
        """
        hide_headers(arguments)
        started = self.create(**arguments)
        if not started.task_id:
            return CopyResult(started)
        waiting = Waiting(poll_interval, poll_timeout)
        while _goes_on(task := self.retrieve(task_id=started.task_id, **followup_options(arguments)), waiting):
            waiting.sleep()
        return _result(started, task)
