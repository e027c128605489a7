"""What the flows share: where they ask, and how they send."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from coze_api._core._client_config import ClientConfig
from coze_api._core._decode import read
from coze_api._core._http import URL, AsyncHTTPClient, Auth, HTTPClient, HTTPResponse
from coze_api._core._operation import Operation
from coze_api._core._request import Request
from coze_api.models import OAuthGrantType
from coze_api.operations import oauth

from .._config import require_https, resolve_base_url
from ..errors import APIError, InvalidArgumentError
from ._token import Token
from ._token_request import Grant, asking, given

if TYPE_CHECKING:
    from .._client import Coze
    from .._client_async import AsyncCoze
    from ._token_auth import TokenAuth
    from ._token_store import TokenStore

__all__ = ["AsyncFlow", "Flow", "RefreshingFlow", "SyncFlow"]

T = TypeVar("T")


class Flow:
    """An OAuth app, and one way in which it gets tokens. Decides; does no I/O.

    Attributes:
        client_id: Id of the app.
    """

    def __init__(
        self,
        client_id: str,
        *,
        base_url: str | None,
        allow_http: bool,
        http_client: HTTPClient | AsyncHTTPClient | None,
    ) -> None:
        given(client_id=client_id)
        self.client_id = client_id
        address = require_https(resolve_base_url(base_url), allow_http=allow_http)
        self._settings = ClientConfig(address, None, auth=None, timeout=None, headers=None)
        self._allow_http = allow_http
        self._http_client = http_client

    @property
    def base_url(self) -> str:
        """Address of the service that the app belongs to."""
        return self._settings.base_url

    @property
    def default_key(self) -> str:
        """Name under which stores keep the token, unless told otherwise."""
        return f"{self.client_id}@{URL(self.base_url).host}"

    def __repr__(self) -> str:
        settings = getattr(self, "_settings", None)  # none yet, where an argument was refused
        return (
            f"{type(self).__name__}(client_id={self.client_id!r}, base_url={self.base_url!r})" if settings else "Flow()"
        )

    def address_of(self, request: Request) -> URL:
        """Return where a request goes."""
        return self._settings._address(request)

    def _client_options(self) -> dict[str, Any]:
        # No token, not even that of the environment.
        options = {"auth": Auth(), "base_url": self.base_url, "allow_http": self._allow_http}
        return {**options, "http_client": self._http_client}

    def _answer(self, http: HTTPResponse, operation: Operation[T]) -> T:
        return read(operation, http)


class RefreshingFlow(Flow):
    """A flow whose tokens are refreshed by refresh tokens."""

    _secret: str | None = None

    def renewal(self, token: Token | None) -> Callable[[float], Grant] | None:
        """Return what makes the request for the token after *token*; None if only the user can help."""
        if token is None or token.refresh_token is None:
            return None
        arguments = {
            "grant_type": OAuthGrantType.REFRESH_TOKEN,
            "client_id": self.client_id,
            "refresh_token": token.refresh_token,
        }
        return lambda _: Grant(oauth.TOKEN, arguments, self._secret)

    def _refreshing(self, token: Token) -> Generator[Grant, HTTPResponse, Token]:
        make = self.renewal(token)
        if make is None:
            raise InvalidArgumentError("the token has no refresh token; the user must log in again")
        return asking(make)

    def auth(
        self, token: Token | None = None, *, store: TokenStore | None = None, key: str | None = None, leeway: float = 60
    ) -> TokenAuth:
        """Return a strategy for `Coze(auth=…)` and `AsyncCoze(auth=…)` that refreshes the token by itself.

        Args:
            token: The token to begin with. Default: what *store* has.
            store: Keeps the token, for other processes and for the next start. Default: in memory only.
            key: Name of the token in the store. Give each user's token a name of its own. Default: the app's id and
                host, for programs with one user.
            leeway: Seconds before it expires at which a token is renewed.
        """
        from ._token_auth import TokenAuth

        return TokenAuth(self, token, store=store, key=key, leeway=leeway)


class SyncFlow(Flow):
    """Sends for a flow."""

    def _run(self, steps: Generator[Grant, HTTPResponse, Token]) -> Token:
        from .._client import Coze

        with Coze(**self._client_options()) as coze:
            http: HTTPResponse | None = None
            while True:
                try:
                    grant = next(steps) if http is None else steps.send(http)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]  # a generator's result has no type
                http = _send(coze, grant)


class AsyncFlow(Flow):
    """Sends for a flow, from an event loop."""

    async def _run(self, steps: Generator[Grant, HTTPResponse, Token]) -> Token:
        from .._client_async import AsyncCoze

        async with AsyncCoze(**self._client_options()) as coze:
            http: HTTPResponse | None = None
            while True:
                try:
                    grant = next(steps) if http is None else steps.send(http)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]  # a generator's result has no type
                http = await _asend(coze, grant)


def _send(coze: Coze, grant: Grant) -> HTTPResponse:
    """Send with the patience of the client, and give the answer, be it a refusal.

    Raises:
        CozeError: No answer came.
    """
    request = grant.request()
    answers: list[HTTPResponse] = []

    def exchange() -> HTTPResponse:
        answers.clear()
        http = coze._send(request, follow_redirects=False)  # what is sent is a secret, and for this address only
        answers.append(http)
        read(grant.operation, http)
        return http

    try:
        return coze._exchange(request, exchange)
    except APIError:
        if not answers:
            raise
        return answers[0]


async def _asend(coze: AsyncCoze, grant: Grant) -> HTTPResponse:
    request = grant.request()
    answers: list[HTTPResponse] = []

    async def exchange() -> HTTPResponse:
        answers.clear()
        http = await coze._send(request, follow_redirects=False)
        answers.append(http)
        read(grant.operation, http)
        return http

    try:
        return await coze._exchange(request, exchange)
    except APIError:
        if not answers:
            raise
        return answers[0]
