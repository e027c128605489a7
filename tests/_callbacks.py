"""Callbacks as Coze sends them."""

from __future__ import annotations

import time

from coze_api.models import Callbacks

__all__ = ["TOKEN", "signed"]

TOKEN = "verify-me"


def signed(body: bytes, *, token: str = TOKEN, at: float | None = None, nonce: str = "abc") -> dict[str, str]:
    """Return the headers with which Coze would send *body*.

    Args:
        body: What is sent.
        token: The secret that sender and receiver share.
        at: When, in seconds since 1970. Default: now.
        nonce: What makes each signature different.
    """
    timestamp = str(int((time.time() if at is None else at) * 1000))
    names = Callbacks.signature.headers
    signature = Callbacks.signature.sign(timestamp=timestamp, nonce=nonce, token=token, body=body)
    return {names["timestamp"]: timestamp, names["nonce"]: nonce, names["signature"]: signature}
