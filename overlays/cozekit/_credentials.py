"""What authorises the requests of a client."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from coze_api._core._http import AsyncHTTPClient, Auth, HTTPClient, HTTPRequest, HTTPResponse
from coze_api._core._secrets import hidden

from ._config import base_url_in_environment, base_url_or_default, checked_scheme, checked_token, token_or_default
from .errors import InvalidArgumentError

__all__ = ["AsyncTokenFunction", "TokenFunction", "address_of", "authorisation", "or_profile"]


class TokenFunction(Auth):
    """Asks for the token before each request, for tokens that somebody else refreshes."""

    def __init__(self, source: Callable[[], Any]) -> None:
        self._source = source
        if inspect.iscoroutinefunction(source):
            self._refuse_async()

    def auth_flow(self, request: HTTPRequest) -> Any:
        given = hidden(self._source())
        if inspect.isawaitable(given):
            if inspect.iscoroutine(given):
                given.close()  # it would warn that nobody awaited it
            self._refuse_async()
        _authorise(request, given)
        yield request

    def _refuse_async(self) -> None:
        raise InvalidArgumentError("the function given as token is async: use AsyncCoze, or a plain function")


class AsyncTokenFunction(Auth):
    """Does the same for async clients, whose function may be async."""

    def __init__(self, source: Callable[[], Any]) -> None:
        self._source = source

    async def async_auth_flow(self, request: HTTPRequest) -> AsyncGenerator[HTTPRequest, HTTPResponse]:
        given = hidden(self._source())
        _authorise(request, hidden(await given) if inspect.isawaitable(given) else given)
        yield request


def _authorise(request: HTTPRequest, given: object) -> None:
    token = checked_token(given)
    if not token:
        raise InvalidArgumentError("the function given as token returned none")
    request.headers["Authorization"] = f"Bearer {token}"


def address_of(base_url: str | None, auth: Auth | None, *, allow_http: bool) -> str:
    """Return the address of the service: what is given, else that of the strategy, else the environment's.

    Raises:
        InvalidArgumentError: A token could be read on the way there, or the strategy's tokens are for another service.
    """
    own = getattr(auth, "base_url", None)
    if base_url and isinstance(own, str) and own.rstrip("/") != str(base_url).rstrip("/"):
        raise InvalidArgumentError(
            f"the tokens of auth are for {own}, not for {base_url}: give base_url to the strategy alone"
        )
    return checked_scheme(base_url or own or base_url_or_default(None), allow_http=allow_http or isinstance(own, str))


def authorisation(
    token: str | Callable[[], str] | Callable[[], Awaitable[str]] | None,
    auth: Auth | None,
    http_client: HTTPClient | AsyncHTTPClient | None,
    function: type[TokenFunction | AsyncTokenFunction],
) -> dict[str, Any]:
    """Choose what authorises requests: what is given here, else what the HTTP client has, else the environment.

    Raises:
        InvalidArgumentError: There is nothing, too much, or something unusable.
    """
    given: object = auth
    if given is not None and not isinstance(given, Auth):
        of_flow = "; a flow makes one by its method auth()" if hasattr(given, "auth") else ""
        raise InvalidArgumentError(
            f"auth must be a strategy of cozekit.auth or another httpx.Auth, not {type(given).__name__}{of_flow}"
        )
    if auth is not None and token is not None:
        raise InvalidArgumentError("give either token or auth, not both")
    if callable(token):
        return {"token": None, "auth": function(token)}
    if auth is not None:
        return {"token": None, "auth": auth}
    has_auth = http_client is not None and http_client.auth is not None
    if token is None and _authorises(http_client):
        return {"token": None, "auth": None}
    found = token_or_default(token)
    if found is not None and has_auth:
        return {"token": None, "auth": function(lambda: found)}  # a mere header would lose against the other
    if found is None and http_client is None:
        raise InvalidArgumentError(
            "no access token: run `cozekit login`, set COZE_API_TOKEN, or give token= or auth=; tokens are made on "
            "https://www.coze.com/open/oauth/pats or https://www.coze.cn/open/oauth/pats"
        )
    return {"token": found, "auth": None}


def or_profile(token: Any, auth: Auth | None, base_url: str | None, http_client: Any) -> tuple[Any, Any, str | None]:
    """Return token, auth and address: those given, else those of the profile that `cozekit login` made.

    A profile is looked for if nothing else authorises: no argument, no variable, no HTTP client. One for another
    service than *base_url* or COZE_API_BASE counts as none: its token must not go there.

    Raises:
        CozeError: The profile, or the token in it, cannot be used.
    """
    given = token, auth, base_url
    if token is not None or auth is not None or token_or_default(None) or _authorises(http_client):
        return given
    from ._profiles import current_profile

    current = current_profile()
    if current is None:
        return given
    profile, profiles = current
    wanted = base_url or base_url_in_environment() or profile.base_url
    if wanted.rstrip("/") != profile.base_url.rstrip("/"):
        return given
    credentials = profile.credentials(profiles.store)
    return credentials.get("token"), credentials.get("auth"), profile.base_url


def _authorises(http_client: HTTPClient | AsyncHTTPClient | None) -> bool:
    return http_client is not None and (http_client.auth is not None or "authorization" in http_client.headers)
