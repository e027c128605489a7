"""The Authorization header by itself, for connections that the HTTP client does not make."""

from __future__ import annotations

from coze_api._core._body import exchange, exchange_async
from coze_api._core._client_config import ClientConfig
from coze_api._core._http import (
    BODY_LIMIT,
    AsyncHTTPClient,
    Auth,
    BodyLimit,
    HTTPClient,
    HTTPRequest,
    make_timeout,
    map_exceptions,
)
from coze_api._core._request import Request, add_headers
from coze_api.operations import oauth

from .._client import Coze
from .._client_async import AsyncCoze

__all__ = ["async_authorization", "authorization"]


def authorization(coze: Coze) -> str:
    """Return the Authorization header that a client would send now, such as ``Bearer pat_…``; "" if none.

    The token is renewed first, if it has to be. Good for a WebSocket, or for handing a token to a browser.

    Raises:
        CozeError: There is no token, or no answer to the request for it.
    """
    request = _request()
    return coze._exchange(request, lambda: _authorise(coze._http, coze._auth, _built(coze, request)))


async def async_authorization(coze: AsyncCoze) -> str:
    """Return the Authorization header that an async client would send now. See `authorization`."""
    request = _request()
    return await coze._exchange(request, lambda: _aauthorise(coze._http, coze._auth, _built(coze, request)))


def _request() -> Request:
    """Return a request, which is not sent, for what it takes to authorise it to count as a call."""
    return Request(oauth.TOKEN, "GET", "", {})


def _built(coze: ClientConfig, request: Request) -> HTTPRequest:
    own = {} if coze._token is None or coze._auth is not None else {"Authorization": f"Bearer {coze._token}"}
    add_headers(own, coze._headers, "headers")
    with map_exceptions:
        built = coze._http.build_request("GET", coze.base_url, headers=own)
    built.extensions[BODY_LIMIT] = BodyLimit(coze._max_response_bytes, oauth.TOKEN.id)
    if request.timeout is not None:  # what a deadline has left
        built.extensions["timeout"] = make_timeout(request.timeout).as_dict()
    return built


def _authorise(http: HTTPClient, auth: Auth | None, request: HTTPRequest) -> str:
    """Return the Authorization header that a request would be sent with, by *auth* or else by that of the client."""
    auth = http.auth if auth is None else auth
    if auth is None:
        return str(request.headers.get("authorization", ""))
    flow = auth.sync_auth_flow(request)
    try:
        step = next(flow)
        while step is not request:
            step = flow.send(exchange(http, step, auth=None))
    finally:
        flow.close()
    return str(request.headers.get("authorization", ""))


async def _aauthorise(http: AsyncHTTPClient, auth: Auth | None, request: HTTPRequest) -> str:
    """Return the Authorization header that a request would be sent with. See `_authorise`."""
    auth = http.auth if auth is None else auth
    if auth is None:
        return str(request.headers.get("authorization", ""))
    flow = auth.async_auth_flow(request)
    try:
        step = await anext(flow)
        while step is not request:
            step = await flow.asend(await exchange_async(http, step, auth=None))
    finally:
        await flow.aclose()
    return str(request.headers.get("authorization", ""))
