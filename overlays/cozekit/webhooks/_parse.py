"""Verifies and parses callbacks. No I/O."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from coze_api._core import _json
from coze_api._core._secrets import hidden
from coze_api.models import CallbackMessage, Callbacks

from ..errors import InvalidArgumentError
from ._errors import InvalidSignature, MalformedCallback, StaleCallback

__all__ = ["Challenge", "checked_tokens", "parse"]

_NAMES = Callbacks.signature.headers


@attrs.frozen
class Challenge:
    """Coze checks a URL that was set for an app. The response must be sent within three seconds.

    Attributes:
        value: Value to send back unchanged.
    """

    value: str

    @property
    def answer(self) -> dict[str, str]:
        """The body of the response, to be sent as JSON."""
        return {Callbacks.challenge: self.value}


def parse(
    headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    body: bytes,
    *,
    token: str | Iterable[str],
    max_age: float | None = None,
) -> CallbackMessage | Challenge:
    """Verify a request and decode it.

    Args:
        headers: Its headers, as a mapping or as pairs, of str or bytes, in upper or lower case.
        body: Its body exactly as received. JSON that was parsed and serialized again has another signature.
        token: The `verify_token` of the callback app; several if the URL serves several apps.
        max_age: Maximum of seconds between the time in the headers and now, against replays. Default: no limit, since
            it is not documented whether a callback that Coze sends again keeps its first time.

    Returns:
        The message, with `message.event` and `message.header`; its class shows the kind. A kind that is not described
        is an `Unknown`. Or a `Challenge`, to which you must respond; it may be unsigned.

    Raises:
        InvalidSignature: It is not from Coze, or for another app. Respond with 401.
        StaleCallback: It is older than *max_age*. Respond with 401.
        MalformedCallback: The body is not a JSON object. Respond with 400.
        InvalidArgumentError: There is no token, or the body is not bytes.

    See https://www.coze.cn/open/docs/dev_how_to_guides/receive_handle_callbacks.
    """
    token, headers = hidden(token if isinstance(token, str) else [*token]), hidden(headers)
    tokens = checked_tokens(token)
    if not isinstance(body, bytes | bytearray | memoryview):
        raise InvalidArgumentError(
            f"webhooks.parse: body must be the bytes that were received, not {type(body).__name__}"
        )
    body = bytes(body)
    challenge = _challenge(body)
    if challenge is not None:
        return challenge  # the response has only what the sender sent, so no signature is needed
    signature_headers = _signature_headers(headers)
    _check_signature(signature_headers, body, tokens)
    if max_age is not None:
        _check_age(signature_headers[_NAMES["timestamp"].lower()], max_age)
    # The signature is a plain hash, which allows length extension: an attacker can append the byte 0x80, zeros and more
    # content. 0x80 is not valid UTF-8 there, so the body must be decoded strictly.
    message = _object(body)
    if message is None:
        raise MalformedCallback("the body of the callback is not a JSON object")
    return Callbacks.messages.decode(message)


def checked_tokens(token: str | Iterable[str]) -> list[str]:
    """Return the tokens as a list.

    Raises:
        InvalidArgumentError: There is none.
    """
    tokens: list[Any] = [token] if isinstance(token, str) else [*token]
    token = tokens = hidden(tokens)
    if not tokens or not all(isinstance(each, str) and each for each in tokens):
        raise InvalidArgumentError(
            "webhooks: token must be the verify_token of the callback app, as api_apps.list returns it"
        )
    return tokens


def _signature_headers(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    wanted = {name.lower() for name in _NAMES.values()}  # others may be secrets of proxies
    return {key: _text(value) for name, value in pairs if (key := _text(name).lower()) in wanted}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _check_signature(signature_headers: Mapping[str, str], body: bytes, tokens: list[str]) -> None:
    missing = [name for name in _NAMES.values() if not signature_headers.get(name.lower())]
    if missing:
        raise InvalidSignature(f"the callback lacks {', '.join(missing)}: it is not from Coze, or a proxy dropped them")
    timestamp, nonce, signature = (
        signature_headers[_NAMES[part].lower()] for part in ("timestamp", "nonce", "signature")
    )
    right = False
    for token in tokens:  # all of them, so that the duration reveals nothing
        expected = Callbacks.signature.sign(timestamp=timestamp, nonce=nonce, token=token, body=body)
        right |= hmac.compare_digest(expected.encode(), signature.encode())
    if not right:
        raise InvalidSignature(
            "the signature of the callback is invalid: pass the verify_token of the app that it was sent to, "
            "and the body exactly as received"
        )


def _check_age(timestamp: str, max_age: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise StaleCallback("the time of the callback is not a number of milliseconds")
    age = time.time() - int(timestamp) / 1000
    if abs(age) > max_age:
        age_text = f"{age:.0f} s old" if age > 0 else f"{-age:.0f} s ahead of this machine's clock"
        raise StaleCallback(f"the callback is {age_text}; max_age is {max_age:g} s")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = _json.loads(body.decode())
    except (ValueError, RecursionError):  # unsigned bodies are parsed as well, and may be nested maliciously
        return None
    return value if isinstance(value, dict) else None


def _challenge(body: bytes) -> Challenge | None:
    value = (_object(body) or {}).get(Callbacks.challenge)
    return Challenge(value) if isinstance(value, str) else None
