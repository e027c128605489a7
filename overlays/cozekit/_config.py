"""Where the client finds what it was not told."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from coze_api._core._loopback import is_loopback
from coze_api._core._secrets import hidden

from .errors import InvalidArgumentError

__all__ = [
    "COZE_CN",
    "COZE_COM",
    "env_base_url",
    "resolve_base_url",
    "require_https",
    "normalize_token",
    "resolve_token",
]

COZE_COM = "https://api.coze.com"
"""The international service. Tokens issued on www.coze.com work here only."""

COZE_CN = "https://api.coze.cn"
"""The service in mainland China. Tokens issued on www.coze.cn work here only."""

_TOKEN = "COZE_API_TOKEN"  # noqa: S105  (the name of a variable)
_BASE = "COZE_API_BASE"
_ENCRYPTED = {"http": "https", "ws": "wss"}


def resolve_base_url(given: str | None) -> str:
    """Return *given*, else COZE_API_BASE, else the international service."""
    return given or env_base_url() or COZE_COM


def env_base_url() -> str:
    """Return COZE_API_BASE, or ""."""
    return os.environ.get(_BASE, "").strip()


def resolve_token(given: str | None) -> str | None:
    """Return *given*, else COZE_API_TOKEN, else None.

    Raises:
        InvalidArgumentError: It cannot be a token.
    """
    token = hidden(given if given is not None else os.environ.get(_TOKEN, ""))
    return normalize_token(token) or None


def normalize_token(token: object) -> str:
    """Return a token without white space around it, which is a slip of the clipboard.

    Raises:
        InvalidArgumentError: It is no text, or no token. The message does not show it, unlike that of the HTTP library.
    """
    if not isinstance(token, str):
        raise InvalidArgumentError(f"the access token must be a str, not {type(token).__name__}")
    token = hidden(token.strip())
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise InvalidArgumentError("the access token holds characters that no token has; was more copied than it?")
    return token


def require_https(base_url: str, *, allow_http: bool) -> str:
    """Return an address to which a token may be sent: one with encryption, or of this machine.

    Raises:
        InvalidArgumentError: It is neither, and was not allowed.
    """
    if allow_http or not isinstance(base_url, str):
        return base_url  # what is no text is refused elsewhere
    try:
        address = urlsplit(base_url.strip())
        host = address.hostname or ""
    except ValueError:
        return base_url  # as is what is no address
    encrypted = _ENCRYPTED.get(address.scheme.lower())
    if encrypted is None or is_loopback(host):
        return base_url
    raise InvalidArgumentError(
        f"base_url has no encryption, so everybody on the way to {host or 'it'} could read the token: use"
        f" {encrypted}://, or allow_http=True where you know the way"
    )
