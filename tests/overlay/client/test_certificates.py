"""When clients read the certificates that they trust, which takes longer than a small request."""

from __future__ import annotations

import os
import shutil
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest

from coze_api._core._tls import _ssl_context, default_ssl
from coze_sandbox import BOT_ID, Sandbox
from cozekit.errors import APIConnectionError, InvalidArgumentError
from tests.overlay._clients import at_once


@pytest.fixture(scope="module")
def secure() -> Iterator[Sandbox]:
    """Run a sandbox with a certificate of its own."""
    with Sandbox(tls=True) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Forget what was read, and return a list of the files that are read in whole."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    _ssl_context.cache_clear()
    files: list[Any] = []
    make = ssl.create_default_context

    def recorded(*arguments: Any, **options: Any) -> ssl.SSLContext:
        files.append(options.get("cafile") or options.get("capath"))
        return make(*arguments, **options)

    monkeypatch.setattr(ssl, "create_default_context", recorded)
    yield files
    _ssl_context.cache_clear()


@pytest.mark.parametrize("stream", [False, True], ids=["request", "stream"])
def test_http_address_needs_no_certificates(connect, coze_sandbox, read, stream):
    """Neither a request nor a stream to an http:// address reads certificates."""
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url)
    if stream:
        with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["Hi"]) as events:
            assert list(events)
    else:
        coze.users.me()
    assert read == []


def test_first_https_connection_reads_the_certificates_once(connect, secure, monkeypatch, read):
    """Certificates are read for the first https connection, once for all clients and connections of the process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.ca_file))
    first, second = (connect(secure.token, base_url=secure.base_url) for _ in range(2))
    assert read == []
    threads = [threading.Thread(target=coze.users.me) for coze in (first, second) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.users.me().user_id == second.users.me().user_id
    assert read == [str(secure.ca_file)]


def test_other_certificates_are_not_trusted(connect, secure, read):
    """A service whose certificate the default ones do not vouch for is refused."""
    with pytest.raises(APIConnectionError, match="the connection could not be opened"):
        connect(secure.token, base_url=secure.base_url, retry=at_once(0)).users.me()
    assert read == [certifi.where()]


def test_environment_counts_when_the_client_is_made(connect, secure, monkeypatch):
    """A client trusts what the environment named when it was made, not what it names at the first connection."""
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.ca_file))
    coze = connect(secure.token, base_url=secure.base_url)
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert coze.users.me().user_id


@pytest.mark.parametrize("broken", ["cut", "gone"])
def test_certificates_that_break_later_are_reported_by_name(connect, secure, monkeypatch, tmp_path: Path, broken):
    """Certificates that cannot be read at the first connection raise the error of those that never could be."""
    file = tmp_path / "certificates.pem"
    shutil.copy(secure.ca_file, file)
    if broken == "cut":
        file.write_text(file.read_text("utf-8") + "-----BEGIN CERTIFICATE-----\nx\n", "utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    coze = connect(secure.token, base_url=secure.base_url)
    if broken == "gone":
        file.unlink()
    for _ in range(2):
        with pytest.raises(
            InvalidArgumentError, match=r"^the certificates that SSL_CERT_FILE \(.*certificates\.pem\) names cannot be"
        ):
            coze.users.me()


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="there are no files for pipes")
def test_certificates_of_a_pipe_are_read_at_once(secure, monkeypatch):
    """Certificates that come by a pipe, which can be read only once, are read when the client is made."""
    reader, writer = os.pipe()
    os.write(writer, Path(secure.ca_file).read_bytes())
    os.close(writer)
    monkeypatch.setenv("SSL_CERT_FILE", f"/dev/fd/{reader}")
    context = default_ssl()
    os.close(reader)
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_settings_are_those_of_httpx(secure, monkeypatch, variable):
    """The TLS settings are those that httpx makes in the same environment, with the same certificates."""
    if variable is not None:
        path = Path(secure.ca_file)
        monkeypatch.setenv(variable, str(path if variable == "SSL_CERT_FILE" else path.parent))
    ours, theirs = default_ssl().settings(), httpx.create_ssl_context()
    for name in (
        "check_hostname", "keylog_filename", "maximum_version", "minimum_version", "options", "protocol",
        "security_level", "verify_flags", "verify_mode",
    ):  # fmt: skip
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.get_ca_certs() == theirs.get_ca_certs()
    assert ours.get_ciphers() == theirs.get_ciphers()


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_protocols_are_offered_whenever_they_were_set(certificate, monkeypatch, late):
    """A TLS connection offers the application protocols that were set, before or after certificates were read."""
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    context = default_ssl()
    if late:
        context.get_ca_certs()
    context.set_alpn_protocols(["http/1.1", "x"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    server.set_alpn_protocols(["x"])
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        context.wrap_bio(back, there, server_hostname="127.0.0.1"),
        server.wrap_bio(there, back, server_side=True),
    ]
    for end in ends * 2:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert [end.selected_alpn_protocol() for end in ends] == ["x", "x"]
