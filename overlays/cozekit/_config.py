"""Where the client finds what it was not told."""

from __future__ import annotations

import os

__all__ = ["COZE_CN", "COZE_COM", "base_url_or_default", "token_or_default"]

COZE_COM = "https://api.coze.com"
"""The international service. Tokens issued on www.coze.com work here only."""

COZE_CN = "https://api.coze.cn"
"""The service in mainland China. Tokens issued on www.coze.cn work here only."""

_TOKEN = "COZE_API_TOKEN"  # noqa: S105  (the name of a variable)
_BASE = "COZE_API_BASE"


def base_url_or_default(given: str | None) -> str:
    """Return *given*, else COZE_API_BASE, else the international service."""
    return given or os.environ.get(_BASE) or COZE_COM


def token_or_default(given: str | None) -> str | None:
    """Return *given*, else COZE_API_TOKEN, else None. White space around a token is a slip of the clipboard."""
    token = (given if given is not None else os.environ.get(_TOKEN, "")).strip()
    return token or None
