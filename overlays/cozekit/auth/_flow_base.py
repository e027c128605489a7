"""What all OAuth flows share. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from coze_api._core._client_config import ClientConfig
from coze_api._core._http import URL, HTTPResponse
from coze_api._core._request import Request
from coze_api.models import OAuthGrantType
from coze_api.operations import oauth

from .._config import require_https, resolve_base_url
from ..errors import InvalidArgumentError
from ._token import Token
from ._token_request import TokenRequest, request_token, require_ascii

if TYPE_CHECKING:
    from ._token_auth import TokenAuth
    from ._token_store import TokenStore

__all__ = ["OAuthFlowBase", "RefreshingFlow"]


class OAuthFlowBase:
    """An OAuth app, and one way in which it gets tokens. Does no I/O.

    Attributes:
        client_id: Id of the app.
    """

    def __init__(
        self,
        client_id: str,
        *,
        base_url: str | None,
        allow_http: bool,
        http_client: Any,
    ) -> None:
        require_ascii(client_id=client_id)
        self.client_id = client_id
        address = require_https(resolve_base_url(base_url), allow_http=allow_http)
        self._settings = ClientConfig(address, None, auth=None, timeout=None, headers=None)
        self._http_client = http_client

    @property
    def base_url(self) -> str:
        """URL of the service that the app belongs to."""
        return self._settings.base_url

    @property
    def default_key(self) -> str:
        """Default name of the token in stores."""
        return f"{self.client_id}@{URL(self.base_url).host}"

    def __repr__(self) -> str:
        settings = getattr(self, "_settings", None)  # not set if an argument was invalid
        return (
            f"{type(self).__name__}(client_id={self.client_id!r}, base_url={self.base_url!r})"
            if settings
            else "OAuthFlow()"
        )

    def address_of(self, request: Request) -> URL:
        """Return the URL of a request."""
        return self._settings._address(request)


class RefreshingFlow(OAuthFlowBase):
    """A flow whose tokens are refreshed by refresh tokens."""

    _secret: str | None = None

    def renewal(self, token: Token | None) -> Callable[[float], TokenRequest] | None:
        """Return a function that builds the request for the next token; None if the user must log in again."""
        if token is None or token.refresh_token is None:
            return None
        arguments = {
            "grant_type": OAuthGrantType.REFRESH_TOKEN,
            "client_id": self.client_id,
            "refresh_token": token.refresh_token,
        }
        return lambda _: TokenRequest(oauth.TOKEN, arguments, self._secret)

    def _refreshing(self, token: Token) -> Generator[TokenRequest, HTTPResponse, Token]:
        make = self.renewal(token)
        if make is None:
            raise InvalidArgumentError("the token has no refresh token; the user must log in again")
        return request_token(make)

    def auth(
        self, token: Token | None = None, *, store: TokenStore | None = None, key: str | None = None, leeway: float = 60
    ) -> TokenAuth:
        """Return an auth for `Coze(auth=…)` and `AsyncCoze(auth=…)` that refreshes the token automatically.

        Args:
            token: The first token. Default: the one in *store*.
            store: Stores the token for other processes and for the next start. Default: in memory only.
            key: Name of the token in the store. Each user's token needs its own name. Default: the app's id and host,
                for programs with one user.
            leeway: A token is refreshed this many seconds before it expires.
        """
        from ._token_auth import TokenAuth

        return TokenAuth(self, token, store=store, key=key, leeway=leeway)
