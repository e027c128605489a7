"""Tokens for services, which sign for themselves: developer, channel, collaboration and enterprise apps."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypedDict, Unpack

from coze_api._core._http import URL, AsyncHTTPClient, HTTPClient
from coze_api._core._operation import Operation
from coze_api._core._secrets import hidden
from coze_api.models import OAuthGrantType, OAuthScope
from coze_api.operations import oauth

from ..errors import InvalidArgumentError
from ._app_config import FromFile
from ._flow import AsyncFlow, Flow, SyncFlow
from ._jwt_signer import Session, Signer, private_key_from
from ._token import Token
from ._token_auth import TokenAuth
from ._token_request import Grant, asking, given
from ._token_store import TokenStore

__all__ = ["AsyncJWTOAuth", "JWTAuth", "JWTOAuth", "JWTOptions"]


class JWTOptions(TypedDict, total=False):
    """What a token is asked for with a JWT.

    Attributes:
        session_name: End user of the caller, whose conversations are kept apart from those of others.
        device_id: Hardware id by which the usage of devices is controlled. Enterprise plans only.
        custom_consumer: Id of your own for the same; give one of the two.
        duration: Seconds that the token shall be valid, 1 to 86399. Default: 900.
        scope: What the token of a channel app shall be good for. Default: all that the app may do.
        account_id: Account whose owner lets the app act for it: a user's id, or an organization's.
        enterprise_id: Enterprise whose app this is.
    """

    session_name: str | None
    device_id: str | None
    custom_consumer: str | None
    duration: int | None
    scope: OAuthScope | Mapping[str, Any] | None
    account_id: str | None
    enterprise_id: str | None


class _JWT(FromFile, Flow):
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
            base_url: `COZE_COM`, `COZE_CN` or another address. Default: COZE_API_BASE, else `COZE_COM`.
            audience: Host of Coze that the JWTs are for, such as ``api.coze.com``. To be told where *base_url* is a
                gateway of your own. Default: the host of *base_url*.
            allow_http: Whether the address may be one without encryption that is not of this machine.
            http_client: An httpx client with proxies and so on of your own, which stays yours to close.

        Raises:
            InvalidArgumentError: An argument is unusable.
            CozeError: PyJWT is missing.
        """
        private_key = hidden(private_key)
        super().__init__(client_id, base_url=base_url, allow_http=allow_http, http_client=http_client)
        given(public_key_id=public_key_id)
        key = private_key_from(private_key, private_key_file)
        audience = URL(self.base_url).host if audience is None else audience
        given(audience=audience)
        self._signer = Signer(client_id, public_key_id, audience, key)

    def renewing(self, options: JWTOptions) -> Callable[[float], Grant]:
        """Return what makes the request for a token, signed anew each time.

        Raises:
            InvalidArgumentError: An option is unusable.
        """
        unknown = options.keys() - JWTOptions.__annotations__.keys()
        if unknown:
            raise InvalidArgumentError(f"there is no option {', '.join(sorted(unknown))}")
        operation, arguments = _operation(options)
        who = Session(options.get("session_name"), options.get("device_id"), options.get("custom_consumer"))
        claims = who.claims()
        Grant(operation, arguments).request()  # checks them
        return partial(_signed, self._signer, claims, operation, arguments)


def _signed(
    signer: Signer, claims: Mapping[str, Any], operation: Operation[Any], arguments: Mapping[str, Any], now: float
) -> Grant:
    return Grant(operation, arguments, signer.sign(now, claims), dated=True)


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


class JWTOAuth(_JWT, SyncFlow):
    """JWT: a service gets tokens for itself, or for its end users, without anybody's consent each time.

    ```python
    jwt = JWTOAuth.from_file("app.json")  # from the console of Coze
    token = jwt.token(session_name="user-17", duration=3600)
    ```

    For a client that gets its tokens by itself, see `JWTAuth`. See https://www.coze.cn/open/docs/developer_guides/oauth_jwt.
    """

    _http_client: HTTPClient | None

    def token(self, **options: Unpack[JWTOptions]) -> Token:
        """Get a token.

        Args:
            **options: See `JWTOptions`.

        Raises:
            InvalidArgumentError: An option is unusable.
            InvalidClient: Coze does not accept the JWT.
            OAuthError: Coze gives no token for another reason.
            CozeError: No answer came.
        """
        return self._run(asking(self.renewing(options)))


class AsyncJWTOAuth(_JWT, AsyncFlow):
    """`JWTOAuth` for use from an event loop."""

    _http_client: AsyncHTTPClient | None

    async def token(self, **options: Unpack[JWTOptions]) -> Token:
        """Get a token. See `JWTOAuth.token`."""
        return await self._run(asking(self.renewing(options)))


class _JWTSource(_JWT):
    """A JWT app that always asks for the same kind of token."""

    def __init__(self, options: JWTOptions, /, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._renewing = self.renewing(options)
        said = json.dumps({name: str(value) for name, value in options.items() if value is not None}, sort_keys=True)
        self._variant = hashlib.sha256(said.encode()).hexdigest()[:16] if said != "{}" else ""

    @property
    def default_key(self) -> str:
        """Name of the token in stores: one for each kind of token."""
        return f"{super().default_key} {self._variant}".strip()

    def renewal(self, token: Token | None) -> Callable[[float], Grant]:  # noqa: ARG002 (as the flows that need it)
        """Return what makes the request for the next token."""
        return self._renewing


class JWTAuth(FromFile, TokenAuth):
    """Strategy for `Coze(auth=…)` and `AsyncCoze(auth=…)` that gets tokens with JWTs, and new ones before they expire.

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
            base_url: `COZE_COM`, `COZE_CN` or another address. Default: COZE_API_BASE, else `COZE_COM`.
            audience: Host of Coze that the JWTs are for, such as ``api.coze.com``. To be told where *base_url* is a
                gateway of your own. Default: the host of *base_url*.
            allow_http: Whether the address may be one without encryption that is not of this machine.
            store: Keeps the token, so that several processes share it. Default: in memory only.
            key: Name of the token in the store. Default: one for each app, host and set of options.
            leeway: Seconds before it expires at which a token is replaced.
            **options: See `JWTOptions`.

        Raises:
            InvalidArgumentError: An argument is unusable.
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
