"""Both clients, and a sandbox to call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from coze_sandbox import Sandbox
from cozekit import _polling, _polling_async, _sleep
from tests.overlay._clients import Connect, at_once
from tests.overlay.auth._flows import Flows


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make tests independent of this machine's settings."""
    for name in ("COZE_API_TOKEN", "COZE_API_BASE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("COZE_PROFILE", raising=False)
    monkeypatch.setenv("COZE_CONFIG_DIR", str(tmp_path / "nobody has logged in"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of both clients three times: sync, on asyncio, and on trio if supported."""
    if "connect" in metafunc.fixturenames:
        needs_asyncio = metafunc.definition.get_closest_marker("needs_asyncio")
        metafunc.parametrize(
            "connect", ["sync", "asyncio"] if needs_asyncio else ["sync", "asyncio", "trio"], indirect=True
        )


@pytest.fixture(scope="session")
def asyncio_elsewhere() -> Iterator[BlockingPortal]:
    """Run asyncio's event loop in a separate thread."""
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture(scope="session")
def trio_elsewhere() -> Iterator[BlockingPortal]:
    """Run trio's event loop in a separate thread."""
    with start_blocking_portal("trio") as portal:
        yield portal


@pytest.fixture
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Return a factory of sync clients, or of async clients that look sync."""
    loop = None if request.param == "sync" else request.getfixturevalue(f"{request.param}_elsewhere")
    maker = Connect(loop)
    yield maker
    maker.close()


@pytest.fixture
def coze(connect: Connect, coze_sandbox: Sandbox) -> Any:
    """Return a client of the sandbox that retries without delay."""
    return connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=at_once())


@pytest.fixture
def flows(connect: Connect, coze_sandbox: Sandbox) -> Flows:
    """Return a factory of OAuth flows whose users allow access at once."""
    coze_sandbox.oauth.auto_consent = True
    return Flows(connect, coze_sandbox)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of delays between polls or retries; the clock of polls advances by them, and no time passes."""
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    for module in (_polling, _polling_async):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + sum(delays)))
    monkeypatch.setattr(_sleep, "time", SimpleNamespace(sleep=delays.append))
    monkeypatch.setattr(anyio, "sleep", sleep)
    return delays


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Create a self-signed certificate for 127.0.0.1."""
    import datetime
    import ipaddress

    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "pair.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + signed.public_bytes(pem))
    return str(path)
