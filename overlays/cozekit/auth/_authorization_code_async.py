"""Authorization code flow: for web backends with a client secret, and with PKCE for apps without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from coze_api._core._operation import Options
from coze_api._core._request import prepare
from coze_api._core._secrets import hidden
from coze_api.models import OAuthCodeChallengeMethod, OAuthGrantType, OAuthResponseType
from coze_api.operations import oauth

from ._app_config import FromFile
from ._flow_async import AsyncOAuthFlow
from ._flow_base import RefreshingFlow
from ._redirect import challenge_of, check_state, parse_callback
from ._token import Token
from ._token_request import TokenRequest, request_token, require_ascii

__all__ = ["AsyncPKCEOAuth", "AsyncWebOAuth"]


class _CodeFlow(FromFile, RefreshingFlow):
    """A flow in which a browser is redirected with a code."""

    redirect_uri: str | None

    def _address(self, state: str, workspace_id: str | None, challenge: Mapping[str, Any]) -> str:
        require_ascii(state=state, redirect_uri=self.redirect_uri)
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

    def _code_request(self, code: str, verifier: str | None = None) -> Callable[[float], TokenRequest]:
        require_ascii(code=code, redirect_uri=self.redirect_uri)
        arguments = {
            "grant_type": OAuthGrantType.AUTHORIZATION_CODE,
            "code": code,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        return lambda _: TokenRequest(oauth.TOKEN, arguments, self._secret)

    def check_state(self, came: str | None, sent: str) -> None:
        """Compare the state of the redirect with the one that was sent, in constant time.

        Raises:
            StateMismatch: They differ.
        """
        came, sent = hidden(came), hidden(sent)
        check_state(came, sent)

    def parse_callback(self, url: str, *, state: str) -> str:
        """Return the code of the URL that the browser was redirected to, after checking its state.

        Args:
            url: The URL, or its path and query.
            state: The state that was sent with `authorize_url`.

        Raises:
            StateMismatch: The URL has another state.
            AuthorizationDenied: The user denied access.
            OAuthError: The URL reports another error, or has no code.
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
            redirect_uri: URL that the browser is redirected to; one of those in the app's settings. Not needed to
                refresh.
            base_url: `COZE_COM`, `COZE_CN` or another URL. Default: COZE_API_BASE, else `COZE_COM`.
            allow_http: Whether *base_url* may be an unencrypted address of another machine.
            http_client: Your own httpx client, with proxies and so on. Closing it is up to you.

        Raises:
            InvalidArgumentError: An argument is invalid.
        """
        client_secret = hidden(client_secret)
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)
        require_ascii(client_secret=client_secret)
        self._secret = client_secret
        self.redirect_uri = redirect_uri

    def authorize_url(self, *, state: str, workspace_id: str | None = None) -> str:
        """Return the URL to open in the user's browser.

        Args:
            state: Random string (`new_state`). Store it in the user's session and compare it with that of the redirect.
            workspace_id: Limits the token to one workspace. Enterprise plans only.

        Raises:
            InvalidArgumentError: An argument is invalid.
        """
        state = hidden(state)
        return self._address(state, workspace_id, {})


class AsyncWebOAuth(_Web, AsyncOAuthFlow):
    """Authorization code flow: a backend with a client secret acts for the users of its web pages.

    ```python
    web = AsyncWebOAuth(client_id, client_secret, "https://app.example.com/callback")
    state = new_state()  # store it in the session
    redirect(web.authorize_url(state=state))
    …
    token = await web.exchange(web.parse_callback(request.url, state=state))
    coze = AsyncCoze(auth=web.auth(token, store=FileStore("tokens"), key=user_id))
    ```

    Tokens live for 15 minutes, refresh tokens for 30 days. See https://www.coze.cn/open/docs/developer_guides/oauth_code.
    """

    async def exchange(self, code: str) -> Token:
        """Exchange a code, which works once, for a token.

        Raises:
            InvalidGrant: The code was used, has expired, or belongs to another app or redirect_uri.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        code = hidden(code)
        return await self._drive(request_token(self._code_request(code)))

    async def refresh(self, token: Token) -> Token:
        """Get the next token. The refresh token of *token* stops working: store the new one.

        Raises:
            InvalidGrant: The refresh token was used, has expired or was revoked: the user must log in again.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        return await self._drive(self._refreshing(token))


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
        """Describe the app.

        Args:
            client_id: Id of the app, from its settings.
            redirect_uri: URL that the browser is redirected to; one of those in the app's settings. Not needed to
                refresh.
            base_url: `COZE_COM`, `COZE_CN` or another URL. Default: COZE_API_BASE, else `COZE_COM`.
            allow_http: Whether *base_url* may be an unencrypted address of another machine.
            http_client: Your own httpx client, with proxies and so on. Closing it is up to you.

        Raises:
            InvalidArgumentError: An argument is invalid.
        """
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)
        self.redirect_uri = redirect_uri

    def authorize_url(self, *, state: str, code_verifier: str, workspace_id: str | None = None) -> str:
        """Return the URL to open in the user's browser, with the S256 challenge of the verifier.

        Args:
            state: Random string (`new_state`). Store it and compare it with that of the redirect.
            code_verifier: Random string (`new_verifier`). Store it for `exchange`.
            workspace_id: Limits the token to one workspace. Enterprise plans only.

        Raises:
            InvalidArgumentError: An argument is invalid.
        """
        code_verifier, state = hidden(code_verifier), hidden(state)
        challenge = challenge_of(code_verifier)
        method = OAuthCodeChallengeMethod.S256
        return self._address(state, workspace_id, {"code_challenge": challenge, "code_challenge_method": method})

    def _with_verifier(self, code: str, code_verifier: str) -> Callable[[float], TokenRequest]:
        challenge_of(code_verifier)
        return self._code_request(code, code_verifier)


class AsyncPKCEOAuth(_PKCE, AsyncOAuthFlow):
    """Authorization code flow with PKCE: for an app on the user's machine or in the browser, without a client secret.

    ```python
    pkce = AsyncPKCEOAuth(client_id, "http://127.0.0.1:8000/callback")
    state, verifier = new_state(), new_verifier()
    webbrowser.open(pkce.authorize_url(state=state, code_verifier=verifier))
    …
    token = await pkce.exchange(pkce.parse_callback(redirected_url, state=state), code_verifier=verifier)
    coze = AsyncCoze(auth=pkce.auth(token, store=FileStore("tokens")))
    ```

    Tokens live for 15 minutes, refresh tokens for 30 days. See https://www.coze.cn/open/docs/developer_guides/oauth_pkce.
    """

    async def exchange(self, code: str, *, code_verifier: str) -> Token:
        """Exchange a code, which works once, for a token, with the verifier of its challenge.

        Raises:
            InvalidGrant: The code was used, has expired or does not belong to app, redirect_uri and verifier.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        code, code_verifier = hidden(code), hidden(code_verifier)
        return await self._drive(request_token(self._with_verifier(code, code_verifier)))

    async def refresh(self, token: Token) -> Token:
        """Get the next token. The refresh token of *token* stops working: store the new one.

        Raises:
            InvalidGrant: The refresh token was used, has expired or was revoked: the user must log in again.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        return await self._drive(self._refreshing(token))
