"""Selection of what authorizes the requests of a client."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, TypeAlias

from coze_api._core._http import AsyncHTTPClient, Auth, HTTPClient, HTTPRequest, HTTPResponse
from coze_api._core._secrets import hidden

from ._config import env_base_url, normalize_token, require_https, resolve_base_url, resolve_token
from .errors import InvalidArgumentError

__all__ = [
    "AsyncTokenSource",
    "TokenSource",
    "choose_base_url",
    "resolve_auth",
    "resolve_profile",
]

TokenSource: TypeAlias = str | Callable[[], str]
"""A token, or a function that returns one."""

AsyncTokenSource: TypeAlias = TokenSource | Callable[[], Awaitable[str]]
"""A token, or a function that returns one, which may be async."""

_IS_ASYNC = "the function passed as token is async: use AsyncCoze, or pass a sync function"


class TokenCallableAuth(Auth):
    """Calls a function for the token before each request, for tokens that are refreshed elsewhere."""

    def __init__(self, source: Callable[[], Any]) -> None:
        self._source = source

    def auth_flow(self, request: HTTPRequest) -> Generator[HTTPRequest, HTTPResponse, None]:
        token = hidden(self._source())
        if inspect.isawaitable(token):
            if inspect.iscoroutine(token):
                token.close()  # otherwise Python warns that it was never awaited
            raise InvalidArgumentError(_IS_ASYNC)
        _authorize(request, token)
        yield request

    async def async_auth_flow(self, request: HTTPRequest) -> AsyncGenerator[HTTPRequest, HTTPResponse]:
        token = hidden(self._source())
        _authorize(request, hidden(await token) if inspect.isawaitable(token) else token)
        yield request


def _authorize(request: HTTPRequest, token: object) -> None:
    text = normalize_token(token)
    if not text:
        raise InvalidArgumentError("the function passed as token returned an empty token")
    request.headers["Authorization"] = f"Bearer {text}"


def choose_base_url(base_url: str | None, auth: Auth | None, *, allow_http: bool) -> str:
    """Return the base URL of the service: *base_url*, else that of *auth*, else the default.

    Raises:
        InvalidArgumentError: It is unencrypted, or *auth* is configured for another service.
    """
    auth_url = getattr(auth, "base_url", None)
    if base_url and isinstance(auth_url, str) and auth_url.rstrip("/") != str(base_url).rstrip("/"):
        raise InvalidArgumentError(
            f"auth is configured for {auth_url} but base_url is {base_url}; set base_url on auth only"
        )
    allow_http = allow_http or isinstance(auth_url, str)  # auth has checked its own
    return require_https(base_url or auth_url or resolve_base_url(None), allow_http=allow_http)


def resolve_auth(
    token: AsyncTokenSource | None,
    auth: Auth | None,
    http_client: HTTPClient | AsyncHTTPClient | None,
    http_class: type[HTTPClient | AsyncHTTPClient],
) -> dict[str, Any]:
    """Return `token` and `auth` for the generated client.

    They come from the arguments, else from the HTTP client, else from the environment.

    Raises:
        InvalidArgumentError: There is no token, both *token* and *auth* were given, or one of them is invalid.
    """
    checked: object = auth
    if checked is not None and not isinstance(checked, Auth):
        hint = "; call its method auth() for one" if hasattr(checked, "auth") else ""
        raise InvalidArgumentError(
            f"auth must come from cozekit.auth or be another httpx.Auth, not {type(checked).__name__}{hint}"
        )
    if auth is not None and token is not None:
        raise InvalidArgumentError("pass either token or auth, not both")
    if callable(token):
        if http_class is HTTPClient and inspect.iscoroutinefunction(token):
            raise InvalidArgumentError(_IS_ASYNC)
        return {"token": None, "auth": TokenCallableAuth(token)}
    if auth is not None:
        return {"token": None, "auth": auth}
    if token is None and _has_auth(http_client):
        return {"token": None, "auth": None}
    text = resolve_token(token)
    if text is not None and http_client is not None and http_client.auth is not None:
        return {"token": None, "auth": TokenCallableAuth(lambda: text)}  # the auth of the client would replace a header
    if text is None and http_client is None:
        raise InvalidArgumentError(
            "no access token: run `cozekit login`, set COZE_API_TOKEN, or pass token= or auth=; create tokens on "
            "https://www.coze.com/open/oauth/pats or https://www.coze.cn/open/oauth/pats"
        )
    return {"token": text, "auth": None}


def resolve_profile(
    token: Any, auth: Auth | None, base_url: str | None, http_client: Any
) -> tuple[Any, Any, str | None]:
    """Return token, auth and base URL: the arguments, else those of the profile that `cozekit login` created.

    The profile is used only if nothing else authorizes requests: no argument, no environment variable, no HTTP client.
    A profile of another service than *base_url* or COZE_API_BASE is ignored: its token must not be sent there.

    Raises:
        CozeError: The profile, or its token, cannot be used.
    """
    arguments = token, auth, base_url
    if token is not None or auth is not None or resolve_token(None) or _has_auth(http_client):
        return arguments
    from ._profiles import current_profile

    current = current_profile()
    if current is None:
        return arguments
    profile, profiles = current
    url = base_url or env_base_url() or profile.base_url
    if url.rstrip("/") != profile.base_url.rstrip("/"):
        return arguments
    credentials = profile.credentials(profiles.store)
    return credentials.get("token"), credentials.get("auth"), profile.base_url


def _has_auth(http_client: HTTPClient | AsyncHTTPClient | None) -> bool:
    return http_client is not None and (http_client.auth is not None or "authorization" in http_client.headers)
