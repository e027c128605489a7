"""Certificates for one run: a CA whose key is discarded at once, and a server certificate.

trustme is not used: its CA is valid until the year 3000, and it rejects host names with underscores, which containers
may have.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Certificates"]

_LIFETIME = datetime.timedelta(days=90)
_LEEWAY = datetime.timedelta(days=1)  # for clients whose clock is slow
_HOSTS = ("localhost", "127.0.0.1", "::1")


class Certificates:
    """Certificate files in a temporary folder.

    Args:
        host: Another host name or address of the server.

    Attributes:
        ca_file: The CA certificate, which clients have to trust, in PEM.

    Raises:
        ValueError: cryptography is not installed.
    """

    def __init__(self, host: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="coze_sandbox_"))
        self._remover = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.ca_file = folder / "ca.pem"
        self._chain_file = folder / "server.pem"
        try:
            ca, chain = _make(dict.fromkeys((*_HOSTS, host)))
        except ModuleNotFoundError as error:
            self.remove()
            raise ValueError('TLS needs cryptography: pip install "cozekit[sandbox]"') from error
        self.ca_file.write_bytes(ca)
        with os.fdopen(os.open(self._chain_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(chain)

    @property
    def chain_file(self) -> Path:
        """The server certificate with its private key in PEM."""
        return self._chain_file

    def remove(self) -> None:
        """Remove the files."""
        self._remover()


def _make(hosts: dict[str, None]) -> tuple[bytes, bytes]:
    """Return the CA certificate, and the server certificate with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Coze sandbox authority")
    ca = (
        _builder(ca_name, ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    identity = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    server = (
        _builder(_name("Coze sandbox"), ca_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identity), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ca.public_bytes(pem), server.public_bytes(pem) + plain


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    now, public = datetime.datetime.now(datetime.UTC), key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LEEWAY)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(text: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
