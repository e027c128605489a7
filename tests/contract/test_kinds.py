"""What is answered with a file or a redirect, goes to another host, or takes no token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api.errors import APIError, DecodeError
from tests.contract._calls import (
    BASE,
    CONTENT,
    LOCATION,
    LOGID,
    MODES,
    TOKEN,
    Call,
    Mode,
    calls,
    document,
    perform,
    resolve,
)

ALL = [pytest.param(call, id=call.id) for call in calls()]
FILES = [pytest.param(call, id=call.id) for call in calls() if call.kind == "file"]
REDIRECTS = [pytest.param(call, id=call.id) for call in calls() if call.kind == "redirect"]
WITHOUT_TOKEN = [pytest.param(call, id=call.id) for call in calls() if not call.takes_token]
REFUSED = {"code": 4000, "msg": "no such thing", "detail": {"logid": "logid-of-the-body"}}


class Content(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Content that arrives in pieces, and knows whether the connection was given back.

    Attributes:
        closed: Whether it was.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from (self._content[start : start + 1000] for start in range(0, len(self._content), 1000))

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece

    def close(self) -> None:
        """Note that the connection is free."""
        self.closed = True

    async def aclose(self) -> None:
        """Note that the connection is free."""
        self.closed = True


def answered(
    call: Call,
    mode: Mode,
    answer: Callable[[], httpx.Response],
    use: Callable[[Any], Any],
    *,
    follow_redirects: bool = False,
) -> Any:
    """Call with the described example, and return what becomes of the result by *use*, which may be async."""
    transport = httpx.MockTransport(lambda _: answer())
    arguments = call.arguments(*call.example())

    async def run() -> Any:
        async with httpx.AsyncClient(transport=transport, follow_redirects=follow_redirects) as http:
            used = use(await call.method(AsyncClient(BASE, TOKEN, http_client=http))(**arguments))
            return await used if hasattr(used, "__await__") else used

    if mode == "async":
        return asyncio.run(run())
    with httpx.Client(transport=transport, follow_redirects=follow_redirects) as http:
        return use(call.method(Client(BASE, TOKEN, http_client=http))(**arguments))


def media_types(call: Call) -> list[str]:
    """Return the described media types of a file."""
    return list(resolve(call.described["responses"]["200"])["content"])


def test_every_kind_is_there() -> None:
    """The description has files, redirects and operations without token: the tests below test something."""
    assert FILES
    assert REDIRECTS
    assert WITHOUT_TOKEN


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", FILES)
def test_file_is_read(call: Call, mode: Mode) -> None:
    """A file of every described media type is read whole; the result has type and log id."""
    files: list[Any] = []

    def use(file: Any) -> Any:
        files.append(file)
        return file.read()

    for media in media_types(call):
        stream = Content(CONTENT)
        assert answered(call, mode, partial(as_file, media, stream), use) == CONTENT
        assert (files[-1].content_type, files[-1].logid) == (media, LOGID)
        assert stream.closed


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", FILES)
def test_file_is_iterated(call: Call, mode: Mode) -> None:
    """A file arrives piece by piece, none lost, and gives the connection back at its end."""
    stream = Content(CONTENT)

    async def pieces(file: Any) -> list[bytes]:
        return [piece async for piece in file]

    answer = partial(as_file, call.content_type, stream)
    chunks = answered(call, mode, answer, list if mode == "sync" else pieces)
    assert b"".join(chunks) == CONTENT
    assert len(chunks) > 1
    assert stream.closed


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", FILES)
def test_file_is_saved(call: Call, mode: Mode, tmp_path: Path) -> None:
    """A file is written to disk byte for byte, and the number of bytes is returned."""
    stream, path = Content(CONTENT), tmp_path / "sound"
    answer = partial(as_file, call.content_type, stream)
    assert answered(call, mode, answer, lambda file: file.save(path)) == len(CONTENT)
    assert path.read_bytes() == CONTENT
    assert stream.closed


def as_file(media: str, stream: Content) -> httpx.Response:
    """Make the response with a file."""
    return httpx.Response(200, headers={"Content-Type": f"{media}; rate=1", "X-Tt-Logid": LOGID}, stream=stream)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", FILES)
@pytest.mark.parametrize("status", [200, 400])
def test_error_in_place_of_file(call: Call, mode: Mode, status: int) -> None:
    """JSON in place of a file is raised as the error that it contains, whatever the status."""
    with pytest.raises(APIError, match="no such thing") as caught:
        answered(call, mode, lambda: httpx.Response(status, json=REFUSED), lambda file: file)
    assert (caught.value.code, caught.value.logid) == (4000, "logid-of-the-body")


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", REDIRECTS)
def test_redirect(call: Call, mode: Mode, follow: bool) -> None:
    """A redirect is returned as it came and not followed, even by an HTTP client that follows others."""
    headers = {"Location": LOCATION, "X-Tt-Logid": LOGID}
    result = answered(
        call, mode, lambda: httpx.Response(302, headers=headers), lambda result: result, follow_redirects=follow
    )
    assert (result.location, result.logid, result.response.status) == (LOCATION, LOGID, 302)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", REDIRECTS)
def test_error_in_place_of_redirect(call: Call, mode: Mode) -> None:
    """JSON in place of a redirect is raised as the error that it contains; without one it is a `DecodeError`."""
    with pytest.raises(APIError, match="no such thing"):
        answered(call, mode, lambda: httpx.Response(400, json=REFUSED), lambda result: result)
    with pytest.raises(DecodeError, match="not a redirect"):
        answered(call, mode, lambda: httpx.Response(200, json={"access_token": "t"}), lambda result: result)


@pytest.mark.parametrize("call", ALL)
def test_host(call: Call) -> None:
    """Of each service, an operation goes to the host that is described for it."""
    servers = call.described.get("servers", document()["servers"])
    hosts = {urlsplit(server["url"]).hostname for server in servers}
    requested = set()
    bases = ("https://api.coze.com", "https://api.coze.cn")
    if "servers" not in call.described:
        bases = tuple(server["url"] for server in servers)
    for base in bases:
        outcome = perform(call, "sync", call.example_answer(), call.arguments(*call.example()), base_url=base)
        assert outcome.request.url.host.rpartition(".")[2] == base.rpartition(".")[2]
        assert outcome.request.url.scheme == "https"
        requested.add(outcome.request.url.host)
    assert requested == hosts


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", WITHOUT_TOKEN)
def test_no_token(call: Call, mode: Mode) -> None:
    """Neither token nor another way of authorizing is used where none is needed; what the caller gives is sent."""
    answer = call.example_answer()
    arguments = call.arguments(*call.example())
    assert "Authorization" not in perform(call, mode, answer, arguments).request.headers
    auth = httpx.BasicAuth("user", "secret")
    assert "Authorization" not in perform(call, mode, answer, arguments, auth=auth).request.headers
    secret = {"Authorization": "Bearer client-secret"}
    assert perform(call, mode, answer, {**arguments, "extra_headers": secret}, auth=auth).request.headers.get_list(
        "Authorization"
    ) == ["Bearer client-secret"]


@pytest.mark.parametrize("call", [param for param in ALL if param.values[0].fixed_headers])  # type: ignore[union-attr]  # pytest does not type parameters
def test_fixed_header_can_be_replaced(call: Call) -> None:
    """A header that is sent by itself is replaced by one that the caller gives, in whatever spelling."""
    for name in call.fixed_headers:
        arguments = {**call.arguments(*call.example()), "extra_headers": {name.upper(): "other"}}
        request = perform(call, "sync", call.example_answer(), arguments).request
        assert request.headers.get_list(name) == ["other"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", [param for param in ALL if "4XX" in param.values[0].described["responses"]])  # type: ignore[union-attr]  # pytest does not type parameters
def test_error_without_envelope_is_read(call: Call, mode: Mode) -> None:
    """The reason of an OAuth error is read from responses in Coze's form and from those that follow the standard only."""
    error = resolve(call.described["responses"]["4XX"])["content"]["application/json"]["example"]
    standard = {name: error[name] for name in ("error", "error_description")}
    for answer, reason, message in (
        (error, error["error_code"], error["error_message"]),
        (standard, error["error"], error["error_description"]),
    ):
        refuse = partial(httpx.Response, 400, headers={"X-Tt-Logid": LOGID}, json=answer)
        with pytest.raises(APIError, match=message) as caught:
            answered(call, mode, refuse, lambda result: result)
        assert (caught.value.reason, caught.value.status, caught.value.logid) == (reason, 400, LOGID)
