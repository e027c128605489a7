"""Per-request authorization: with which token a request is sent, and whether once more."""

from __future__ import annotations

from coze_api._core._decode import code_of
from coze_api._core._http import HTTPRequest, HTTPResponse, may_be_sent_again
from coze_api._core._json import loads
from coze_api.errors import error_class

from .._retrying import HINT
from ..errors import AuthenticationError
from ._token import Token
from ._token_manager import TokenManager

__all__ = ["RequestAuthorizer"]

_MAX_ATTEMPTS = 3  # the second token may be that of another process, and rejected as well
_MAX_ERROR_BYTES = 4096
_REJECTED_HINT = (
    "Coze rejected a token that it issued just before, so no other one is requested in the next 30 seconds. Check that"
    " no proxy between you and Coze changes the Authorization header, and that the app is still enabled."
)


class RequestAuthorizer:
    """Authorizes one request. No I/O: sync and async clients share it."""

    def __init__(self, manager: TokenManager, request: HTTPRequest) -> None:
        self._manager = manager
        self._request = request
        self._token: Token | None = None
        self._left = _MAX_ATTEMPTS
        self._ended = False
        self._has_new_token = False

    def should_send(self) -> bool:
        """Return whether to send the request, for the first time or again. Call it once for each attempt."""
        self._left -= 1
        return not self._ended and self._left >= 0

    def needs_token(self) -> bool:
        """Return whether a token must be requested first; pass it to `set_token`."""
        self._token = self._manager.valid_token()
        return self._token is None

    def set_token(self, token: Token) -> None:
        """Set the token of this attempt."""
        self._token = token
        self._has_new_token = self._manager.issued_here(token)

    def authorized_request(self) -> HTTPRequest:
        """Return the request with the token. It is the last attempt unless `handle_response` allows another."""
        assert self._token is not None
        self._ended = True
        self._request.headers["Authorization"] = f"Bearer {self._token.access_token}"
        return self._request

    def should_inspect(self, response: HTTPResponse) -> bool:
        """Return whether a response may report that the token is invalid. Streams and files are not inspected."""
        kind = str(response.headers.get("content-type", ""))
        if response.status_code == 401 or kind.startswith("application/json"):
            return True
        self._succeeded(response)
        return False

    def handle_response(self, response: HTTPResponse) -> None:
        """Decide by a response, whose body was read, whether to send the request again."""
        if not _is_rejection(response):
            self._succeeded(response)
            return
        assert self._token is not None
        self._manager.mark_rejected(self._token)
        is_backing_off = self._manager.is_backing_off(self._token)
        if is_backing_off:
            response.extensions[HINT] = _REJECTED_HINT
        self._ended = is_backing_off or self._has_new_token or not may_be_sent_again(self._request)

    def _succeeded(self, response: HTTPResponse) -> None:
        if response.status_code < 300 and self._token is not None:  # the status of a WebSocket handshake is 101
            self._manager.mark_accepted(self._token)


def _is_rejection(response: HTTPResponse) -> bool:
    if response.status_code == 401:
        return True
    if len(response.content) > _MAX_ERROR_BYTES:
        return False
    try:
        answer = loads(response.content)
    except ValueError:
        return False
    code = code_of(answer) if isinstance(answer, dict) else 0
    return code != 0 and error_class(code, response.status_code) is AuthenticationError
