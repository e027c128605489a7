"""Copies of bots, apps and workflows that are waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import attrs

from coze_api.models import CopyFailure
from coze_api.operations import copy_tasks as _operations
from coze_api.resources.copy_tasks import AsyncCopyTasksAPI

from .._call_options import followup_options, hide_headers
from .._polling import Waiting, goes_on, has_failed
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
        started: What Coze answered at first.
        task: The task that made the copy, in its final state; None where it was made at once.
    """

    started: StartedCopy
    task: CopyTask | None = None

    @property
    def entity_id(self) -> str:
        """Id of the new bot, app or workflow; "" where Coze does not tell it."""
        return text_of(self.started.copied_entity_id if self.task is None else self.task.target_entity_id)


class AsyncCopyTasks(AsyncCopyTasksAPI):
    """Copy bots, apps and workflows within a workspace or to another one."""

    async def create_and_poll(
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
        started = await self.create(**arguments)
        if not started.task_id:
            return CopyResult(started)
        waiting = Waiting(poll_interval, poll_timeout)
        while _goes_on(task := await self.retrieve(task_id=started.task_id, **followup_options(arguments)), waiting):
            await waiting.asleep()
        return _result(started, task)


def _goes_on(task: CopyTask, waiting: Waiting) -> bool:
    return goes_on(_operations.CREATE, task, waiting, f"the copy task {task.task_id} did not end", last=task)


def _result(started: StartedCopy, task: CopyTask) -> CopyResult:
    """Return the result of a task that has ended.

    Raises:
        CopyFailed: It failed.
    """
    if not has_failed(_operations.CREATE, task):
        return CopyResult(started, task)
    reasons = "; ".join(map(_reason, instances_of(task.failed_reasons, CopyFailure))) or "Coze does not tell why"
    raise CopyFailed(f"the copy task {task.task_id} failed: {reasons} (logid {task.logid or 'unknown'})", task=task)


def _reason(failure: CopyFailure) -> str:
    kind = failure.entity_type or "entity"
    return f"{kind} {failure.entity_name or failure.entity_id or '?'}: {failure.failed_reason or 'no reason given'}"
