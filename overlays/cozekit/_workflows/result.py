# @generated from result_async.py by `python -m generator sync`; do not edit.
"""What became of a run of a workflow in the background."""

from __future__ import annotations

from collections.abc import Callable

from coze_api.models import WorkflowNodeRun

from .output import to_text
from .result_async import _Result, checked, run_goes_on

__all__ = ["WorkflowResult", "checked", "run_goes_on"]


class WorkflowResult(_Result[Callable[[str], WorkflowNodeRun]]):
    """What became of a run in the background: it has ended well, or waits for an answer.

    Attributes:
        history: The run as Coze describes it.
    """

    __slots__ = ()

    def node_output(self, node: str) -> str:
        """Ask for the whole output of an output node.

        Args:
            node: Title or id of the node, or id of its execution.

        Raises:
            InvalidArgumentError: The run has no such node.
            APIError: Coze refused the call.
        """
        return to_text(self._fetch(self._execution(node)).node_output)
