"""What authorizes the requests of a client."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from coze_api._core._http import AsyncHTTPClient, Auth, HTTPClient, HTTPRequest, HTTPResponse
from coze_api._core._secrets import hidden

from ._config import env_base_url, normalize_token, require_https, resolve_base_url, resolve_token
from .errors import InvalidArgumentError

__all__ = ["AsyncTokenCallableAuth", "TokenCallableAuth", "choose_base_url", "resolve_auth", "resolve_profile"]


class TokenCallableAuth(Auth):
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
        _authorize(request, given)
        yield request

    def _refuse_async(self) -> None:
        raise InvalidArgumentError("the function given as token is async: use AsyncCoze, or a plain function")


class AsyncTokenCallableAuth(Auth):
    """Does the same for async clients, whose function may be async."""

    def __init__(self, source: Callable[[], Any]) -> None:
        self._source = source

    async def async_auth_flow(self, request: HTTPRequest) -> AsyncGenerator[HTTPRequest, HTTPResponse]:
        given = hidden(self._source())
        _authorize(request, hidden(await given) if inspect.isawaitable(given) else given)
        yield request


def _authorize(request: HTTPRequest, given: object) -> None:
    token = normalize_token(given)
    if not token:
        raise InvalidArgumentError("the function given as token returned none")
    request.headers["Authorization"] = f"Bearer {token}"


def choose_base_url(base_url: str | None, auth: Auth | None, *, allow_http: bool) -> str:
    """Return the address of the service: what is given, else that of the strategy, else the environment's.

    Raises:
        InvalidArgumentError: A token could be read on the way there, or the strategy's tokens are for another service.
    """
    own = getattr(auth, "base_url", None)
    if base_url and isinstance(own, str) and own.rstrip("/") != str(base_url).rstrip("/"):
        raise InvalidArgumentError(
            f"the tokens of auth are for {own}, not for {base_url}: give base_url to the strategy alone"
        )
    return require_https(base_url or own or resolve_base_url(None), allow_http=allow_http or isinstance(own, str))


def resolve_auth(
    token: str | Callable[[], str] | Callable[[], Awaitable[str]] | None,
    auth: Auth | None,
    http_client: HTTPClient | AsyncHTTPClient | None,
    function: type[TokenCallableAuth | AsyncTokenCallableAuth],
) -> dict[str, Any]:
    """Choose what authorizes requests: what is given here, else what the HTTP client has, else the environment.

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
    if token is None and _has_auth(http_client):
        return {"token": None, "auth": None}
    found = resolve_token(token)
    if found is not None and has_auth:
        return {"token": None, "auth": function(lambda: found)}  # a mere header would lose against the other
    if found is None and http_client is None:
        raise InvalidArgumentError(
            "no access token: run `cozekit login`, set COZE_API_TOKEN, or give token= or auth=; tokens are made on "
            "https://www.coze.com/open/oauth/pats or https://www.coze.cn/open/oauth/pats"
        )
    return {"token": found, "auth": None}


def resolve_profile(
    token: Any, auth: Auth | None, base_url: str | None, http_client: Any
) -> tuple[Any, Any, str | None]:
    """Return token, auth and address: those given, else those of the profile that `cozekit login` made.

    A profile is looked for if nothing else authorizes: no argument, no variable, no HTTP client. One for another
    service than *base_url* or COZE_API_BASE counts as none: its token must not go there.

    Raises:
        CozeError: The profile, or the token in it, cannot be used.
    """
    given = token, auth, base_url
    if token is not None or auth is not None or resolve_token(None) or _has_auth(http_client):
        return given
    from ._profiles import current_profile

    current = current_profile()
    if current is None:
        return given
    profile, profiles = current
    wanted = base_url or env_base_url() or profile.base_url
    if wanted.rstrip("/") != profile.base_url.rstrip("/"):
        return given
    credentials = profile.credentials(profiles.store)
    return credentials.get("token"), credentials.get("auth"), profile.base_url


def _has_auth(http_client: HTTPClient | AsyncHTTPClient | None) -> bool:
    return http_client is not None and (http_client.auth is not None or "authorization" in http_client.headers)
