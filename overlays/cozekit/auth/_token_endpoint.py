# @generated from _token_endpoint_async.py by `python -m generator sync`; do not edit.
"""The token endpoint of Coze: sends token requests, with retries and without a token."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from coze_api import Client
from coze_api._core._decode import read
from coze_api._core._http import Auth, HTTPClient, HTTPResponse

from .._http_client import validate_http_client
from .._retry_policy import RetryPolicy
from .._retrying import Retrying
from ..errors import APIError
from ._token_request import TokenRequest

__all__ = ["TokenEndpoint"]


class TokenEndpoint:
    """Sends token requests to one service.

    Args:
        base_url: URL of the service.
        http_client: An HTTP client of the caller, which stays open.
        policy: How failed requests are retried.
    """

    def __init__(self, base_url: str, http_client: HTTPClient | None, policy: RetryPolicy) -> None:
        # An auth that does nothing: a token of the HTTP client must not go with a token request.
        own_client = validate_http_client(http_client, HTTPClient)
        self._client = Client(base_url, auth=Auth(), http_client=own_client)
        self._policy = policy

    def send(self, token_request: TokenRequest) -> HTTPResponse:
        """Send a token request and return the response, also if Coze rejected the request.

        Raises:
            CozeError: There was no response.
        """
        request = token_request.request()
        responses: list[HTTPResponse] = []

        def attempt() -> HTTPResponse:
            responses.clear()
            http = self._client._send(request, follow_redirects=False)  # its secrets are for this address only
            responses.append(http)
            read(token_request.operation, http)
            return http

        retrying = Retrying(self._policy, None, self._client.base_url, self._client._http.timeout)
        try:
            return retrying.call(request, attempt)
        except APIError:
            if not responses:
                raise
            return responses[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()
