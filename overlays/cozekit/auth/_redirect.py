"""OAuth redirects: states, PKCE, and the URL that the browser returns to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from urllib.parse import parse_qs, urlsplit

from coze_api._core._secrets import hidden
from coze_api.models import OAuthErrorCode, OAuthResponseType
from coze_api.operations import oauth

from ..errors import AuthorizationDenied, InvalidArgumentError, OAuthError, StateMismatch

__all__ = ["check_state", "challenge_of", "new_state", "new_verifier", "parse_callback"]

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CODE = str(OAuthResponseType.CODE)
_STATE = oauth.AUTHORIZE.arguments["state"].wire


def new_state() -> str:
    """Return a random state, to be kept in the user's session until the browser comes back."""
    return secrets.token_urlsafe(32)


def new_verifier() -> str:
    """Return a random code verifier for PKCE, to be kept until the code is exchanged."""
    return secrets.token_urlsafe(48)


def challenge_of(code_verifier: str) -> str:
    """Return the S256 challenge of a code verifier.

    Raises:
        InvalidArgumentError: The verifier does not consist of 43 to 128 letters, digits and ``-._~``.
    """
    code_verifier = hidden(code_verifier)
    if not _VERIFIER.fullmatch(str(code_verifier)):
        raise InvalidArgumentError("code_verifier must be 43 to 128 letters, digits and -._~ (see new_verifier)")
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_state(came: str | None, sent: str) -> None:
    """Compare the state of the redirect with the one that was sent, in constant time.

    Raises:
        StateMismatch: They differ.
        InvalidArgumentError: None was sent.
    """
    came, sent = hidden(came), hidden(sent)
    if not sent:
        raise InvalidArgumentError("state is empty: store the one passed to authorize_url in the user's session")
    if came is None or not hmac.compare_digest(came.encode(), sent.encode()):
        raise StateMismatch(
            "the state of the redirect is not the one that was sent: somebody else started this authorization, or the"
            " session was lost; send the user to authorize_url() again"
        )


def parse_callback(url: str, *, state: str) -> str:
    """Return the code of the URL that the browser was redirected to.

    Args:
        url: The URL, or its path and query.
        state: The state that was sent.

    Raises:
        StateMismatch: The URL has another state, or none that can be read. The rest of it is ignored then.
        AuthorizationDenied: The user denied access.
        OAuthError: The URL reports another error, or has no code, or several.
    """
    url, state = hidden(url), hidden(state)
    query = {name: [*map(hidden, values)] for name, values in parse_qs(_query(url)).items()}
    states, codes, errors = (query.get(name, []) for name in (_STATE, _CODE, "error"))
    check_state(states[0] if len(states) == 1 else None, state)
    if errors:
        denied = errors[0] in {OAuthErrorCode.ACCESS_DENIED, OAuthErrorCode.ACCESS_DENY}
        kind = AuthorizationDenied if denied else OAuthError
        message = " ".join(query.get("error_description", ["the redirect has no code"]))
        raise kind(message, operation=oauth.AUTHORIZE.id, reason=str(errors[0]))
    if len(codes) != 1:
        raise OAuthError("the redirect has no code, or several", operation=oauth.AUTHORIZE.id)
    return codes[0]


def _query(url: str) -> str:
    """Return the query of a URL; an empty string if it is not a valid URL."""
    try:
        return hidden(urlsplit(url).query)
    except ValueError:
        return ""
