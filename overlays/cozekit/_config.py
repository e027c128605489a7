"""Defaults from the environment, and checks of tokens and base URLs."""

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
    "normalize_token",
    "require_https",
    "resolve_base_url",
    "resolve_token",
]

COZE_COM = "https://api.coze.com"
"""The international service. It accepts only tokens that were issued on www.coze.com."""

COZE_CN = "https://api.coze.cn"
"""The service in mainland China. It accepts only tokens that were issued on www.coze.cn."""

_TOKEN = "COZE_API_TOKEN"  # noqa: S105  (the name of a variable)
_BASE = "COZE_API_BASE"
_ENCRYPTED = {"http": "https", "ws": "wss"}


def resolve_base_url(base_url: str | None) -> str:
    """Return *base_url*, else COZE_API_BASE, else the international service."""
    return base_url or env_base_url() or COZE_COM


def env_base_url() -> str:
    """Return COZE_API_BASE, or ""."""
    return os.environ.get(_BASE, "").strip()


def resolve_token(token: str | None) -> str | None:
    """Return *token*, else COZE_API_TOKEN, else None.

    Raises:
        InvalidArgumentError: It cannot be a token.
    """
    return normalize_token(hidden(token if token is not None else os.environ.get(_TOKEN, ""))) or None


def normalize_token(token: object) -> str:
    """Return a token without surrounding white space, which is easily copied along with it.

    Raises:
        InvalidArgumentError: It is not a str, or contains invalid characters. Unlike the message of the HTTP library,
            this one does not quote the token.
    """
    if not isinstance(token, str):
        raise InvalidArgumentError(f"the access token must be a str, not {type(token).__name__}")
    token = hidden(token.strip())
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise InvalidArgumentError("the access token contains invalid characters; check for extra copied text")
    return token


def require_https(base_url: str, *, allow_http: bool) -> str:
    """Return a base URL to which a token may be sent: an encrypted one, or one of this machine.

    Raises:
        InvalidArgumentError: It is neither, and *allow_http* is false.
    """
    if allow_http or not isinstance(base_url, str):
        return base_url  # other types are rejected elsewhere
    try:
        url = urlsplit(base_url.strip())
        host = url.hostname or ""
    except ValueError:
        return base_url  # as are invalid URLs
    encrypted = _ENCRYPTED.get(url.scheme.lower())
    if encrypted is None or is_loopback(host):
        return base_url
    raise InvalidArgumentError(
        f"base_url must use {encrypted}:// (or pass allow_http=True): without encryption, the token can be read on the"
        f" way to {host or 'the service'}"
    )
