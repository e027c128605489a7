# @generated from _authorization_async.py by `python -m generator sync`; do not edit.
"""The Authorization header of a client, for connections that the HTTP client does not open."""

from __future__ import annotations

from coze_api import Client, operations
from coze_api._core._body import exchange
from coze_api._core._http import BODY_LIMIT, BodyLimit, HTTPRequest, make_timeout, map_exceptions
from coze_api._core._request import Request, add_headers

from ._authorization_async import authorization_request

__all__ = ["authorization_header", "authorization_request"]


def authorization_header(client: Client, request: Request) -> str:
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
    flow = auth.sync_auth_flow(built)
    try:
        step = next(flow)
        while step is not built:
            step = flow.send(exchange(client._http, step, auth=None))
    finally:
        flow.close()
    return str(built.headers.get("authorization", ""))


def _build(client: Client, request: Request) -> HTTPRequest:
    has_own_token = client._token is not None and client._auth is None
    headers = {"Authorization": f"Bearer {client._token}"} if has_own_token else {}
    add_headers(headers, client._headers, "headers")
    with map_exceptions:
        built = client._http.build_request("GET", client.base_url, headers=headers)
    built.extensions[BODY_LIMIT] = BodyLimit(client._max_response_bytes, operations.oauth.TOKEN.id)
    if request.timeout is not None:
        built.extensions["timeout"] = make_timeout(request.timeout).as_dict()
    return built
