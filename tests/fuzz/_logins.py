"""Mutated responses to every login flow, and to the strategies that renew tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import attrs
import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cozekit import AsyncCoze, Coze, auth
from cozekit.errors import CozeError
from tests.fuzz._answers import Texts, echo
from tests.fuzz._cases import Case, drive, on_loop
from tests.fuzz._description import operation, operations
from tests.fuzz._replies import mutated, valid
from tests.fuzz._use import Secrets, end_by, settled

__all__ = ["logins"]

_CODE = "code_AUTHORIZATIONcodeOfTheFuzzer01234567890"
_VERIFIER = "VERIFIERofTheFuzzer0123456789012345678901234567890"
_DEVICE = "dev_DEVICEcodeOfTheFuzzer012345678901234567"
_OLD = "rft_OLDrefreshTokenOfTheFuzzer012345678901"
_MOST_REQUESTS = 25
_ID = "8173420653665306.app.coze"
_WAYS = (
    "web.exchange",
    "web.refresh",
    "pkce.exchange",
    "device.start",
    "device.wait",
    "jwt.token",
    "JWTAuth",
    "TokenAuth",
)


@cache
def _key() -> str:
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _secrets(texts: Texts) -> Secrets:
    middle = _key().splitlines()[5]
    return Secrets((texts.app, _OLD, _VERIFIER, _CODE, middle), (*texts.answered, _DEVICE))


class _Service:
    """Responds to token requests with mutated responses, to others with valid responses or errors."""

    def __init__(self, rng: Random, done: list[str], good: str, texts: Texts) -> None:
        self._rng = rng
        self._done = done
        self._good = good
        self._texts = texts
        self._requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request.

        Raises:
            httpx.HTTPError: There is no response.
        """
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            return httpx.Response(400, json={"error_code": "invalid_grant", "error_message": "enough"})
        requested = next(
            candidate
            for candidate in operations()
            if candidate.verb == request.method and candidate.path.fullmatch(request.url.path)
        )
        if not requested.gives_tokens:
            if self._rng.random() < 0.3:
                return httpx.Response(401, json={"code": 4100, "msg": "wrong token"})
            return httpx.Response(200, json=valid(requested, self._rng)[0])
        if requested.id == self._good:
            tree = json.loads(json.dumps(requested.sample))
            tree.update(device_code=_DEVICE)
            return httpx.Response(200, json=tree)
        if self._rng.random() < 0.15:
            reason = self._rng.choice(
                ("authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_client")
            )
            return httpx.Response(400, json={"error_code": reason, "error_message": reason})
        if self._rng.random() < 0.03:
            reply = echo(request, self._rng)
            self._done += reply.done
            return reply.response()
        kinds = "vvvvvbbhhscx"
        reply = mutated(operation(requested.id), self._rng, self._texts.answered, kinds=kinds)
        if self._rng.random() < 0.1:
            reply.set(
                b"Date", self._rng.choice((b"Fri, 31 Dec 9999 23:59:59 GMT", b"Mon, 01 Jan 0001 00:00:00 +2359", b"x"))
            )
        self._done += reply.done
        return reply.response()


def logins(case: Case) -> None:
    """Log in, or call with a strategy that logs in, while responses to token requests are mutated."""
    rng, texts = case.rng(), Texts.of(case)
    way = case.operation = _WAYS[case.number % len(_WAYS)]
    wait = rng.random() < 0.5
    case.done.append(f"[{'async' if wait else 'sync'}]")
    service = _Service(rng, case.done, "oauth.device_code" if way == "device.wait" else "", texts)
    coroutine = _log_in(case, way, service, wait, rng, texts)
    on_loop(coroutine) if wait else drive(coroutine)


async def _log_in(
    case: Case, way: str, service: Callable[[httpx.Request], httpx.Response], wait: bool, rng: Random, texts: Texts
) -> None:
    secrets = _secrets(texts)
    transport = httpx.MockTransport(service)
    http: Any = httpx.AsyncClient(transport=transport) if wait else httpx.Client(transport=transport)
    try:
        result = await _step(way, wait, http, rng, texts)
        case.step = "use of the result"
        secrets.refuse("repr of the result", repr(result), answered=True)
        secrets.refuse("str of the result", str(result), answered=True)
        if isinstance(result, auth.Token):
            repr(type(result).from_dict(result.to_dict()))
            result.expired()
        if hasattr(result, "verification_url"):
            _ = result.verification_url
    except CozeError as error:
        end_by(error, case, secrets, variables=rng.random() < 0.2)
    finally:
        await settled(http.aclose() if wait else http.close())


async def _step(way: str, wait: bool, http: Any, rng: Random, texts: Texts) -> Any:
    options: dict[str, Any] = {"base_url": "https://api.coze.com", "http_client": http}
    old = auth.Token(access_token="czu_old", expires_at=datetime.now(UTC) - timedelta(days=1), refresh_token=_OLD)
    if way.startswith("web"):
        web: Any = (auth.AsyncWebOAuth if wait else auth.WebOAuth)(
            _ID, texts.app, "https://app.example.com/", **options
        )
        return await settled(web.exchange(_CODE) if way.endswith("exchange") else web.refresh(old))
    if way.startswith("pkce"):
        pkce: Any = (auth.AsyncPKCEOAuth if wait else auth.PKCEOAuth)(_ID, "https://app.example.com/", **options)
        return await settled(pkce.exchange(_CODE, code_verifier=_VERIFIER))
    if way.startswith("device"):
        device: Any = (auth.AsyncDeviceOAuth if wait else auth.DeviceOAuth)(_ID, **options)
        code = await settled(device.start())
        if way.endswith("start"):
            return code
        if wait:
            return await device.wait(code, timeout=600)
        checks = iter((False, False, False))  # then the caller stops waiting
        return device.wait(attrs.evolve(code, interval=1e-9), cancel=lambda: next(checks, True))
    if way == "jwt.token":
        jwt: Any = (auth.AsyncJWTOAuth if wait else auth.JWTOAuth)(_ID, _key(), "kid", **options)
        return await settled(jwt.token(duration=900))
    if way == "JWTAuth":
        strategy: Any = auth.JWTAuth(_ID, _key(), "kid", base_url="https://api.coze.com")
    else:
        strategy = auth.WebOAuth(_ID, texts.app, "https://app.example.com/", base_url="https://api.coze.com").auth(old)
    client: Any = (AsyncCoze if wait else Coze)(
        auth=strategy, http_client=http, **({} if rng.random() < 0.5 else {"retry": 0})
    )
    try:
        for _ in range(2):
            try:
                await settled(client.users.me())
            except CozeError:
                if rng.random() < 0.5:
                    raise
        return await settled(client.users.me())
    finally:
        await settled(client.close())
