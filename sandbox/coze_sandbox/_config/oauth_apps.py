"""OAuth apps: those of the seed data, and the key pairs of apps that sign JWTs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import attrs

from .._common.localhost import is_loopback_host

__all__ = ["APPS", "CHANNEL_APP", "ENTERPRISE_APP", "PUBLIC_APP", "SERVICE_APP", "WEB_APP", "AppKeys", "OAuthApp"]

_KINDS = ("web", "public", "service", "channel", "enterprise", "any")
_KEY_BITS = 2048


@attrs.frozen(kw_only=True)
class OAuthApp:
    """An OAuth app with its registered settings.

    Attributes:
        client_id: Client id; `iss` of the JWTs of a service app.
        kind: `web` (code and secret), `public` (PKCE and devices), `service` (JWT of a developer), `channel` (JWT of a
            channel), `enterprise` (JWT of an enterprise privileged app) or `any` (all of these, with any secret, key
            and redirect address).
        name: Name on the consent page.
        client_secret: Secret of a `web` app.
        redirect_uris: Allowed redirect addresses. A loopback address matches any port, and any path if it has none.
        permissions: Permissions of its tokens; None for all.
        public_key: Public key in PEM of an app that signs. Without one a key pair is created on first use, and
            `OAuthControl.jwt_config` returns the private key.
    """

    client_id: str
    kind: str = attrs.field(validator=attrs.validators.in_(_KINDS))
    name: str = "An app"
    client_secret: str | None = attrs.field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    permissions: frozenset[str] | None = None
    public_key: str | None = None

    @property
    def signs(self) -> bool:
        """Whether it requests tokens with JWTs."""
        return self.kind in {"service", "channel", "enterprise"}

    def may_return_to(self, address: str) -> bool:
        """Return whether *address* is an allowed redirect address."""
        return self.kind == "any" or any(address == uri or _same_loopback(uri, address) for uri in self.redirect_uris)


_LOOPBACK = ("http://127.0.0.1", "http://localhost")

WEB_APP = OAuthApp(
    client_id="81730000000000000000000000000001.app.coze",
    kind="web",
    name="Sandbox web app",
    client_secret="secret_sandbox",  # noqa: S106 - opens nothing but sandboxes
    redirect_uris=("https://app.example.com/callback", *_LOOPBACK),
)
"""A web app with a secret."""

PUBLIC_APP = OAuthApp(
    client_id="81730000000000000000000000000002.app.coze",
    kind="public",
    name="Sandbox desktop app",
    redirect_uris=("https://app.example.com/callback", *_LOOPBACK),
)
"""An app without a secret, for PKCE and device codes."""

SERVICE_APP = OAuthApp(client_id="1173000000003", kind="service", name="Sandbox service app")
"""An app that signs JWTs."""

CHANNEL_APP = OAuthApp(
    client_id="1173000000004", kind="channel", name="Sandbox channel app", permissions=frozenset({"Connector.botChat"})
)
"""A channel app, which signs JWTs and may chat with bots."""

ENTERPRISE_APP = OAuthApp(client_id="1173000000005", kind="enterprise", name="Sandbox enterprise app")
"""An enterprise privileged app, which signs JWTs."""

APPS = (WEB_APP, PUBLIC_APP, SERVICE_APP, CHANNEL_APP, ENTERPRISE_APP)
"""The apps that every sandbox has."""


class AppKeys:
    """Key pairs of apps that sign.

    They are created on first use and never written to disk.
    """

    def __init__(self, apps: Iterable[OAuthApp]) -> None:
        self._registered = {app.client_id: app.public_key for app in apps if app.public_key}
        self._private: dict[str, str] = {}
        self._public: dict[str, str] = {}  # cached: loading a private key is slow

    def public(self, client_id: str) -> str:
        """Return the public key of an app, in PEM."""
        if client_id in self._registered:
            return self._registered[client_id]
        if client_id not in self._public:
            self._public[client_id] = _public_half(self.private(client_id))
        return self._public[client_id]

    def private(self, client_id: str) -> str:
        """Return the private key of an app, in PEM.

        Raises:
            ValueError: The app was registered with a public key of its own.
        """
        if client_id in self._registered:
            raise ValueError(f"the private key of {client_id} is unknown: the app has a public key of its own")
        if client_id not in self._private:
            self._private[client_id] = _new_key()
        return self._private[client_id]

    def key_id(self, client_id: str) -> str:
        """Return the fingerprint of the public key: `kid` in the header of a JWT."""
        text = "".join(self.public(client_id).split())
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

    def jwt_config(self, app: OAuthApp, base_url: str) -> dict[str, Any]:
        """Return the configuration of an app in the format of the file that developers download from Coze.

        Raises:
            ValueError: The app does not sign, or its private key is unknown.
        """
        if not app.signs:
            raise ValueError(f"{app.name} does not sign JWTs: use an app of the kind service, channel or enterprise")
        return {
            "client_type": "jwt",
            "client_id": app.client_id,
            "coze_www_base": base_url,
            "coze_api_base": base_url,
            "private_key": self.private(app.client_id),
            "public_key_id": self.key_id(app.client_id),
        }


def _new_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


def _public_half(private: str) -> str:
    from cryptography.hazmat.primitives import serialization

    public = serialization.load_pem_private_key(private.encode(), password=None).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def _same_loopback(registered: str, address: str) -> bool:
    """Compare two loopback addresses; the port may differ (RFC 8252, 7.3)."""
    try:
        own, other = urlsplit(registered), urlsplit(address)
    except ValueError:
        return False
    if (own.scheme, own.hostname) != (other.scheme, other.hostname) or not is_loopback_host(other.hostname or ""):
        return False
    return not own.path or (own.path, own.query) == (other.path, other.query)
