# @generated from _device_code_async.py by `python -m generator sync`; do not edit.
"""Device code flow (RFC 8628): for devices without a browser; the user enters a code on another device."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from coze_api._core._http import HTTPResponse

from .._retry_policy import RetryPolicy
from .._sleep import sleep
from ..errors import APIConnectionError, DeviceCancelled
from ._device_code_async import _CANCEL_CHECK_INTERVAL, DeviceCode, _Device
from ._flow import OAuthFlow
from ._token import Token
from ._token_endpoint import TokenEndpoint
from ._token_request import TokenRequest

__all__ = ["DeviceCode", "DeviceOAuth"]


class DeviceOAuth(_Device, OAuthFlow):
    """Device code flow: for a command line, a television or another device without its own browser.

    ```python
    device = DeviceOAuth(client_id)
    code = device.start()
    print("Open", code.verification_url, "and check that it shows", code.user_code)
    token = device.wait(code)
    coze = Coze(auth=device.auth(token, store=FileStore("tokens")))
    ```

    See https://www.coze.cn/open/docs/developer_guides/oauth_device_code.
    """

    def start(self, *, workspace_id: str | None = None) -> DeviceCode:
        """Get the code and the URL to show to the user.

        Args:
            workspace_id: Limits the token to one workspace. Enterprise plans only.

        Raises:
            OAuthError: Coze rejected the request.
            CozeError: There was no response.
        """
        request = self._device_request(workspace_id)
        with self._endpoint() as endpoint:
            http = endpoint.send(request)
        return self._parse_device_code(request, http)

    def wait(
        self, code: DeviceCode, *, timeout: float | None = None, cancel: Event | Callable[[], bool] | None = None
    ) -> Token:
        """Poll until the user has logged in, at the interval that Coze requires. Lost connections are retried.

        Args:
            code: The result of `start`.
            timeout: Maximum of seconds to wait. Default: until the code expires.
            cancel: Ends the waiting: an event that is set, or a function that returns True.

        Raises:
            DeviceDenied: The user denied access.
            DeviceExpired: The code expired.
            DeviceTimeout: *timeout* passed. The code may still be valid: `wait` again.
            DeviceCancelled: *cancel* ended the waiting.
            OAuthError: Coze rejected the request for another reason.
        """
        steps = self._poll_steps(code, timeout)
        with self._endpoint(RetryPolicy(max_retries=0)) as endpoint:
            result: Any = None
            while True:
                try:
                    step = steps.throw(result) if isinstance(result, Exception) else steps.send(result)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]  # a generator's result has no type
                if isinstance(step, TokenRequest):
                    result = _try_send(endpoint, step)
                    continue
                _sleep_cancelable(step, cancel)
                result = None

    def refresh(self, token: Token) -> Token:
        """Get the next token. The refresh token of *token* stops working: keep the new one.

        Raises:
            InvalidGrant: The refresh token was used, has expired or was revoked: the user must log in again.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        return self._drive(self._refreshing(token))


def _try_send(endpoint: TokenEndpoint, request: TokenRequest) -> HTTPResponse | APIConnectionError:
    try:
        return endpoint.send(request)
    except APIConnectionError as error:
        return error


def _sleep_cancelable(seconds: float, cancel: Event | Callable[[], bool] | None) -> None:
    """Sleep unless the caller cancels.

    Raises:
        DeviceCancelled: The caller canceled.
    """
    is_canceled = cancel.is_set if isinstance(cancel, Event) else cancel
    while True:
        if is_canceled is not None and is_canceled():
            raise DeviceCancelled("the caller canceled the login")
        if seconds <= 0:
            return
        pause = seconds if is_canceled is None else min(seconds, _CANCEL_CHECK_INTERVAL)
        seconds -= pause
        sleep(pause)
