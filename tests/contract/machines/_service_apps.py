"""Apps that sign JWTs for their tokens."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import attrs
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, rule

from coze_sandbox import (
    BOT_ID,
    CHANNEL_APP,
    COLLEAGUE_IDS,
    ENTERPRISE_APP,
    ENTERPRISE_ID,
    ORGANIZATION_ID,
    SERVICE_APP,
    USER_ID,
)
from tests.contract.machines._tokens import LIFETIME, TokenMachine, bearer

__all__ = ["ServiceApps"]

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NO_PERMISSION = 4101
APPS = (SERVICE_APP.client_id, CHANNEL_APP.client_id, ENTERPRISE_APP.client_id)
OTHER_BOT = "7300000000000000999"
# What a token may be for, the apps that get it, and the account that it then shows.
AIMS = {
    "app": ((SERVICE_APP.client_id, CHANNEL_APP.client_id), USER_ID),
    "account": ((SERVICE_APP.client_id,), COLLEAGUE_IDS[0]),
    "organization": ((SERVICE_APP.client_id,), USER_ID),
    "enterprise": ((ENTERPRISE_APP.client_id,), USER_ID),
}
FAULTS: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "another audience": lambda claims, headers: claims.update(aud="www.example.com"),
    "another key": lambda claims, headers: headers.update(kid="other"),
    "from the future": lambda claims, headers: claims.update(iat=claims["iat"] + 3600, exp=claims["exp"] + 7200),
    "over": lambda claims, headers: claims.update(iat=claims["iat"] - 60, exp=claims["iat"]),
    "backwards": lambda claims, headers: claims.update(exp=claims["iat"]),
    "an unknown app": lambda claims, headers: claims.update(iss="1"),
    **{
        f"no {name}": lambda claims, headers, name=name: claims.pop(name)
        for name in ("iss", "aud", "iat", "exp", "jti")
    },
}


@functools.cache
def read_key(pem: str) -> Any:
    """Read a private key, once, for that takes long."""
    return load_pem_private_key(pem.encode(), password=None)


@attrs.frozen
class Signed:
    """A JWT, and what is in it."""

    text: str
    app: str
    jti: str
    expires_at: int


class ServiceApps(TokenMachine):
    """Any order of JWTs signed and spent, in time or late, once or again, and of the tokens that they are worth."""

    jwts = Bundle("jwts")

    def begin(self) -> None:
        """Begin with apps that are all active."""
        super().begin()
        self.spent: set[str] = set()
        self.numbers = itertools.count()
        self.inactive: set[str] = set()

    @initialize(target=jwts)
    def first(self) -> Any:
        """Spend a JWT for each kind of token: they can be tried again then."""
        spent = [(self.sign(apps[0], 600), aim) for aim, (apps, _) in AIMS.items()]
        for signed, aim in spent:
            self.spend(signed, aim, None)
        return multiple(*(signed for signed, _ in spent))

    @rule(target=jwts, app=st.sampled_from(APPS), seconds=st.sampled_from([60, 600]))
    def sign(self, app: str, seconds: int) -> Any:
        """An app signs a JWT, which is not sent yet."""
        jti = f"jti-{next(self.numbers)}"
        claims, headers, key = self.parts(app, jti, seconds)
        return Signed(jwt.encode(claims, key, "RS256", headers), app, jti, self.now + seconds)

    @rule(target=jwts, other=jwts)
    def sign_alike(self, other: Signed) -> Any:
        """An app signs a JWT with a number that it has used before."""
        claims, headers, key = self.parts(other.app, other.jti, 600)
        return Signed(jwt.encode(claims, key, "RS256", headers), other.app, other.jti, self.now + 600)

    @rule(jwt_=jwts, aim=st.sampled_from([*AIMS]), seconds=st.none() | st.sampled_from([1, 60, 86_399]))
    def spend(self, jwt_: Signed, aim: str, seconds: int | None) -> None:
        """A JWT is worth one token, if it is in time and its app may have such a token."""
        call, arguments = self.operation_for(aim)
        arguments |= {"extra_headers": bearer(jwt_.text), "duration_seconds": seconds}
        apps, user_id = AIMS[aim]
        if jwt_.app in self.inactive:
            self.denied("access_deny", call, **arguments)
        elif jwt_.expires_at <= self.now or jwt_.jti in self.spent:
            self.denied("invalid_client", call, **arguments)
        elif jwt_.app not in apps:
            self.denied("access_deny", call, **arguments)
        else:
            response = call(**arguments)
            assert not response.extra_fields  # and so no refresh token
            self.spent.add(jwt_.jti)
            self.denied("invalid_client", call, **arguments)
            # That of a channel may chat, and look at nothing.
            self.granted(response, seconds or LIFETIME, None if jwt_.app == CHANNEL_APP.client_id else user_id)

    @rule(fault=st.sampled_from([*FAULTS]))
    def spend_wrong(self, fault: str) -> None:
        """A JWT with a wrong header or claim is worth nothing."""
        self.activate(SERVICE_APP.client_id, True)
        claims, headers, key = self.parts(SERVICE_APP.client_id, f"jti-{next(self.numbers)}", 600)
        FAULTS[fault](claims, headers)
        text = jwt.encode(claims, key, "RS256", headers)
        self.denied("invalid_client", self.coze.oauth.token, grant_type=GRANT, extra_headers=bearer(text))

    @rule()
    def spend_forged(self) -> None:
        """A JWT that another app signed is worth nothing."""
        self.activate(SERVICE_APP.client_id, True)
        claims, headers, _ = self.parts(SERVICE_APP.client_id, f"jti-{next(self.numbers)}", 600)
        _, _, key = self.parts(CHANNEL_APP.client_id, "", 600)
        text = jwt.encode(claims, key, "RS256", headers)
        self.denied("invalid_client", self.coze.oauth.token, grant_type=GRANT, extra_headers=bearer(text))

    @rule(may_chat=st.booleans())
    def chat(self, may_chat: bool) -> None:
        """A token of a channel reaches the bots of its scope, and no others."""
        if CHANNEL_APP.client_id in self.inactive:
            return
        scope = {
            "account_permission": {"permission_list": ["Connector.botChat"]},
            "attribute_constraint": {
                "connector_bot_chat_attribute": {"bot_id_list": [BOT_ID if may_chat else OTHER_BOT]}
            },
        }
        signed = self.sign(CHANNEL_APP.client_id, 600)
        response = self.coze.oauth.token(grant_type=GRANT, scope=scope, extra_headers=bearer(signed.text))
        self.spent.add(signed.jti)
        self.granted(response, user_id=None)
        arguments = {"user_id": "u", "additional_messages": ["Hi"], "extra_headers": bearer(response.access_token)}
        if may_chat:
            assert self.coze.chat.create(bot_id=BOT_ID, **arguments).bot_id == BOT_ID
        else:
            self.refused(NO_PERMISSION, self.coze.chat.create, bot_id=BOT_ID, **arguments)

    @rule(app=st.sampled_from(APPS), is_active=st.booleans())
    def activate(self, app: str, is_active: bool) -> None:
        """The owner of an app lets nobody use it, or everybody again."""
        self.sandbox.oauth.set_active(app, active=is_active)
        (self.inactive.discard if is_active else self.inactive.add)(app)

    @rule(seconds=st.sampled_from([1, 60, 300]))
    def wait(self, seconds: int) -> None:
        """Time goes by."""
        self.later(seconds)

    def parts(self, app: str, jti: str, seconds: int) -> tuple[dict[str, Any], dict[str, Any], Any]:
        """Return claims, headers and key of a JWT that is right."""
        config = self.sandbox.oauth.jwt_config(app)
        claims = {"iss": app, "aud": "api.coze.cn", "iat": self.now, "exp": self.now + seconds, "jti": jti}
        return claims, {"kid": config["public_key_id"]}, read_key(config["private_key"])

    def operation_for(self, aim: str) -> tuple[Callable[..., Any], dict[str, Any]]:
        """Return the operation for a kind of token, and the arguments that select its owner."""
        oauth, arguments = self.coze.oauth, {"grant_type": GRANT}
        if aim == "app":
            return oauth.token, arguments
        if aim == "enterprise":
            return oauth.token_enterprise, {**arguments, "enterprise_id": ENTERPRISE_ID}
        account = ORGANIZATION_ID if aim == "organization" else COLLEAGUE_IDS[0]
        return oauth.token_account, {**arguments, "account_id": account}
