"""Authorization of devices without a browser: the user types in a code elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from urllib.parse import urlencode

import attrs

from coze_api._core._http import AsyncHTTPClient, HTTPClient, HTTPResponse
from coze_api._core._secrets import hidden_text
from coze_api.models import OAuthErrorCode, OAuthGrantType
from coze_api.operations import oauth

from .._client import Coze
from .._client_async import AsyncCoze
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
from ._flow import AsyncFlow, RefreshingFlow, SyncFlow, _asend, _send
from ._oauth_errors import refusal
from ._token import Token
from ._token_request import Grant, asking

__all__ = ["AsyncDeviceOAuth", "DeviceCode", "DeviceOAuth"]

_INTERVAL = 5.0
_SLOWER = 5.0
_SLOWEST = 30.0
_GLANCE = 0.25
_LONGEST = 100_000_000  # seconds: no code is valid for three years
"""Seconds between two looks at whether the caller wants to stop."""

_now = time.monotonic
_sleep = time.sleep


async def _asleep(seconds: float) -> Any:
    from anyio import sleep

    await sleep(seconds)


@attrs.frozen(kw_only=True)
class DeviceCode:
    """What a device shows to its user, and waits for the token with.

    Attributes:
        user_code: Code for the user to type in.
        verification_uri: Address of the page to type it in.
        verification_url: The same address with the code in it, for links and QR codes.
        expires_at: Until when the user has time, by the clock of this machine.
        interval: Seconds between two questions for the token.
    """

    user_code: str
    verification_uri: str
    expires_at: datetime
    interval: float
    _device_code: str = attrs.field(repr=False, converter=hidden_text)
    _until: float = attrs.field(repr=False)

    @property
    def verification_url(self) -> str:
        """The address with the code in it."""
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
        """Describe the app. The arguments are those of `WebOAuth`, without secret and redirect_uri."""
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)

    def _begin(self, workspace_id: str | None) -> Grant:
        if workspace_id is None:
            return Grant(oauth.DEVICE_CODE, {"client_id": self.client_id})
        arguments = {"client_id": self.client_id, "workspace_id": workspace_id}
        return Grant(oauth.DEVICE_CODE_WORKSPACE, arguments)

    def _begun(self, grant: Grant, http: HTTPResponse) -> DeviceCode:
        try:
            answer = self._answer(http, grant.operation)
        except APIError as error:
            failure = refusal(error, grant.arguments)
        else:
            texts = (answer.device_code, answer.user_code, answer.verification_uri)
            if (
                all(isinstance(text, str | int) and text for text in texts)
                and isinstance(answer.expires_in, int)
                and abs(answer.expires_in) <= _LONGEST
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
            failure = DecodeError("the answer has no code for the device", operation=grant.operation.id)
            del answer, texts
        raise failure

    def _polling(self, code: DeviceCode, timeout: float | None) -> Generator[Grant | float, Any, Token]:
        """Ask until there is a token or an end. Yields what to send, and for how many seconds to sleep."""
        arguments = {
            "grant_type": OAuthGrantType.DEVICE_CODE,
            "client_id": self.client_id,
            "device_code": code._device_code,
        }
        grant = Grant(oauth.TOKEN, arguments)
        interval, deadline = code.interval, None if timeout is None else _now() + timeout
        while True:
            left = code._until - _now()
            if left <= 0:
                raise DeviceExpired(
                    "the user did not finish in time",
                    operation=oauth.TOKEN.id,
                    hint="Start again, and show the user the new code.",
                )
            if deadline is not None and _now() + interval > deadline:
                yield max(min(deadline - _now(), left), 0.0)
                raise DeviceTimeout(f"the user did not finish within {timeout:g} s; the code is valid for longer")
            yield min(interval, left)
            try:
                return (yield from asking(lambda _: grant))
            except OAuthError as error:
                if error.reason == OAuthErrorCode.SLOW_DOWN:
                    interval = max(interval, min(interval + _SLOWER, _SLOWEST))
                elif not error.retryable:
                    raise
            except APIConnectionError:
                interval = max(interval, min(interval * 2, _SLOWEST))
            except APIError as error:
                if not error.retryable:
                    raise


class DeviceOAuth(_Device, SyncFlow):
    """Device code: a command line, a television or another device without a browser of its own.

    ```python
    device = DeviceOAuth(client_id)
    code = device.start()
    print("Open", code.verification_url, "and check that it shows", code.user_code)
    token = device.wait(code)
    coze = Coze(auth=device.auth(token, store=FileStore("tokens")))
    ```

    See https://www.coze.cn/open/docs/developer_guides/oauth_device_code.
    """

    _http_client: HTTPClient | None

    def start(self, *, workspace_id: str | None = None) -> DeviceCode:
        """Begin: get the code and the address to show to the user.

        Args:
            workspace_id: Limits the token to one workspace. Enterprise plans only.

        Raises:
            OAuthError: Coze gives no code.
            CozeError: No answer came.
        """
        grant = self._begin(workspace_id)
        with Coze(**self._client_options()) as coze:
            http = _send(coze, grant)
        return self._begun(grant, http)

    def wait(
        self, code: DeviceCode, *, timeout: float | None = None, cancel: Event | Callable[[], bool] | None = None
    ) -> Token:
        """Wait until the user has finished, asking as often as Coze wishes. A connection that breaks is no end.

        Args:
            code: What `start` returned.
            timeout: Seconds to wait at most. Default: until the code expires.
            cancel: Ends the waiting: an event that is set, or a function that returns True.

        Raises:
            DeviceDenied: The user refused.
            DeviceExpired: The code expired.
            DeviceTimeout: *timeout* passed. The code may still be valid: `wait` again.
            DeviceCancelled: *cancel* told to end.
            OAuthError: Coze gives no token for another reason.
        """
        steps = self._polling(code, timeout)
        with Coze(**self._client_options(), retry=0) as coze:
            answer: Any = None
            while True:
                try:
                    step = steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]  # a generator's result has no type
                answer = _outcome(coze, step) if isinstance(step, Grant) else _rest(step, cancel)

    def refresh(self, token: Token) -> Token:
        """Get the next token. See `WebOAuth.refresh`."""
        return self._run(self._refreshing(token))


class AsyncDeviceOAuth(_Device, AsyncFlow):
    """`DeviceOAuth` for use from an event loop."""

    _http_client: AsyncHTTPClient | None

    async def start(self, *, workspace_id: str | None = None) -> DeviceCode:
        """Begin. See `DeviceOAuth.start`."""
        grant = self._begin(workspace_id)
        async with AsyncCoze(**self._client_options()) as coze:
            http = await _asend(coze, grant)
        return self._begun(grant, http)

    async def wait(self, code: DeviceCode, *, timeout: float | None = None) -> Token:  # noqa: ASYNC109 (as DeviceOAuth)
        """Wait until the user has finished. See `DeviceOAuth.wait`; cancel the task to end the waiting."""
        steps = self._polling(code, timeout)
        async with AsyncCoze(**self._client_options(), retry=0) as coze:
            answer: Any = None
            while True:
                try:
                    step = steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]  # a generator's result has no type
                if isinstance(step, Grant):
                    answer = await _aoutcome(coze, step)
                else:
                    answer = await _asleep(step)

    async def refresh(self, token: Token) -> Token:
        """Get the next token. See `WebOAuth.refresh`."""
        return await self._run(self._refreshing(token))


def _outcome(coze: Coze, grant: Grant) -> HTTPResponse | APIConnectionError:
    try:
        return _send(coze, grant)
    except APIConnectionError as error:
        return error


async def _aoutcome(coze: AsyncCoze, grant: Grant) -> HTTPResponse | APIConnectionError:
    try:
        return await _asend(coze, grant)
    except APIConnectionError as error:
        return error


def _rest(seconds: float, cancel: Event | Callable[[], bool] | None) -> Any:
    """Sleep, unless told to stop.

    Raises:
        DeviceCancelled: Told to stop.
    """
    asked = cancel.is_set if isinstance(cancel, Event) else cancel
    while True:
        if asked is not None and asked():
            raise DeviceCancelled("the caller stopped waiting for the user")
        if seconds <= 0:
            return
        nap = seconds if asked is None else min(seconds, _GLANCE)
        seconds -= nap
        _sleep(nap)
