"""Authorization by a browser: for web backends, which have a secret, and with PKCE for apps that cannot keep one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from coze_api._core._http import AsyncHTTPClient, HTTPClient
from coze_api._core._operation import Options
from coze_api._core._request import prepare
from coze_api._core._secrets import hidden
from coze_api.models import OAuthCodeChallengeMethod, OAuthGrantType, OAuthResponseType
from coze_api.operations import oauth

from ._app_config import FromFile
from ._flow import AsyncFlow, RefreshingFlow, SyncFlow
from ._redirect import challenge_of, check_state, parse_callback
from ._token import Token
from ._token_request import Grant, asking, given

__all__ = ["AsyncPKCEOAuth", "AsyncWebOAuth", "PKCEOAuth", "WebOAuth"]


class _CodeFlow(FromFile, RefreshingFlow):
    """A flow in which a browser brings a code."""

    redirect_uri: str | None

    def _address(self, state: str, workspace_id: str | None, challenge: Mapping[str, Any]) -> str:
        given(state=state, redirect_uri=self.redirect_uri)
        operation = oauth.AUTHORIZE if workspace_id is None else oauth.AUTHORIZE_WORKSPACE
        arguments = {
            "workspace_id": workspace_id,
            "response_type": OAuthResponseType.CODE,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": state,
            **challenge,
        }
        return str(self.address_of(prepare(operation, arguments, Options())))

    def _by_code(self, code: str, verifier: str | None = None) -> Callable[[float], Grant]:
        given(code=code, redirect_uri=self.redirect_uri)
        arguments = {
            "grant_type": OAuthGrantType.AUTHORIZATION_CODE,
            "code": code,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        return lambda _: Grant(oauth.TOKEN, arguments, self._secret)

    def check_state(self, came: str | None, sent: str) -> None:
        """Compare the state that came back with the one that was sent, in constant time.

        Raises:
            StateMismatch: They differ.
        """
        came, sent = hidden(came), hidden(sent)
        check_state(came, sent)

    def parse_callback(self, url: str, *, state: str) -> str:
        """Return the code from the address that the browser came back to, once its state is found to be right.

        Args:
            url: The address, or its path and query.
            state: The state that was sent with `authorize_url`.

        Raises:
            StateMismatch: Another state came back.
            AuthorizationDenied: The user refused.
            OAuthError: The address tells another failure, or has no code.
        """
        url, state = hidden(url), hidden(state)
        return parse_callback(url, state=state)


class _Web(_CodeFlow):
    _kind = "web"

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str | None = None,
        *,
        base_url: str | None = None,
        allow_http: bool = False,
        http_client: Any = None,
    ) -> None:
        """Describe the app.

        Args:
            client_id: Id of the app, from its settings.
            client_secret: Secret of the app.
            redirect_uri: Where the browser comes back to; one of those in the app's settings. Not needed to refresh.
            base_url: `COZE_COM`, `COZE_CN` or another address. Default: COZE_API_BASE, else `COZE_COM`.
            allow_http: Whether the address may be one without encryption that is not of this machine.
            http_client: An httpx client with proxies and so on of your own, which stays yours to close.

        Raises:
            InvalidArgumentError: An argument is unusable.
        """
        client_secret = hidden(client_secret)
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)
        given(client_secret=client_secret)
        self._secret = client_secret
        self.redirect_uri = redirect_uri

    def authorize_url(self, *, state: str, workspace_id: str | None = None) -> str:
        """Return the address to send the user's browser to.

        Args:
            state: Random text (`new_state`) to keep in the user's session, and to compare when the browser comes back.
            workspace_id: Limits the token to one workspace. Enterprise plans only.

        Raises:
            InvalidArgumentError: An argument is unusable.
        """
        state = hidden(state)
        return self._address(state, workspace_id, {})


class WebOAuth(_Web, SyncFlow):
    """Authorization code: a backend with a secret acts for the users of its web pages.

    ```python
    web = WebOAuth(client_id, client_secret, "https://app.example.com/callback")
    state = new_state()  # keep it in the session
    redirect(web.authorize_url(state=state))
    …
    token = web.exchange(web.parse_callback(request.url, state=state))
    coze = Coze(auth=web.auth(token, store=FileStore("tokens"), key=user_id))
    ```

    Tokens live for 15 minutes, refresh tokens for 30 days. See https://www.coze.cn/open/docs/developer_guides/oauth_code.
    """

    _http_client: HTTPClient | None

    def exchange(self, code: str) -> Token:
        """Get the token for a code, which works once.

        Raises:
            InvalidGrant: The code was used, has expired or was made for another app or redirect_uri.
            OAuthError: Coze gives no token for another reason.
            CozeError: No answer came.
        """
        code = hidden(code)
        return self._run(asking(self._by_code(code)))

    def refresh(self, token: Token) -> Token:
        """Get the next token. The refresh token of *token* stops working: keep the new one.

        Raises:
            InvalidGrant: The refresh token was used, has expired or was revoked: the user must log in again.
            OAuthError: Coze gives no token for another reason.
            CozeError: No answer came.
        """
        return self._run(self._refreshing(token))


class AsyncWebOAuth(_Web, AsyncFlow):
    """`WebOAuth` for use from an event loop."""

    _http_client: AsyncHTTPClient | None

    async def exchange(self, code: str) -> Token:
        """Get the token for a code. See `WebOAuth.exchange`."""
        code = hidden(code)
        return await self._run(asking(self._by_code(code)))

    async def refresh(self, token: Token) -> Token:
        """Get the next token. See `WebOAuth.refresh`."""
        return await self._run(self._refreshing(token))


class _PKCE(_CodeFlow):
    _kind = "pkce"

    def __init__(
        self,
        client_id: str,
        redirect_uri: str | None = None,
        *,
        base_url: str | None = None,
        allow_http: bool = False,
        http_client: Any = None,
    ) -> None:
        """Describe the app. The arguments are those of `WebOAuth`, without the secret."""
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)
        self.redirect_uri = redirect_uri

    def authorize_url(self, *, state: str, code_verifier: str, workspace_id: str | None = None) -> str:
        """Return the address to send the user's browser to, with the S256 challenge of the verifier.

        Args:
            state: Random text (`new_state`) to keep, and to compare when the browser comes back.
            code_verifier: Random text (`new_verifier`) to keep for `exchange`.
            workspace_id: Limits the token to one workspace. Enterprise plans only.

        Raises:
            InvalidArgumentError: An argument is unusable.
        """
        code_verifier, state = hidden(code_verifier), hidden(state)
        challenge = challenge_of(code_verifier)
        method = OAuthCodeChallengeMethod.S256
        return self._address(state, workspace_id, {"code_challenge": challenge, "code_challenge_method": method})

    def _with_verifier(self, code: str, code_verifier: str) -> Callable[[float], Grant]:
        challenge_of(code_verifier)
        return self._by_code(code, code_verifier)


class PKCEOAuth(_PKCE, SyncFlow):
    """Authorization code with PKCE: an app on the user's own machine, or in the browser, which cannot keep a secret.

    ```python
    pkce = PKCEOAuth(client_id, "http://127.0.0.1:8000/callback")
    state, verifier = new_state(), new_verifier()
    webbrowser.open(pkce.authorize_url(state=state, code_verifier=verifier))
    …
    token = pkce.exchange(pkce.parse_callback(came_back_to, state=state), code_verifier=verifier)
    coze = Coze(auth=pkce.auth(token, store=FileStore("tokens")))
    ```

    Tokens live for 15 minutes, refresh tokens for 30 days. See https://www.coze.cn/open/docs/developer_guides/oauth_pkce.
    """

    _http_client: HTTPClient | None

    def exchange(self, code: str, *, code_verifier: str) -> Token:
        """Get the token for a code, which works once, with the verifier whose challenge it was asked for with.

        Raises:
            InvalidGrant: The code was used, has expired or does not belong to app, redirect_uri and verifier.
            OAuthError: Coze gives no token for another reason.
            CozeError: No answer came.
        """
        code, code_verifier = hidden(code), hidden(code_verifier)
        return self._run(asking(self._with_verifier(code, code_verifier)))

    def refresh(self, token: Token) -> Token:
        """Get the next token. See `WebOAuth.refresh`."""
        return self._run(self._refreshing(token))


class AsyncPKCEOAuth(_PKCE, AsyncFlow):
    """`PKCEOAuth` for use from an event loop."""

    _http_client: AsyncHTTPClient | None

    async def exchange(self, code: str, *, code_verifier: str) -> Token:
        """Get the token for a code. See `PKCEOAuth.exchange`."""
        code, code_verifier = hidden(code), hidden(code_verifier)
        return await self._run(asking(self._with_verifier(code, code_verifier)))

    async def refresh(self, token: Token) -> Token:
        """Get the next token. See `WebOAuth.refresh`."""
        return await self._run(self._refreshing(token))
