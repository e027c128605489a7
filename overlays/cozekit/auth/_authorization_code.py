# @generated from _authorization_code_async.py by `python -m generator sync`; do not edit.
"""Authorization code flow: for web backends with a client secret, and with PKCE for apps without one."""

from __future__ import annotations

from coze_api._core._secrets import hidden

from ._authorization_code_async import _PKCE, _Web
from ._flow import OAuthFlow
from ._token import Token
from ._token_request import request_token

__all__ = ["PKCEOAuth", "WebOAuth"]


class WebOAuth(_Web, OAuthFlow):
    """Authorization code flow: a backend with a client secret acts for the users of its web pages.

    ```python
    web = WebOAuth(client_id, client_secret, "https://app.example.com/callback")
    state = new_state()  # store it in the session
    redirect(web.authorize_url(state=state))
    …
    token = web.exchange(web.parse_callback(request.url, state=state))
    coze = Coze(auth=web.auth(token, store=FileStore("tokens"), key=user_id))
    ```

    Tokens live for 15 minutes, refresh tokens for 30 days. See https://www.coze.cn/open/docs/developer_guides/oauth_code.
    """

    def exchange(self, code: str) -> Token:
        """Exchange a code, which works once, for a token.

        Raises:
            InvalidGrant: The code was used, has expired, or belongs to another app or redirect_uri.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        code = hidden(code)
        return self._drive(request_token(self._code_request(code)))

    def refresh(self, token: Token) -> Token:
        """Get the next token. The refresh token of *token* stops working: store the new one.

        Raises:
            InvalidGrant: The refresh token was used, has expired or was revoked: the user must log in again.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        return self._drive(self._refreshing(token))


class PKCEOAuth(_PKCE, OAuthFlow):
    """Authorization code flow with PKCE: for an app on the user's machine or in the browser, without a client secret.

    ```python
    pkce = PKCEOAuth(client_id, "http://127.0.0.1:8000/callback")
    state, verifier = new_state(), new_verifier()
    webbrowser.open(pkce.authorize_url(state=state, code_verifier=verifier))
    …
    token = pkce.exchange(pkce.parse_callback(redirected_url, state=state), code_verifier=verifier)
    coze = Coze(auth=pkce.auth(token, store=FileStore("tokens")))
    ```

    Tokens live for 15 minutes, refresh tokens for 30 days. See https://www.coze.cn/open/docs/developer_guides/oauth_pkce.
    """

    def exchange(self, code: str, *, code_verifier: str) -> Token:
        """Exchange a code, which works once, for a token, with the verifier of its challenge.

        Raises:
            InvalidGrant: The code was used, has expired or does not belong to app, redirect_uri and verifier.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        code, code_verifier = hidden(code), hidden(code_verifier)
        return self._drive(request_token(self._with_verifier(code, code_verifier)))

    def refresh(self, token: Token) -> Token:
        """Get the next token. The refresh token of *token* stops working: store the new one.

        Raises:
            InvalidGrant: The refresh token was used, has expired or was revoked: the user must log in again.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        return self._drive(self._refreshing(token))
