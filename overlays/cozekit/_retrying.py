# @generated from _retrying_async.py by `python -m generator sync`; do not edit.
"""Retries of one call: classify the failure, wait and send again, or raise."""

from __future__ import annotations

from collections.abc import Callable

from coze_api._core._deadline import within
from coze_api._core._http import HTTPError
from coze_api._core._request import Request

from ._retrying_async import _GRACE_SECONDS, HINT, R, RetryingBase
from ._sleep import sleep
from .errors import APIError

__all__ = ["HINT", "Retrying"]


class Retrying(RetryingBase):
    """Retries one call."""

    def call(self, request: Request, call: Callable[[], R]) -> R:
        """Retry until success or until retries are exhausted.

        Raises:
            CozeError: The failure of the last attempt.
        """
        while True:
            self._before_attempt(request)
            try:
                return self._on_success(self._attempt(request, call))
            except (APIError, HTTPError) as error:
                delay = self._delay_or_raise(request, error)
            sleep(delay)

    def _attempt(self, request: Request, call: Callable[[], R]) -> R:
        if self.deadline is None:
            return call()
        return within(self._left(self.deadline) + _GRACE_SECONDS, request, call)
