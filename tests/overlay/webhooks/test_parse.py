"""Callbacks that are verified and decoded without a server."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cozekit
from coze_api import Unknown
from coze_api.models import BotDeletedCallback, Callbacks
from cozekit import webhooks
from cozekit.errors import CozeError, InvalidArgumentError
from tests._callbacks import TOKEN, signed

BODY = json.dumps({"header": {"event_type": "bot.deleted", "event_id": "e1"}, "event": {"bot_id": "7"}}).encode()


def test_signed_callback_is_decoded() -> None:
    """A callback with a valid signature is decoded to the message of its kind."""
    message = webhooks.parse(signed(BODY), BODY, token=TOKEN)
    assert isinstance(message, BotDeletedCallback)
    assert message.event.bot_id == "7"


def test_headers_may_be_pairs_of_bytes() -> None:
    """Headers may be pairs of bytes in lower case, as in ASGI."""
    pairs = [(name.lower().encode(), value.encode()) for name, value in signed(BODY).items()]
    assert isinstance(webhooks.parse(pairs, BODY, token=TOKEN), BotDeletedCallback)


def test_one_url_may_serve_several_apps() -> None:
    """The token of any configured app is valid, and that of another app is not."""
    assert isinstance(webhooks.parse(signed(BODY), BODY, token=["old", TOKEN]), BotDeletedCallback)
    with pytest.raises(webhooks.InvalidSignature, match="verify_token of the app"):
        webhooks.parse(signed(BODY), BODY, token=["old", "older"])


@pytest.mark.parametrize("name", list(Callbacks.signature.headers.values()))
def test_missing_signature_header_is_named(name: str) -> None:
    """A callback without all signature headers is rejected, and the error names the missing one."""
    headers = signed(BODY)
    del headers[name]
    with pytest.raises(webhooks.InvalidSignature, match=name) as caught:
        webhooks.parse(headers, BODY, token=TOKEN)
    assert caught.value.status == 401


@given(at=st.integers(0, len(BODY) - 1), by=st.integers(1, 255))
def test_changed_byte_is_rejected(at: int, by: int) -> None:
    """A body with one changed byte is rejected, wherever the byte is."""
    spoiled = bytearray(BODY)
    spoiled[at] ^= by
    with pytest.raises(webhooks.WebhookError):
        webhooks.parse(signed(BODY), bytes(spoiled), token=TOKEN)


def test_length_extension_is_rejected() -> None:
    """A body that is extended by the hash's padding is rejected, even with the signature that matches it."""
    length = len("1749038258245abc" + TOKEN) + len(BODY)
    padding = b"\x80" + b"\x00" * ((55 - length) % 64) + (8 * length).to_bytes(8, "big")
    longer = BODY + padding + b'{"header": {"event_type": "bot.published"}}'
    with pytest.raises(webhooks.MalformedCallback):
        webhooks.parse(signed(longer), longer, token=TOKEN)


@pytest.mark.parametrize(
    ("age", "message"), [(600.0, "600 s old"), (-600.0, "600 s ahead of this machine's clock")], ids=["old", "future"]
)
def test_max_age_rejects_old_callbacks(age: float, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With max_age a callback from another time is rejected, and without it is accepted."""
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    headers = signed(BODY, at=1_800_000_000.0 - age)
    assert isinstance(webhooks.parse(headers, BODY, token=TOKEN), BotDeletedCallback)
    assert isinstance(webhooks.parse(headers, BODY, token=TOKEN, max_age=601), BotDeletedCallback)
    with pytest.raises(webhooks.StaleCallback, match=message):
        webhooks.parse(headers, BODY, token=TOKEN, max_age=599)


def test_moved_digits_exceed_max_age() -> None:
    """A signature also matches if digits move from the timestamp to the nonce, but then max_age rejects the timestamp."""
    headers = signed(BODY, nonce="123")
    names = Callbacks.signature.headers
    moved = {
        **headers,
        names["timestamp"]: headers[names["timestamp"]] + "1",
        names["nonce"]: "23",
    }
    assert isinstance(webhooks.parse(moved, BODY, token=TOKEN), BotDeletedCallback)
    with pytest.raises(webhooks.StaleCallback):
        webhooks.parse(moved, BODY, token=TOKEN, max_age=3600)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 200_000], ids=range(6))
def test_signed_body_that_is_no_object_is_malformed(body: bytes) -> None:
    """A signed body that is not a JSON object raises the error for malformed callbacks, never a JSON error."""
    with pytest.raises(webhooks.MalformedCallback):
        webhooks.parse(signed(body), body, token=TOKEN)


def test_unknown_callback_is_kept() -> None:
    """A callback of an unknown kind is returned with all its content."""
    body = b'{"header": {"event_type": "bot.cloned"}, "event": {"a": [1]}}'
    message = webhooks.parse(signed(body), body, token=TOKEN)
    assert isinstance(message, Unknown)
    assert message.raw["event"] == {"a": [1]}


def test_challenge_is_distinguished_from_callbacks() -> None:
    """A challenge is distinguished from callbacks, signed or not, and has the response to send."""
    body = b'{"challenge": "c-1"}'
    for headers in ({}, signed(body)):
        message = webhooks.parse(headers, body, token=TOKEN)
        assert isinstance(message, webhooks.Challenge)
        assert message.answer == {"challenge": "c-1"}


@pytest.mark.parametrize("token", ["", [], [""], [None]], ids=["empty", "none", "one-empty", "null"])
def test_missing_token_is_an_error(token: Any) -> None:
    """Without a token no signature can be verified, so an error is raised."""
    with pytest.raises(InvalidArgumentError, match="verify_token"):
        webhooks.parse(signed(BODY, token=""), BODY, token=token)


def test_body_must_be_bytes() -> None:
    """A decoded body is rejected, since its signature could not be verified."""
    with pytest.raises(InvalidArgumentError, match="bytes that were received"):
        webhooks.parse(signed(BODY), BODY.decode(), token=TOKEN)  # type: ignore[arg-type]  # that is the mistake


def test_errors_show_neither_token_nor_signature() -> None:
    """No error shows the token, or the signature that would be valid."""
    right = signed(BODY)[Callbacks.signature.headers["signature"]]
    with pytest.raises(CozeError) as caught:
        webhooks.parse({**signed(BODY), "x-coze-signature": "0" * 40}, BODY, token=TOKEN)
    assert TOKEN not in str(caught.value)
    assert right not in str(caught.value)


def test_replies_match_the_described_responses() -> None:
    """Each reply function returns the described response of a channel's app."""
    assert webhooks.approve(share_link="https://x.test").to_dict() == {
        "audit": {"audit_status": 2},
        "share_link": "https://x.test",
    }
    assert webhooks.reject("No pictures").to_dict() == {"audit": {"audit_status": 3, "reason": "No pictures"}}
    assert webhooks.in_review().to_dict() == {"audit": {"audit_status": 1}}


def test_all_names_resolve_and_are_sorted() -> None:
    """Every name in `__all__` can be imported, and the list is sorted."""
    assert sorted(webhooks.__all__) == webhooks.__all__ or webhooks.__all__ == dir(webhooks)
    for name in webhooks.__all__:
        assert getattr(webhooks, name).__name__ == name
    assert cozekit.webhooks is webhooks
