# @generated from result_async.py by `python -m generator sync`; do not edit.
"""Results of workflow runs in the background."""

from __future__ import annotations

from collections.abc import Callable

from coze_api.models import WorkflowNodeRun

from .output import to_text
from .result_async import _Result, raise_if_failed

__all__ = ["WorkflowResult", "raise_if_failed"]


class WorkflowResult(_Result[Callable[[str], WorkflowNodeRun]]):
    """The result of a run in the background that has ended, or waits for a reply.

    Attributes:
        history: The run as Coze describes it.
    """

    __slots__ = ()

    def node_output(self, node: str) -> str:
        """Fetch the whole output of an output node.

        Args:
            node: Title or id of the node, or id of its execution.

        Raises:
            InvalidArgumentError: The run has no such node.
            APIError: Coze returned an error.
        """
        return to_text(self._fetch(self._execution(node)).node_output)
