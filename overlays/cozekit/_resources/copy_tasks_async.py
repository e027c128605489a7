"""Copying bots, apps and workflows, and waiting for the copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import attrs

from coze_api.models import CopyFailure
from coze_api.operations import copy_tasks as _operations
from coze_api.resources.copy_tasks import AsyncCopyTasksAPI

from .._call_options import followup_options, hide_headers
from .._polling_async import has_failed, poll_until_done
from .._type_guards import instances_of, text_of
from ..errors import CopyFailed

if TYPE_CHECKING:
    from coze_api.models import CopyTask, StartedCopy
    from coze_api.params.copy_tasks import CreateParams

__all__ = ["AsyncCopyTasks", "CopyResult"]


@attrs.frozen
class CopyResult:
    """A copy that is complete.

    Attributes:
        started: The response to the request that started it.
        task: The task that copied, in its final state; None if Coze copied at once.
    """

    started: StartedCopy
    task: CopyTask | None = None

    @property
    def entity_id(self) -> str:
        """Id of the new bot, app or workflow; "" if Coze did not return it."""
        return text_of(self.started.copied_entity_id if self.task is None else self.task.target_entity_id)


class AsyncCopyTasks(AsyncCopyTasksAPI):
    """Copy bots, apps and workflows within a workspace or to another one."""

    async def create_and_poll(
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
        started = await self.create(**arguments)
        if not started.task_id:
            return CopyResult(started)
        task_id, options = started.task_id, followup_options(arguments)
        task = await poll_until_done(
            _operations.CREATE,
            lambda: self.retrieve(task_id=task_id, **options),
            f"the copy task {task_id} did not end",
            interval=poll_interval,
            limit=poll_timeout,
        )
        return _result(started, task)


def _result(started: StartedCopy, task: CopyTask) -> CopyResult:
    """Return the result of a task that has ended.

    Raises:
        CopyFailed: It failed.
    """
    if not has_failed(_operations.CREATE, task):
        return CopyResult(started, task)
    failures = instances_of(task.failed_reasons, CopyFailure)
    reasons = "; ".join(map(_format_failure, failures)) or "Coze returned no reason"
    raise CopyFailed(f"the copy task {task.task_id} failed: {reasons} (logid {task.logid or 'unknown'})", task=task)


def _format_failure(failure: CopyFailure) -> str:
    kind = failure.entity_type or "entity"
    return f"{kind} {failure.entity_name or failure.entity_id or '?'}: {failure.failed_reason or 'no reason given'}"
