"""Each failure raises one clear typed error. The tests compare the messages, since people read them."""

from __future__ import annotations

import io
import os
import re
import socket
import time
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID, Sandbox
from cozekit.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ChatFailed,
    DecodeError,
    GatewayError,
    InvalidArgumentError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
    StreamInterrupted,
)
from tests.overlay._clients import Counter, at_once

HELLO: dict[str, Any] = {"bot_id": BOT_ID, "user_id": "u", "additional_messages": ["/say one two three"]}


class Huge(io.RawIOBase):
    """A file that claims to be huge and cannot be read."""

    def __init__(self) -> None:
        self._here = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size <= 12, "more than the beginning is read"
        return b""

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._here = offset + (2**30 if whence == os.SEEK_END else 0)
        return self._here

    def tell(self) -> int:
        return self._here


def test_rejected_token_is_an_authentication_error(connect, coze_sandbox):
    """A rejected token raises AuthenticationError, with what to check, the region first."""
    with pytest.raises(AuthenticationError) as caught:
        connect("pat_wrong", base_url=coze_sandbox.base_url).users.me()
    error = caught.value
    assert (error.code, error.status, error.operation, error.retryable) == (4100, 401, "users.me", False)
    assert error.logid == coze_sandbox.requests[-1].logid
    assert str(error) == (
        f"users.me: authentication is invalid (HTTP 401, code 4100, logid {error.logid}). Check that the token is not "
        "expired and belongs to the base URL's region: a token from coze.com works only on api.coze.com, one from "
        "coze.cn only on api.coze.cn."
    )


def test_token_of_another_region_is_a_permission_denied_error(connect):
    """A token of the other region raises PermissionDeniedError, which names both regions."""
    with Sandbox(foreign_tokens=["pat_cn"]) as sandbox, pytest.raises(PermissionDeniedError) as caught:
        connect("pat_cn", base_url=sandbox.base_url).users.me()
    assert caught.value.code == 4101
    assert "(api.coze.com or api.coze.cn)" in str(caught.value)


def test_missing_permission_is_named(connect):
    """If the token lacks the permission of an operation, the error names the permission."""
    with Sandbox(tokens={"pat_few": frozenset({"chat"})}) as sandbox:
        coze = connect("pat_few", base_url=sandbox.base_url)
        with pytest.raises(PermissionDeniedError) as caught:
            coze.files.retrieve(file_id="1")
        with pytest.raises(PermissionDeniedError) as uploading:
            coze.files.upload(("a.txt", b"a"))
    assert (caught.value.code, caught.value.status) == (4101, 403)
    assert str(caught.value).endswith("The token needs the permission 'retrieveFile'.")
    assert str(uploading.value).endswith("The token needs the permission 'uploadFile'.")


def test_unknown_bot_is_a_not_found_error(coze, coze_sandbox):
    """A bot that does not exist raises NotFoundError, with the place where its id is found."""
    for call in (
        lambda: coze.chat.create(bot_id="7", user_id="u", additional_messages=["hi"]),
        lambda: coze.chat.stream(bot_id="7", user_id="u", additional_messages=["hi"]).open(),
    ):
        with pytest.raises(NotFoundError) as caught:
            call()
        assert caught.value.code in {4006, 4200}
        assert caught.value.operation in {"chat.create", "chat.stream"}
        assert caught.value.hint in str(caught.value)
        assert "the token may use its workspace" in str(caught.value) or "Check the id" in str(caught.value)
    assert len(coze_sandbox.requests) == 2


def test_oversized_file_is_rejected_before_sending(coze, coze_sandbox):
    """A file that is too large is rejected before a byte is sent, with its size and the limit."""
    for file in (Huge(), ("film.mp4", Huge())):
        with pytest.raises(InvalidArgumentError) as caught:
            coze.files.upload(file)
        assert str(caught.value) == "files.upload: file must have at most 536,870,912 bytes, has 1,073,741,824"
    assert not coze_sandbox.requests


def test_missing_argument_is_a_type_error(coze, coze_sandbox):
    """A missing argument raises a TypeError with its name, as in any Python call."""
    for call in (coze.chat.create, coze.chat.stream, coze.chat.create_and_poll):
        with pytest.raises(TypeError, match="bot_id"):
            call(user_id="u")
    with pytest.raises(TypeError, match="chat_id"):
        coze.chat.submit_tool_outputs_stream(conversation_id="1", tool_outputs=[])
    with pytest.raises(TypeError, match="file"):
        coze.files.upload()
    assert not coze_sandbox.requests


def test_misspelled_argument_is_a_type_error(coze, coze_sandbox):
    """An argument that does not exist raises a TypeError with its name, and is not dropped."""
    for call in (coze.chat.create, coze.chat.stream, coze.chat.create_and_poll):
        with pytest.raises(TypeError, match="additional_message"):
            call(bot_id=BOT_ID, user_id="u", additional_message=["hi"])
    assert not coze_sandbox.requests


def test_none_for_a_required_argument_is_rejected(coze, coze_sandbox):
    """None for a required argument is rejected by name before anything is sent."""
    with pytest.raises(InvalidArgumentError) as caught:
        coze.chat.stream(bot_id=None, user_id="u")
    assert str(caught.value) == "chat.stream: bot_id is required"
    with pytest.raises(InvalidArgumentError) as caught:
        coze.chat.create_and_poll(bot_id=BOT_ID, user_id=None)
    assert str(caught.value) == "chat.create: user_id is required"
    with pytest.raises(InvalidArgumentError) as caught:
        coze.bots.retrieve(bot_id="")
    assert str(caught.value) == "bots.retrieve: bot_id must not be empty"
    assert not coze_sandbox.requests


def test_argument_of_the_wrong_type_is_rejected(coze, coze_sandbox):
    """An argument of the wrong type is rejected by name, type and value."""
    with pytest.raises(InvalidArgumentError) as caught:
        coze.chat.stream(bot_id=7, user_id="u")
    assert str(caught.value) == "chat.stream: bot_id must be a str, not int (7)"
    assert not coze_sandbox.requests


def test_refused_connection_is_an_api_connection_error(connect):
    """A refused connection raises APIConnectionError with the attempts and the URL, and that nothing was sent."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(APIConnectionError) as caught:
        connect("pat_a", base_url=url, retry=at_once(2)).chat.create(**HELLO)
    error = caught.value
    assert (error.attempts, error.sent, error.base_url, error.operation) == (3, False, url, "chat.create")
    assert str(error).startswith("chat.create: the connection could not be opened: ")
    assert str(error).endswith(f" (tried 3 times, {url})")
    assert isinstance(error.__cause__, httpx.ConnectError)


def test_late_response_is_an_api_timeout_error(connect, coze_sandbox):
    """A response that does not arrive in time raises APITimeoutError, which is a TimeoutError and names the remedy."""
    coze_sandbox.faults.add("delay", seconds=30)
    url = coze_sandbox.base_url
    timeout = httpx.Timeout(30, read=0.05)
    with pytest.raises(APITimeoutError) as caught:
        connect(coze_sandbox.token, base_url=url, timeout=timeout).chat.create(**HELLO)
    assert (
        str(caught.value)
        == f"chat.create: no response was received in time; pass a larger timeout= (tried once, {url})"
    )
    assert caught.value.sent is True
    assert isinstance(caught.value, TimeoutError)


def test_lost_response_is_an_api_connection_error(connect, coze_sandbox):
    """A connection that ends without a response raises APIConnectionError, with a note that the request may have taken
    effect.
    """
    coze_sandbox.faults.add("drop", times=None)
    with pytest.raises(APIConnectionError) as caught:
        connect(coze_sandbox.token, base_url=coze_sandbox.base_url).chat.create(**HELLO)
    # The text depends on whether the server's end arrives as a close or as a reset.
    assert re.match(r"chat\.create: the connection was lost: (RemoteProtocolError|ReadError): ", str(caught.value))
    assert (caught.value.sent, caught.value.attempts) == (True, 1)


@pytest.mark.parametrize("open_", [lambda coze: coze.users.me(), lambda coze: coze.chat.stream(**HELLO).open()])
def test_html_error_page_is_a_gateway_error(connect, coze_sandbox, open_):
    """An HTML error page raises GatewayError, which shows the start of the page with a note that Coze did not send it."""
    coze_sandbox.faults.add("html", times=None, status=504)
    with pytest.raises(GatewayError) as caught:
        open_(connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=at_once()))
    error = caught.value
    assert (error.status, error.code, error.retryable) == (504, 504, True)
    assert "html" in error.content_type
    assert "504" in error.excerpt
    assert "the response is not JSON but text/html" in str(error)
    assert str(error).endswith("A gateway responded instead of Coze; try again.")


def test_html_success_page_is_a_gateway_error_with_base_urls(connect):
    """An HTML page with a success status raises GatewayError, which names the right base URLs."""
    answers = Counter(httpx.Response(200, html="<!doctype html><title>Coze</title>"))
    with pytest.raises(GatewayError) as caught:
        connect(handler=answers, base_url="https://www.coze.com").users.me()
    assert str(caught.value).endswith(
        "The base URL seems to be a web site; use https://api.coze.com or https://api.coze.cn."
    )


def test_json_without_envelope_is_a_decode_error(connect):
    """JSON that is not a Coze response raises DecodeError, which shows it."""
    with pytest.raises(DecodeError) as caught:
        connect(handler=Counter([1, 2])).users.me()
    assert str(caught.value) == "users.me: the response has an unknown shape: it is [1, 2] (HTTP 200, code 200)"


def test_cut_stream_is_stream_interrupted(coze, coze_sandbox):
    """A stream that is cut raises StreamInterrupted, which has what arrived and the way to recover the rest."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=5)
    stream = coze.chat.stream(**HELLO)
    pieces: list[str] = []
    with pytest.raises(StreamInterrupted) as caught, stream:
        pieces.extend(stream.text)
    error = caught.value
    assert pieces == ["one", " t", "wo t"]
    assert error.stream.answer == "one two t"
    assert error.stream.messages == []
    assert error.events == 5
    assert error.last_event.data.content == "wo t"
    assert error.logid == stream.logid == coze_sandbox.requests[-1].logid
    chat = error.stream.chat
    assert str(error).startswith("chat.stream: the stream broke off after 5 events: RemoteProtocolError: ")
    assert str(error).endswith(
        f"; call recover() of the stream to get the rest, or chat.retrieve for chat {chat.id} of conversation "
        f"{chat.conversation_id} (logid {error.logid})"
    )
    while coze_sandbox.requests[-1].seconds is None:  # until the sandbox has noticed that its client is gone
        time.sleep(0.01)
    coze_sandbox.clock.advance(120)  # the chat continues without it
    assert coze.chat.retrieve(chat_id=chat.id, conversation_id=chat.conversation_id).status == "completed"


def test_failed_chat_is_chat_failed(coze):
    """A chat that fails in its stream raises ChatFailed with Coze's code and message, and a hint."""
    stream = coze.chat.stream(**{**HELLO, "additional_messages": ["/fail 4028 no credits"]})
    with stream, pytest.raises(ChatFailed) as caught:
        stream.until_done()
    error = caught.value
    assert (error.code, error.msg, error.operation) == (4028, "no credits", "chat.stream")
    assert str(error) == (
        f"chat.stream: no credits (HTTP 200, code 4028, logid {error.logid}). "
        "Wait until the credits are refreshed, or upgrade the plan of the account that owns the bot."
    )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, 4028, QuotaError),
        (429, 4028, QuotaError),
        (429, 0, RateLimitError),
        (200, 4009, RateLimitError),
        (500, 0, ServerError),
        (418, 999, InvalidRequestError),
    ],
)
def test_code_then_status_decides_the_class(connect, status, code, kind):
    """The error code decides the class of the error; the HTTP status decides if the code is unknown."""
    answers = Counter(httpx.Response(status, json={"code": code, "msg": "no", "detail": {"logid": "L"}}))
    with pytest.raises(kind) as caught:
        connect(handler=answers, retry=0).users.me()
    assert (caught.value.code, caught.value.logid, caught.value.msg) == (code or status, "L", "no")
    assert caught.value.response.status == status
