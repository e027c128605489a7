"""The Authorization header by itself, for connections that the HTTP client does not make."""

from __future__ import annotations

from coze_api._core._http import authorise, authorise_async
from coze_api._core._settings import Settings

from .._client import AsyncCoze, Coze

__all__ = ["async_authorization", "authorization"]


def authorization(coze: Coze) -> str:
    """Return the Authorization header that a client would send now, such as ``Bearer pat_…``; "" if none.

    The token is renewed first, if it has to be. Good for a WebSocket, or for handing a token to a browser.

    Raises:
        CozeError: There is no token.
    """
    request = coze._http.build_request("GET", coze.base_url, headers=_headers(coze))
    return authorise(coze._http, coze._auth, request)


async def async_authorization(coze: AsyncCoze) -> str:
    """Return the Authorization header that an async client would send now. See `authorization`."""
    request = coze._http.build_request("GET", coze.base_url, headers=_headers(coze))
    return await authorise_async(coze._http, coze._auth, request)


def _headers(coze: Settings) -> dict[str, str]:
    own = {} if coze._token is None or coze._auth is not None else {"Authorization": f"Bearer {coze._token}"}
    return {**own, **coze._headers}
