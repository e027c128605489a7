"""The browser's way to Coze and back: states, PKCE, and the address that it comes back to."""

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
        InvalidArgumentError: It is no code verifier: 43 to 128 letters, digits and ``-._~``.
    """
    code_verifier = hidden(code_verifier)
    if not _VERIFIER.fullmatch(str(code_verifier)):
        raise InvalidArgumentError("code_verifier must be 43 to 128 letters, digits and -._~ (see new_verifier)")
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_state(came: str | None, sent: str) -> None:
    """Compare the state that came back with the one that was sent, in constant time.

    Raises:
        StateMismatch: They differ.
        InvalidArgumentError: None was sent.
    """
    came, sent = hidden(came), hidden(sent)
    if not sent:
        raise InvalidArgumentError("state is empty: keep the one given to authorize_url in the user's session")
    if came is None or not hmac.compare_digest(came.encode(), sent.encode()):
        raise StateMismatch(
            "the state that came back is not the one that was sent: somebody else began this authorization, or the"
            " session was lost; send the user to authorize_url() again"
        )


def parse_callback(url: str, *, state: str) -> str:
    """Return the code from the address that the browser came back to.

    Args:
        url: The address, or its path and query.
        state: The state that was sent.

    Raises:
        StateMismatch: Another state came back, or none that can be read. Nothing else in the address counts then.
        AuthorizationDenied: The user refused.
        OAuthError: The address tells another failure, or has no code, or several.
    """
    url, state = hidden(url), hidden(state)
    answer = {name: [*map(hidden, values)] for name, values in parse_qs(_query(url)).items()}
    came, codes, told = (answer.get(name, []) for name in (_STATE, _CODE, "error"))
    check_state(came[0] if len(came) == 1 else None, state)
    if told:
        denied = told[0] in {OAuthErrorCode.ACCESS_DENIED, OAuthErrorCode.ACCESS_DENY}
        kind = AuthorizationDenied if denied else OAuthError
        why = " ".join(answer.get("error_description", ["the browser came back without a code"]))
        raise kind(why, operation=oauth.AUTHORIZE.id, reason=str(told[0]))
    if len(codes) != 1:
        raise OAuthError("the browser came back without a code, or with several", operation=oauth.AUTHORIZE.id)
    return codes[0]


def _query(url: str) -> str:
    """Return the query of an address; "" of what is none, such as one that somebody made up."""
    try:
        return hidden(urlsplit(url).query)
    except ValueError:
        return ""
