"""Clients with unusable environment variables, URLs, timeouts and texts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_api._core._tls import default_ssl
from cozekit import COZE_COM
from cozekit._websockets.options import SocketOptions
from cozekit.errors import InvalidArgumentError
from tests.overlay._clients import Counter

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy", "https_proxy")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"])
@pytest.mark.parametrize("value", [":::", "ftp://x", "http://[::1", "http://h:port", "http://h\x01", "socks4://h:1"])
def test_invalid_proxy_variable_is_rejected_by_name(connect, monkeypatch, name, value):
    """An invalid proxy in the environment is rejected when the client is created, with the variable's name."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidArgumentError, match=rf"the proxy in {name} cannot be used: name it as http://host:port"):
        connect("pat_a")


def test_password_of_an_invalid_proxy_is_not_shown(connect, monkeypatch):
    """No part of the exception shows the password of an invalid proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2:x@proxy:hunter2")
    with pytest.raises(InvalidArgumentError) as caught:
        connect("pat_a")
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"


@pytest.mark.parametrize("value", ["[::1", ":::", "http://a:b", "٣.example.com"])
def test_invalid_no_proxy_variable_is_rejected_by_name(connect, monkeypatch, value):
    """An invalid NO_PROXY list is rejected with the variable's name."""
    monkeypatch.setenv("NO_PROXY", value)
    with pytest.raises(InvalidArgumentError, match=r"NO_PROXY cannot be used"):
        connect("pat_a")


@pytest.mark.parametrize("content", [None, b"nonsense", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_invalid_certificate_variable_is_rejected_by_name(connect, monkeypatch, tmp_path: Path, content):
    """Missing or broken certificates are rejected when the client is created, with the variable's name."""
    file = tmp_path / "certificates.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    for make in (lambda: connect("pat_a"), default_ssl):
        with pytest.raises(InvalidArgumentError, match=r"SSL_CERT_FILE \(.*certificates\.pem\) names cannot be read: "):
            make()


def test_callers_http_client_ignores_the_environment(connect, monkeypatch):
    """A caller's HTTP client is used whatever the environment sets for proxies and certificates."""
    monkeypatch.setenv("HTTPS_PROXY", ":::")
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull + "/nothing")
    http = connect.http(transport=httpx.MockTransport(Counter(200)), trust_env=False, verify=False)
    connect("pat_a", http_client=http).users.me()


BASES = [
    "https://" + "a" * 64 + ".com",
    "https://" + "a." * 127 + "com",
    "https://a..b",
    "https://.",
    "https://host:0",
    "https://host:65536",
    "https://host:-1",
    "https://host:port",
    "https://host:" + "9" * 5000,
    "https://xn--",
    "https://\udcff",
    "https://host/\udcff",
    "https://" + "ü" * 64,
]


@pytest.mark.parametrize("base_url", BASES, ids=lambda base: ascii(base)[:24])
def test_unusable_base_url_is_rejected_at_construction(connect, base_url):
    """A base URL to which no connection is possible is rejected when the client is created."""
    with pytest.raises(InvalidArgumentError, match=r"^base_url .* is not an address: "):
        connect("pat_a", base_url=base_url)
    with pytest.raises(InvalidArgumentError, match=r"^sockets\.base_url .* is not an address: "):
        SocketOptions(base_url=base_url.replace("https", "wss"))


def test_password_of_an_unusable_base_url_is_not_shown(connect):
    """The password of an unusable base URL is not shown."""
    for base_url in ("https://me:hunter2@host", "https://me:hunter2@host:port", "https://me:hunter2@" + "a" * 64):
        with pytest.raises(InvalidArgumentError, match="must not hold a user name or password") as caught:
            connect("pat_a", base_url=base_url)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("base_url", ["https://" + "a" * 63 + ".com.", "https://[::1]:65535", "http://127.0.0.1:1"])
def test_unusual_but_valid_base_urls_are_accepted(connect, base_url):
    """Unusual but valid base URLs are accepted."""
    assert connect("pat_a", base_url=base_url).base_url == base_url


TIMEOUTS: list[Any] = [
    -1,
    float("nan"),
    float("inf"),
    1e300,
    "5",
    (1, 2),
    (1, 2, 3, "x"),
    [1, 2, 3, 4],
    (),
    True,
    10**400,
]


@pytest.mark.parametrize("timeout", TIMEOUTS, ids=lambda timeout: repr(timeout)[:12])
def test_invalid_timeouts_are_rejected(connect, timeout):
    """An invalid timeout is rejected for a client, for with_options and for one call."""
    with pytest.raises(InvalidArgumentError, match=r"^timeout must be a number of seconds from 0 to 100,000,000"):
        connect("pat_a", timeout=timeout)
    coze = connect(handler=Counter(200))
    with pytest.raises(InvalidArgumentError, match=r"^timeout must be a number of seconds"):
        coze.with_options(timeout=timeout)
    with pytest.raises(InvalidArgumentError, match=r"^timeout must be a number of seconds"):
        coze.users.me(timeout=timeout)


@pytest.mark.parametrize("deadline", [1e300, float("inf")])
def test_very_long_deadline_counts_as_none(connect, deadline):
    """A deadline that is too large for a clock counts as no deadline."""
    connect(handler=Counter(200), deadline=deadline, timeout=(None,) * 4).users.me()


@pytest.mark.parametrize("headers", ["a", [("a", "b")], 1])
def test_headers_must_be_a_mapping(connect, headers):
    """Headers that are not a mapping are rejected, wherever they are passed."""
    coze = connect(handler=Counter(200))
    for give in (
        lambda: connect("pat_a", headers=headers),
        lambda: coze.with_options(headers=headers),
        lambda: coze.users.me(extra_headers=headers),
    ):
        with pytest.raises(InvalidArgumentError, match="headers must be a dict, not "):
            give()


HALF = "a\udcff.txt"
DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda coze: coze.files.retrieve(file_id=HALF), "files.retrieve: file_id 'a"),
        (lambda coze: coze.datasets.documents.list(dataset_id=HALF), "datasets.documents.list: .*dataset_id 'a"),
        (lambda coze: coze.workflows.retrieve(workflow_id=HALF), "workflows.retrieve: workflow_id 'a"),
        (lambda coze: coze.bots.list(workspace_id="1", extra_query={"x": HALF}), "bots.list: x 'a"),
        (lambda coze: coze.bots.create(space_id="1", name=HALF), r"bots\.create: the body .*: name 'a"),
        (lambda coze: coze.users.me(extra_body={"a": [{"b": HALF}]}, extra_query={"b": HALF}), "users.me: b 'a"),
        (
            lambda coze: coze.chat.create(bot_id="1", user_id="u", additional_messages=[HALF]),
            r"chat\.create: the body .*: additional_messages\[0\]\.content 'a",
        ),
        (lambda coze: coze.files.upload((HALF, b"x")), "files.upload: file has the name 'a"),
        (lambda coze: coze.files.upload(b"x", extra_body={"x": HALF}), "files.upload: x 'a"),
        (lambda coze: coze.files.upload(b"x", extra_body={HALF: "x"}), "files.upload: the name of a field 'a"),
    ],
)
def test_text_that_is_no_utf8_is_rejected_before_sending(connect, call, where):
    """Text that UTF-8 cannot encode is rejected before anything is sent, with operation and field."""
    counter = Counter(200)
    with pytest.raises(InvalidArgumentError, match=f"^{where}.*udcff.*half of a surrogate pair"):
        call(connect(handler=counter))
    assert not counter.requests


@pytest.mark.skipif(os.name == "nt", reason="names of files are Unicode there")
def test_file_name_that_is_no_utf8_needs_another_name(connect, tmp_path: Path):
    """A file whose name is not UTF-8 is rejected with a remedy, and can be sent under another name."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.txt"))
    path.write_bytes(b"content")
    counter = Counter({"code": 0, "data": {"id": "1"}})
    coze = connect(handler=counter)
    with pytest.raises(
        InvalidArgumentError, match=r"^files\.upload: file has the name .* give another as \(name, content\)$"
    ):
        coze.files.upload(path)
    assert not counter.requests
    assert coze.files.upload(("a.txt", path.read_bytes())).id == "1"


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_invalid_file_path_is_rejected(connect, path):
    """A path that no file can have is rejected, with operation and field."""
    with pytest.raises(InvalidArgumentError, match=r"^files\.upload: file .* is not a valid path"):
        connect(handler=Counter(200)).files.upload(path)


@pytest.mark.parametrize(
    "call",
    [
        lambda coze: coze.workflows.runs.create(workflow_id="1", parameters={"a": DEEP}),
        lambda coze: coze.users.me(extra_body={"a": DEEP}),
        lambda coze: coze.files.upload(b"x", extra_body={"a": DEEP}),
    ],
)
def test_too_deeply_nested_arguments_are_rejected(connect, call):
    """Arguments that are nested too deeply for the JSON encoder are rejected, with the operation."""
    with pytest.raises(InvalidArgumentError, match=r"^[a-z.]+: .*nested too deeply"):
        call(connect(handler=Counter(200)))


def test_number_with_too_many_digits_is_rejected(connect):
    """A number with more digits than Python converts is rejected, with operation and field."""
    with pytest.raises(InvalidArgumentError, match=r"^users\.me: x is a number with more digits than can be written"):
        connect(handler=Counter(200), base_url=COZE_COM).users.me(extra_query={"x": 10**5000})
