"""TLS settings of connections, which read the trusted certificates as late as possible."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Self

from ._base_errors import InvalidArgumentError
from ._http import default_certificates

__all__ = ["default_ssl", "read_certificates"]


def default_ssl() -> ssl.SSLContext:
    """Return a TLS context that trusts what httpx trusts, one for all clients.

    Raises:
        InvalidArgumentError: Environment variables name certificates that cannot be read.
    """
    return _ssl_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def _ssl_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    context = _LazyContext(file, folder)
    if file and not _begins_with_certificate(file):
        context.settings()  # raises an error now where reading the file fails
    return context


def read_certificates(context: ssl.SSLContext) -> None:
    """Read the certificates of a default context, unless that was done before. Others have theirs already.

    Raises:
        InvalidArgumentError: They cannot be read.
    """
    if isinstance(context, _LazyContext):
        context.settings()


class _LazyContext(ssl.SSLContext):
    """A TLS context that reads the trusted certificates for the first connection, which takes some 15 ms.

    Args:
        file: File of the certificates.
        folder: Folder of the certificates, if there is no file. Without both, those of httpx are trusted.
    """

    def __new__(cls, _file: str | None, _folder: str | None) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, file: str | None, folder: str | None) -> None:
        self._file = file
        self._folder = folder
        self._lock = Lock()
        self._settings: ssl.SSLContext | None = None
        self._protocols: list[str] | None = None

    def settings(self) -> ssl.SSLContext:
        """Return the context with the certificates.

        Raises:
            InvalidArgumentError: They cannot be read.
        """
        with self._lock:
            if self._settings is None:
                self._settings = self._read()
                if self._protocols is not None:
                    self._settings.set_alpn_protocols(self._protocols)
            return self._settings

    def _read(self) -> ssl.SSLContext:
        try:
            if self._file:
                return ssl.create_default_context(cafile=self._file)
            if self._folder:
                return ssl.create_default_context(capath=self._folder)
            return default_certificates()
        except OSError as error:
            raise InvalidArgumentError(self._problem(error)) from error

    def _problem(self, error: OSError) -> str:
        named = {"SSL_CERT_FILE": self._file, "SSL_CERT_DIR": self._folder}
        variables = " and ".join(f"{name} ({path})" for name, path in named.items() if path) or "Python trusts"
        return f"the certificates that {variables} names cannot be read: {error}; correct or unset the variable"

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        with self._lock:
            self._protocols = list(alpn_protocols)
            if self._settings is not None:
                self._settings.set_alpn_protocols(self._protocols)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        return self.settings().wrap_socket(*arguments, **options)

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        return self.settings().wrap_bio(*arguments, **options)

    def get_ca_certs(self, *arguments: Any, **options: Any) -> Any:
        return self.settings().get_ca_certs(*arguments, **options)


def _begins_with_certificate(path: str) -> bool:
    """Return whether a file can be read and its first certificate is valid, without reading the others."""
    try:
        if not Path(path).is_file():  # a pipe, for example, which can be read only once
            return False
        with Path(path).open("rb") as file:
            start = file.read(65536)
        first = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", start, re.DOTALL)
        if first is None:
            return False
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=first[0].decode("ascii"))
    except (OSError, ValueError):
        return False
    return True
