"""How often a request is sent, and with which token."""

from __future__ import annotations

from coze_api._core._decode import code_of
from coze_api._core._http import HTTPRequest, HTTPResponse, may_be_sent_again
from coze_api._core._json import loads
from coze_api.errors import error_class

from .._retrying import HINT
from ..errors import AuthenticationError
from ._token import Token
from ._token_manager import Renewals

__all__ = ["Attempts"]

_MOST = 3  # the second token may be that of another process, and refused as well
_LARGEST_REFUSAL = 4096
_FUTILE = (
    "Coze does not take a token that it gave out only now, so no other is asked for in the next 30 seconds. Check that"
    " whatever stands between you and Coze leaves the Authorization header as it is, and that the app is still enabled."
)


class Attempts:
    """The attempts at one request. No I/O: sync and async clients share it."""

    def __init__(self, renewals: Renewals, request: HTTPRequest) -> None:
        self._renewals = renewals
        self._request = request
        self._token: Token | None = None
        self._left = _MOST
        self._ended = False
        self._renewed = False

    def go_on(self) -> bool:
        """Tell whether to send the request, for the first time or again. To be asked once for each attempt."""
        self._left -= 1
        return not self._ended and self._left >= 0

    def lack_token(self) -> bool:
        """Tell whether a token must be got first, which `take` takes."""
        self._token = self._renewals.usable()
        return self._token is None

    def take(self, token: Token) -> None:
        """Take a token for this attempt."""
        self._token = token
        self._renewed = self._renewals.is_own(token)

    def authorised(self) -> HTTPRequest:
        """Return the request with the token. Unless its answer is judged, it was the last attempt."""
        assert self._token is not None
        self._ended = True
        self._request.headers["Authorization"] = f"Bearer {self._token.access_token}"
        return self._request

    def must_read(self, response: HTTPResponse) -> bool:
        """Tell whether an answer may say that the token is wrong. Streams and files are not looked into."""
        kind = str(response.headers.get("content-type", ""))
        if response.status_code == 401 or kind.startswith("application/json"):
            return True
        self._succeeded(response)
        return False

    def judge(self, response: HTTPResponse) -> None:
        """Decide by an answer, whose body was read, whether to try again."""
        if not _refuses(response):
            self._succeeded(response)
            return
        assert self._token is not None
        self._renewals.refused(self._token)
        futile = self._renewals.is_futile(self._token)
        if futile:
            response.extensions[HINT] = _FUTILE
        self._ended = futile or self._renewed or not may_be_sent_again(self._request)

    def _succeeded(self, response: HTTPResponse) -> None:
        if response.status_code < 300 and self._token is not None:  # that of a WebSocket's handshake is 101
            self._renewals.accepted(self._token)


def _refuses(response: HTTPResponse) -> bool:
    if response.status_code == 401:
        return True
    if len(response.content) > _LARGEST_REFUSAL:
        return False
    try:
        answer = loads(response.content)
    except ValueError:
        return False
    code = code_of(answer) if isinstance(answer, dict) else 0
    return code != 0 and error_class(code, response.status_code) is AuthenticationError
