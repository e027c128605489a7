"""Device code flow (RFC 8628): for devices without a browser; the user enters a code on another device."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from urllib.parse import urlencode

import attrs

from coze_api._core._decode import read
from coze_api._core._http import HTTPResponse
from coze_api._core._secrets import hidden_text
from coze_api.models import OAuthErrorCode, OAuthGrantType
from coze_api.operations import oauth

from .._retry_policy import RetryPolicy
from .._sleep import sleep_async
from ..errors import (
    APIConnectionError,
    APIError,
    DecodeError,
    DeviceCancelled,
    DeviceExpired,
    DeviceTimeout,
    OAuthError,
)
from ._app_config import FromFile
from ._flow_async import AsyncOAuthFlow
from ._flow_base import RefreshingFlow
from ._oauth_errors import to_oauth_error
from ._token import Token
from ._token_endpoint_async import AsyncTokenEndpoint
from ._token_request import TokenRequest, request_token

__all__ = ["AsyncDeviceOAuth", "DeviceCode"]

_INTERVAL = 5.0
_SLOW_DOWN = 5.0
_MAX_INTERVAL = 30.0
_CANCEL_CHECK_INTERVAL = 0.25
_MAX_LIFETIME = 100_000_000  # no code is valid for three years

_now = time.monotonic


@attrs.frozen(kw_only=True)
class DeviceCode:
    """The code that a device shows to its user.

    Attributes:
        user_code: Code that the user enters.
        verification_uri: URL of the page to enter it on.
        verification_url: The same URL with the code in it, for links and QR codes.
        expires_at: When the code expires, by the clock of this machine.
        interval: Seconds between two polls for the token.
    """

    user_code: str
    verification_uri: str
    expires_at: datetime
    interval: float
    _device_code: str = attrs.field(repr=False, converter=hidden_text)
    _until: float = attrs.field(repr=False)

    @property
    def verification_url(self) -> str:
        """The URL with the code in it."""
        separator = "&" if "?" in self.verification_uri else "?"
        query = urlencode({"user_code": self.user_code}, errors="replace")  # half of a surrogate pair has no UTF-8
        return f"{self.verification_uri}{separator}{query}"


class _Device(FromFile, RefreshingFlow):
    _kind = "device"

    def __init__(
        self,
        client_id: str,
        *,
        base_url: str | None = None,
        allow_http: bool = False,
        http_client: Any = None,
    ) -> None:
        """Describe the app.

        Args:
            client_id: Id of the app, from its settings.
            base_url: `COZE_COM`, `COZE_CN` or another URL. Default: COZE_API_BASE, else `COZE_COM`.
            allow_http: Whether *base_url* may be an unencrypted address of another machine.
            http_client: Your own httpx client, with proxies and so on. Closing it is up to you.

        Raises:
            InvalidArgumentError: An argument is invalid.
        """
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)

    def _device_request(self, workspace_id: str | None) -> TokenRequest:
        if workspace_id is None:
            return TokenRequest(oauth.DEVICE_CODE, {"client_id": self.client_id})
        arguments = {"client_id": self.client_id, "workspace_id": workspace_id}
        return TokenRequest(oauth.DEVICE_CODE_WORKSPACE, arguments)

    def _parse_device_code(self, request: TokenRequest, http: HTTPResponse) -> DeviceCode:
        try:
            answer = read(request.operation, http)
        except APIError as error:
            failure = to_oauth_error(error, request.arguments)
        else:
            texts = (answer.device_code, answer.user_code, answer.verification_uri)
            if (
                all(isinstance(text, str | int) and text for text in texts)
                and isinstance(answer.expires_in, int)
                and abs(answer.expires_in) <= _MAX_LIFETIME
            ):
                interval = answer.interval if isinstance(answer.interval, int) and answer.interval > 0 else _INTERVAL
                return DeviceCode(
                    user_code=str(answer.user_code),  # a number, according to one page
                    verification_uri=str(answer.verification_uri),
                    expires_at=datetime.now(UTC) + timedelta(seconds=answer.expires_in),
                    interval=interval,
                    device_code=str(answer.device_code),
                    until=_now() + answer.expires_in,
                )
            failure = DecodeError("the response has no device code", operation=request.operation.id)
            del answer, texts
        raise failure

    def _poll_steps(self, code: DeviceCode, timeout: float | None) -> Generator[TokenRequest | float, Any, Token]:
        """Poll until there is a token or the flow ends. Yields token requests and numbers of seconds to sleep."""
        arguments = {
            "grant_type": OAuthGrantType.DEVICE_CODE,
            "client_id": self.client_id,
            "device_code": code._device_code,
        }
        request = TokenRequest(oauth.TOKEN, arguments)
        interval, deadline = code.interval, None if timeout is None else _now() + timeout
        while True:
            left = code._until - _now()
            if left <= 0:
                raise DeviceExpired(
                    "the user did not log in in time",
                    operation=oauth.TOKEN.id,
                    hint="Start again and show the user the new code.",
                )
            if deadline is not None and _now() + interval > deadline:
                yield max(min(deadline - _now(), left), 0.0)
                raise DeviceTimeout(f"the user did not log in within {timeout:g} s; the code is still valid")
            yield min(interval, left)
            try:
                return (yield from request_token(lambda _: request))
            except OAuthError as error:
                if error.reason == OAuthErrorCode.SLOW_DOWN:
                    interval = max(interval, min(interval + _SLOW_DOWN, _MAX_INTERVAL))
                elif not error.retryable:
                    raise
            except APIConnectionError:
                interval = max(interval, min(interval * 2, _MAX_INTERVAL))
            except APIError as error:
                if not error.retryable:
                    raise


class AsyncDeviceOAuth(_Device, AsyncOAuthFlow):
    """Device code flow: for a command line, a television or another device without its own browser.

    ```python
    device = AsyncDeviceOAuth(client_id)
    code = await device.start()
    print("Open", code.verification_url, "and check that it shows", code.user_code)
    token = await device.wait(code)
    coze = AsyncCoze(auth=device.auth(token, store=FileStore("tokens")))
    ```

    See https://www.coze.cn/open/docs/developer_guides/oauth_device_code.
    """

    async def start(self, *, workspace_id: str | None = None) -> DeviceCode:
        """Get the code and the URL to show to the user.

        Args:
            workspace_id: Limits the token to one workspace. Enterprise plans only.

        Raises:
            OAuthError: Coze rejected the request.
            CozeError: There was no response.
        """
        request = self._device_request(workspace_id)
        async with self._endpoint() as endpoint:
            http = await endpoint.send(request)
        return self._parse_device_code(request, http)

    async def wait(
        self,
        code: DeviceCode,
        *,
        timeout: float | None = None,
        cancel: Event | Callable[[], bool] | None = None,
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
        async with self._endpoint(RetryPolicy(max_retries=0)) as endpoint:
            result: Any = None
            while True:
                try:
                    step = steps.throw(result) if isinstance(result, Exception) else steps.send(result)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]  # a generator's result has no type
                if isinstance(step, TokenRequest):
                    result = await _try_send(endpoint, step)
                    continue
                await _sleep_cancelable(step, cancel)
                result = None

    async def refresh(self, token: Token) -> Token:
        """Get the next token. The refresh token of *token* stops working: keep the new one.

        Raises:
            InvalidGrant: The refresh token was used, has expired or was revoked: the user must log in again.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        return await self._drive(self._refreshing(token))


async def _try_send(endpoint: AsyncTokenEndpoint, request: TokenRequest) -> HTTPResponse | APIConnectionError:
    try:
        return await endpoint.send(request)
    except APIConnectionError as error:
        return error


async def _sleep_cancelable(seconds: float, cancel: Event | Callable[[], bool] | None) -> None:
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
        await sleep_async(pause)
