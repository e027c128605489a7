"""JWT flow: tokens for services with a private key: developer, channel, collaboration and enterprise apps."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypedDict, Unpack

from coze_api._core._http import URL
from coze_api._core._operation import Operation
from coze_api._core._secrets import hidden
from coze_api.models import OAuthGrantType, OAuthScope
from coze_api.operations import oauth

from ..errors import InvalidArgumentError
from ._app_config import FromFile
from ._flow_base import OAuthFlowBase
from ._jwt_signer import Session, Signer, private_key_from
from ._token import Token
from ._token_auth import TokenAuth
from ._token_request import TokenRequest, require_ascii
from ._token_store import TokenStore

__all__ = ["JWTAuth", "JWTFlowBase", "JWTOptions"]


class JWTOptions(TypedDict, total=False):
    """Options of a token request with a JWT.

    Attributes:
        session_name: End user; the conversations of each end user are separate.
        device_id: Hardware id for usage limits of devices. Enterprise plans only.
        custom_consumer: Your own id for the same purpose; pass one of the two.
        duration: Lifetime of the token in seconds, 1 to 86399. Default: 900.
        scope: Permissions of the token of a channel app. Default: all permissions of the app.
        account_id: Account that authorized the app: the id of a user or an organization.
        enterprise_id: Enterprise that the app belongs to.
    """

    session_name: str | None
    device_id: str | None
    custom_consumer: str | None
    duration: int | None
    scope: OAuthScope | Mapping[str, Any] | None
    account_id: str | None
    enterprise_id: str | None


class JWTFlowBase(FromFile, OAuthFlowBase):
    _kind = "jwt"

    def __init__(
        self,
        client_id: str,
        private_key: str | None = None,
        public_key_id: str = "",
        *,
        private_key_file: str | os.PathLike[str] | None = None,
        base_url: str | None = None,
        audience: str | None = None,
        allow_http: bool = False,
        http_client: Any = None,
    ) -> None:
        """Describe the app.

        Args:
            client_id: Id of the app, from its settings.
            private_key: Private key of the app in PEM form.
            public_key_id: Fingerprint of the public key, from the app's settings.
            private_key_file: File with the private key, instead of the key.
            base_url: `COZE_COM`, `COZE_CN` or another URL. Default: COZE_API_BASE, else `COZE_COM`.
            audience: Host of Coze that the JWTs are for, such as ``api.coze.com``. Needed if *base_url* is your own
                gateway. Default: the host of *base_url*.
            allow_http: Whether *base_url* may be an unencrypted address of another machine.
            http_client: Your own httpx client, with proxies and so on. Closing it is up to you.

        Raises:
            InvalidArgumentError: An argument is invalid.
            CozeError: PyJWT is missing.
        """
        private_key = hidden(private_key)
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)
        require_ascii(public_key_id=public_key_id)
        key = private_key_from(private_key, private_key_file)
        audience = URL(self.base_url).host if audience is None else audience
        require_ascii(audience=audience)
        self._signer = Signer(client_id, public_key_id, audience, key)

    def renewing(self, options: JWTOptions) -> Callable[[float], TokenRequest]:
        """Return `token_request_factory`, which is the new name. Removed in 0.3.

        Raises:
            InvalidArgumentError: An option is invalid.
        """
        warnings.warn("renewing is called token_request_factory; 0.3 removes it", DeprecationWarning, stacklevel=2)
        return self.token_request_factory(options)

    def token_request_factory(self, options: JWTOptions) -> Callable[[float], TokenRequest]:
        """Return a function that builds the token request, with a new signature each time.

        Raises:
            InvalidArgumentError: An option is invalid.
        """
        unknown = options.keys() - JWTOptions.__annotations__.keys()
        if unknown:
            raise InvalidArgumentError(f"unknown options: {', '.join(sorted(unknown))}; see JWTOptions")
        operation, arguments = _operation(options)
        who = Session(options.get("session_name"), options.get("device_id"), options.get("custom_consumer"))
        claims = who.claims()
        TokenRequest(operation, arguments).request()  # checks them
        return partial(_signed_request, self._signer, claims, operation, arguments)


def _signed_request(
    signer: Signer, claims: Mapping[str, Any], operation: Operation[Any], arguments: Mapping[str, Any], now: float
) -> TokenRequest:
    return TokenRequest(operation, arguments, signer.sign(now, claims), time_sensitive=True)


def _operation(options: JWTOptions) -> tuple[Operation[Any], dict[str, Any]]:
    account, enterprise, scope = (options.get(name) for name in ("account_id", "enterprise_id", "scope"))
    duration: object = options.get("duration")
    if duration is not None and (not isinstance(duration, int) or duration < 1):
        raise InvalidArgumentError(f"duration must be 1 to 86399 seconds, not {duration!r:.40}")
    arguments = {"grant_type": OAuthGrantType.JWT_BEARER, "duration_seconds": duration}
    if account is not None and enterprise is not None:
        raise InvalidArgumentError("give either account_id or enterprise_id, not both")
    if account is None and enterprise is None:
        return oauth.TOKEN, {**arguments, "scope": scope}
    if scope is not None:
        raise InvalidArgumentError("a scope is for channel apps, without account_id and enterprise_id")
    if account is not None:
        return oauth.TOKEN_ACCOUNT, {**arguments, "account_id": account}
    return oauth.TOKEN_ENTERPRISE, {**arguments, "enterprise_id": enterprise}


class _JWTSource(JWTFlowBase):
    """A JWT app with fixed options."""

    def __init__(self, options: JWTOptions, /, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._build_request = self.token_request_factory(options)
        text = json.dumps({name: str(value) for name, value in options.items() if value is not None}, sort_keys=True)
        self._options_hash = hashlib.sha256(text.encode()).hexdigest()[:16] if text != "{}" else ""

    @property
    def default_key(self) -> str:
        """Default name of the token in stores: one for each set of options."""
        return f"{super().default_key} {self._options_hash}".strip()

    def renewal(self, token: Token | None) -> Callable[[float], TokenRequest]:  # noqa: ARG002 (flows with refresh tokens need it)
        """Return a function that builds the request for the next token."""
        return self._build_request


class JWTAuth(FromFile, TokenAuth):
    """Auth for `Coze(auth=…)` and `AsyncCoze(auth=…)` that gets tokens with JWTs and replaces them before they expire.

    ```python
    coze = Coze(auth=JWTAuth.from_file("app.json", session_name="user-17"))
    ```
    """

    _kind = "jwt"

    def __init__(
        self,
        client_id: str,
        private_key: str | None = None,
        public_key_id: str = "",
        *,
        private_key_file: str | os.PathLike[str] | None = None,
        base_url: str | None = None,
        audience: str | None = None,
        allow_http: bool = False,
        store: TokenStore | None = None,
        key: str | None = None,
        leeway: float = 60,
        **options: Unpack[JWTOptions],
    ) -> None:
        """Describe the app and the tokens.

        Args:
            client_id: Id of the app, from its settings.
            private_key: Private key of the app in PEM form.
            public_key_id: Fingerprint of the public key, from the app's settings.
            private_key_file: File with the private key, instead of the key.
            base_url: `COZE_COM`, `COZE_CN` or another URL. Default: COZE_API_BASE, else `COZE_COM`.
            audience: Host of Coze that the JWTs are for, such as ``api.coze.com``. Needed if *base_url* is your own
                gateway. Default: the host of *base_url*.
            allow_http: Whether *base_url* may be an unencrypted address of another machine.
            store: Stores the token, so that several processes share it. Default: in memory only.
            key: Name of the token in the store. Default: one for each app, host and set of options.
            leeway: A token is replaced this many seconds before it expires.
            **options: See `JWTOptions`.

        Raises:
            InvalidArgumentError: An argument is invalid.
            CozeError: PyJWT is missing.
        """
        private_key = hidden(private_key)
        source = _JWTSource(
            options,
            client_id,
            private_key,
            public_key_id,
            private_key_file=private_key_file,
            base_url=base_url,
            audience=audience,
            allow_http=allow_http,
        )
        super().__init__(source, store=store, key=key, leeway=leeway)
