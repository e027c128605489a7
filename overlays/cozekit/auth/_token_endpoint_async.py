"""The token endpoint of Coze: sends token requests, with retries and without a token."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from coze_api import AsyncClient
from coze_api._core._decode import read
from coze_api._core._http import AsyncHTTPClient, Auth, HTTPResponse

from .._http_client import validate_http_client
from .._retry_policy import RetryPolicy
from .._retrying_async import AsyncRetrying
from ..errors import APIError
from ._token_request import TokenRequest

__all__ = ["AsyncTokenEndpoint"]


class AsyncTokenEndpoint:
    """Sends token requests to one service.

    Args:
        base_url: URL of the service.
        http_client: An HTTP client of the caller, which stays open.
        policy: How failed requests are retried.
    """

    def __init__(self, base_url: str, http_client: AsyncHTTPClient | None, policy: RetryPolicy) -> None:
        # An auth that does nothing: a token of the HTTP client must not go with a token request.
        own_client = validate_http_client(http_client, AsyncHTTPClient)
        self._client = AsyncClient(base_url, auth=Auth(), http_client=own_client)
        self._policy = policy

    async def send(self, token_request: TokenRequest) -> HTTPResponse:
        """Send a token request and return the response, also if Coze rejected the request.

        Raises:
            CozeError: There was no response.
        """
        request = token_request.request()
        responses: list[HTTPResponse] = []

        async def attempt() -> HTTPResponse:
            responses.clear()
            http = await self._client._send(request, follow_redirects=False)  # its secrets are for this address only
            responses.append(http)
            read(token_request.operation, http)
            return http

        retrying = AsyncRetrying(self._policy, None, self._client.base_url, self._client._http.timeout)
        try:
            return await retrying.call(request, attempt)
        except APIError:
            if not responses:
                raise
            return responses[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.close()
