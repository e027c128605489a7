"""Callbacks that are checked and read without a server."""

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


def test_a_signed_callback_is_decoded() -> None:
    """A callback that is signed rightly becomes the message of its kind."""
    message = webhooks.parse(signed(BODY), BODY, token=TOKEN)
    assert isinstance(message, BotDeletedCallback)
    assert message.event.bot_id == "7"


def test_headers_come_in_any_form() -> None:
    """Headers may be pairs of bytes in lower case, as ASGI has them."""
    pairs = [(name.lower().encode(), value.encode()) for name, value in signed(BODY).items()]
    assert isinstance(webhooks.parse(pairs, BODY, token=TOKEN), BotDeletedCallback)


def test_one_address_may_serve_several_apps() -> None:
    """The token of any app given is enough, and that of another is not."""
    assert isinstance(webhooks.parse(signed(BODY), BODY, token=["old", TOKEN]), BotDeletedCallback)
    with pytest.raises(webhooks.InvalidSignature, match="verify_token of the app"):
        webhooks.parse(signed(BODY), BODY, token=["old", "older"])


@pytest.mark.parametrize("name", list(Callbacks.signature.headers.values()))
def test_a_missing_header_is_named(name: str) -> None:
    """A callback without all headers of the signature is refused, and the error names the one that is missing."""
    headers = signed(BODY)
    del headers[name]
    with pytest.raises(webhooks.InvalidSignature, match=name) as caught:
        webhooks.parse(headers, BODY, token=TOKEN)
    assert caught.value.status == 401


@given(at=st.integers(0, len(BODY) - 1), by=st.integers(1, 255))
def test_every_byte_is_signed(at: int, by: int) -> None:
    """A body of which one byte was changed is refused, wherever it was changed."""
    spoiled = bytearray(BODY)
    spoiled[at] ^= by
    with pytest.raises(webhooks.WebhookError):
        webhooks.parse(signed(BODY), bytes(spoiled), token=TOKEN)


def test_what_can_be_appended_to_a_plain_hash_is_refused() -> None:
    """A body lengthened by the hash's own padding is refused even with the signature that fits it."""
    length = len("1749038258245abc" + TOKEN) + len(BODY)
    padding = b"\x80" + b"\x00" * ((55 - length) % 64) + (8 * length).to_bytes(8, "big")
    longer = BODY + padding + b'{"header": {"event_type": "bot.published"}}'
    with pytest.raises(webhooks.MalformedCallback):
        webhooks.parse(signed(longer), longer, token=TOKEN)


@pytest.mark.parametrize(
    ("age", "told"), [(600.0, "600 s old"), (-600.0, "600 s ahead of this machine's clock")], ids=["old", "future"]
)
def test_a_replay_window_can_be_set(age: float, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With max_age, a callback from another time is refused, and without it is taken."""
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    headers = signed(BODY, at=1_800_000_000.0 - age)
    assert isinstance(webhooks.parse(headers, BODY, token=TOKEN), BotDeletedCallback)
    assert isinstance(webhooks.parse(headers, BODY, token=TOKEN, max_age=601), BotDeletedCallback)
    with pytest.raises(webhooks.StaleCallback, match=told):
        webhooks.parse(headers, BODY, token=TOKEN, max_age=599)


def test_digits_cannot_move_between_time_and_nonce() -> None:
    """A signature fits also where digits moved from the time to the nonce, but then the time is no longer near."""
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
def test_a_signed_body_must_be_an_object(body: bytes) -> None:
    """What is signed and no JSON object is a malformed callback, never a JSON error."""
    with pytest.raises(webhooks.MalformedCallback):
        webhooks.parse(signed(body), body, token=TOKEN)


def test_an_unknown_kind_is_kept() -> None:
    """A kind of callback that the description does not know comes with all that it says."""
    body = b'{"header": {"event_type": "bot.cloned"}, "event": {"a": [1]}}'
    message = webhooks.parse(signed(body), body, token=TOKEN)
    assert isinstance(message, Unknown)
    assert message.raw["event"] == {"a": [1]}


def test_the_check_of_an_address_is_answered() -> None:
    """A challenge is told apart from callbacks, signed or not, and says what to answer."""
    body = b'{"challenge": "c-1"}'
    for headers in ({}, signed(body)):
        message = webhooks.parse(headers, body, token=TOKEN)
        assert isinstance(message, webhooks.Challenge)
        assert message.answer == {"challenge": "c-1"}


@pytest.mark.parametrize("token", ["", [], [""], [None]], ids=["empty", "none", "one-empty", "null"])
def test_a_token_is_needed(token: Any) -> None:
    """Without a token nothing could be checked: that is an error, not a pass."""
    with pytest.raises(InvalidArgumentError, match="verify_token"):
        webhooks.parse(signed(BODY, token=""), BODY, token=token)


def test_the_body_must_be_bytes() -> None:
    """A body that was decoded is refused, since its signature could not be checked."""
    with pytest.raises(InvalidArgumentError, match="bytes that were received"):
        webhooks.parse(signed(BODY), BODY.decode(), token=TOKEN)  # type: ignore[arg-type]  # that is the mistake


def test_errors_do_not_tell_the_token() -> None:
    """No error tells the token, or the signature that would be right."""
    right = signed(BODY)[Callbacks.signature.headers["signature"]]
    with pytest.raises(CozeError) as caught:
        webhooks.parse({**signed(BODY), "x-coze-signature": "0" * 40}, BODY, token=TOKEN)
    assert TOKEN not in str(caught.value)
    assert right not in str(caught.value)


def test_replies_say_how_a_review_went() -> None:
    """Each reply is the described answer of a channel's app."""
    assert webhooks.approve(share_link="https://x.test").to_dict() == {
        "audit": {"audit_status": 2},
        "share_link": "https://x.test",
    }
    assert webhooks.reject("No pictures").to_dict() == {"audit": {"audit_status": 3, "reason": "No pictures"}}
    assert webhooks.in_review().to_dict() == {"audit": {"audit_status": 1}}


def test_names_are_sorted_and_there() -> None:
    """Every name that the package offers can be had, and the list is sorted."""
    assert sorted(webhooks.__all__) == webhooks.__all__ or webhooks.__all__ == dir(webhooks)
    for name in webhooks.__all__:
        assert getattr(webhooks, name).__name__ == name
    assert cozekit.webhooks is webhooks
