"""JWTs by which an app proves who it is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

import attrs

from coze_api._core._secrets import hidden

from .._private_files import read_regular
from ..errors import CozeError, InvalidArgumentError

__all__ = ["Session", "Signer", "private_key_from"]

_LIFETIME = 600
"""Seconds that a JWT is valid. Each JWT is used for one token request, at once."""


class Session(NamedTuple):
    """The end user or device that a token is requested for.

    Attributes:
        session_name: End user of the app. Conversations of different end users are separate.
        device_id: Hardware id by which Coze counts and limits the usage of devices. Enterprise plans only.
        custom_consumer: An id of your own for the same purpose. Pass at most one of the two.
    """

    session_name: str | None = None
    device_id: str | None = None
    custom_consumer: str | None = None

    def claims(self) -> dict[str, Any]:
        """Return the claims for it.

        Raises:
            InvalidArgumentError: Both ids are given, or a value is not a string or is empty.
        """
        for name, value in self._asdict().items():
            if value is not None and (not isinstance(value, str) or not value):
                raise InvalidArgumentError(f"{name} must be a non-empty str, not {value!r:.40}")
        if self.device_id and self.custom_consumer:
            raise InvalidArgumentError("give either device_id or custom_consumer, not both")
        device = {name: value for name, value in self._asdict().items() if value and name != "session_name"}
        claims: dict[str, Any] = {"session_context": {"device_info": device}} if device else {}
        return {**claims, "session_name": self.session_name} if self.session_name else claims


@attrs.frozen
class Signer:
    """Signs JWTs for an app. `repr` shows no key."""

    client_id: str
    public_key_id: str
    audience: str
    _key: Any = attrs.field(repr=False)

    def sign(self, now: float, claims: Mapping[str, Any]) -> str:
        """Return a JWT, which works once.

        Args:
            now: The current time by the clock of Coze, in Unix time.
            claims: Further claims.
        """
        jwt = _load_jwt()
        issued = int(now)
        standard = {
            "iss": self.client_id,
            "aud": self.audience,
            "iat": issued,
            "exp": issued + _LIFETIME,
            "jti": secrets.token_urlsafe(36),
        }
        return str(jwt.encode({**claims, **standard}, self._key, "RS256", headers={"kid": self.public_key_id}))


def private_key_from(text: str | None, path: str | os.PathLike[str] | None) -> Any:
    """Read a private key, from text or from a file.

    Raises:
        InvalidArgumentError: No key is given, or it is not an RSA key in PEM format. The message does not show the key.
        CozeError: PyJWT is missing.
    """
    text = hidden(text)
    _load_jwt()
    key, problem = _read_key(text, path)
    if problem:
        raise InvalidArgumentError(problem)
    return key


def _read_key(text: object, path: str | os.PathLike[str] | None) -> tuple[Any, str]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if (text is None) == (path is None):
        return None, "give either private_key or private_key_file"
    try:
        content = read_regular(path, follow=True) if path is not None else text.encode()  # type: ignore[attr-defined]  # below
    except OSError as error:
        name = os.fspath(path)  # type: ignore[arg-type]  # only files raise this
        return None, f"private_key_file {name!r} cannot be read: {error.strerror}"
    except AttributeError:
        return None, f"private_key must be a str, not {type(text).__name__}; for a file give private_key_file"
    if b"\\n" in content:
        content = content.replace(b"\\n", b"\n")  # escaped, as in environment variables and YAML
    try:
        key = load_pem_private_key(content.strip(), password=None)
    except Exception as error:
        return None, f"private_key is not a private key in PEM format ({type(error).__name__})"
    if not isinstance(key, RSAPrivateKey):
        return None, "private_key is not an RSA key; Coze accepts only RS256"
    return key, ""


def _load_jwt() -> Any:
    try:
        import jwt
        import jwt.algorithms

        missing = not jwt.algorithms.has_crypto
    except ImportError:
        missing = True
    if missing:
        raise CozeError('JWTs need PyJWT with cryptography: pip install "cozekit[jwt]"')
    return jwt
