# @generated from _flow_async.py by `python -m generator sync`; do not edit.
"""How OAuth flows send their requests."""

from __future__ import annotations

from collections.abc import Generator

from coze_api._core._http import HTTPClient, HTTPResponse

from .._retry_policy import RetryPolicy
from ._flow_base import OAuthFlowBase
from ._token import Token
from ._token_endpoint import TokenEndpoint
from ._token_request import TokenRequest

__all__ = ["OAuthFlow"]


class OAuthFlow(OAuthFlowBase):
    """An OAuth flow that sends its requests."""

    _http_client: HTTPClient | None

    def _endpoint(self, policy: RetryPolicy | None = None) -> TokenEndpoint:
        return TokenEndpoint(self.base_url, self._http_client, policy or RetryPolicy())

    def _drive(self, steps: Generator[TokenRequest, HTTPResponse, Token]) -> Token:
        with self._endpoint() as endpoint:
            http: HTTPResponse | None = None
            while True:
                try:
                    token_request = next(steps) if http is None else steps.send(http)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]  # a generator's result has no type
                http = endpoint.send(token_request)
