"""The Authorization header of a client, for connections that the HTTP client does not open."""

from __future__ import annotations

from coze_api import AsyncClient, operations
from coze_api._core._body import exchange_async
from coze_api._core._http import BODY_LIMIT, BodyLimit, HTTPRequest, make_timeout, map_exceptions
from coze_api._core._request import Request, add_headers

__all__ = ["authorization_header", "authorization_request"]


def authorization_request() -> Request:
    """Return a request that is not sent. By it, getting a token counts as a call with retries and a deadline."""
    return Request(operations.oauth.TOKEN, "GET", "", {})


async def authorization_header(client: AsyncClient, request: Request) -> str:
    """Return the Authorization header that a client would send; an empty string if none.

    Args:
        client: The client.
        request: The request of `authorization_request`, with the timeout that its deadline leaves.

    Raises:
        CozeError: There is no token, or no response to the token request.
    """
    built = _build(client, request)
    auth = client._http.auth if client._auth is None else client._auth
    if auth is None:
        return str(built.headers.get("authorization", ""))
    flow = auth.async_auth_flow(built)
    try:
        step = await anext(flow)
        while step is not built:
            step = await flow.asend(await exchange_async(client._http, step, auth=None))
    finally:
        await flow.aclose()
    return str(built.headers.get("authorization", ""))


def _build(client: AsyncClient, request: Request) -> HTTPRequest:
    has_own_token = client._token is not None and client._auth is None
    headers = {"Authorization": f"Bearer {client._token}"} if has_own_token else {}
    add_headers(headers, client._headers, "headers")
    with map_exceptions:
        built = client._http.build_request("GET", client.base_url, headers=headers)
    built.extensions[BODY_LIMIT] = BodyLimit(client._max_response_bytes, operations.oauth.TOKEN.id)
    if request.timeout is not None:
        built.extensions["timeout"] = make_timeout(request.timeout).as_dict()
    return built
