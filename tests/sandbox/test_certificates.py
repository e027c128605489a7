"""TLS in a sandbox of this process."""

from __future__ import annotations

import socket
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from coze_sandbox import Sandbox
from cozekit import Coze


def test_tls():
    """A sandbox with TLS is called like any other by a client that trusts its file, which goes with it."""
    with Sandbox(tls=True) as sandbox:
        assert sandbox.base_url.startswith("https://127.0.0.1:")
        verify = ssl.create_default_context(cafile=sandbox.ca_file)
        with (
            httpx.Client(verify=verify) as http,
            Coze(sandbox.token, base_url=sandbox.base_url, http_client=http) as coze,
        ):
            assert coze.users.me().nick_name == "Sandbox Owner"
        file = Path(sandbox.ca_file)
        assert file.exists()
    assert not file.parent.exists()


def test_strict_clients():
    """The certificates also pass the strictest rules for certificates."""
    with Sandbox(tls=True, host="localhost") as sandbox:
        verify = ssl.create_default_context(cafile=sandbox.ca_file)
        verify.verify_flags |= ssl.VERIFY_X509_STRICT
        with httpx.Client(verify=verify) as http:
            assert http.get(f"{sandbox.base_url}/v1/users/me").status_code == 401


def test_no_tickets():
    """No ticket follows a handshake: clients that read in one thread while they write in another stumble over them."""
    with Sandbox(tls=True) as sandbox:
        url = httpx.URL(sandbox.base_url)
        context = ssl.create_default_context(cafile=sandbox.ca_file)
        with (
            socket.create_connection((url.host, url.port)) as plain,
            context.wrap_socket(plain, server_hostname=url.host) as connection,
        ):
            connection.sendall(b"GET /v1/users/me HTTP/1.1\r\nHost: sandbox\r\n\r\n")
            assert connection.recv(65536)
            assert connection.version() == "TLSv1.3"
            assert not connection.session.has_ticket


def test_private_key_is_private():
    """Nobody else on the machine can read the key of the server, and that of the authority is nowhere."""
    sandbox = Sandbox(tls=True)
    files = sorted(Path(sandbox.ca_file).parent.iterdir())
    assert [(file.name, file.read_text(encoding="utf-8").count("PRIVATE KEY-----")) for file in files] == [
        ("ca.pem", 0),
        ("server.pem", 2),
    ]
    assert files[1].stat().st_mode & 0o077 == 0
    sandbox.close()


def test_without_tls():
    """A sandbox without TLS has nothing to trust."""
    with pytest.raises(RuntimeError, match="tls=True"):
        _ = Sandbox().ca_file


def test_without_the_library(monkeypatch):
    """Where cryptography is missing, the error about TLS names how to install it."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ValueError, match=r"pip install .cozekit\[sandbox\]"):
        Sandbox(tls=True)
