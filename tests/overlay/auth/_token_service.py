"""A Coze in the same process that issues tokens, and strategies that fetch tokens from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

import httpx

from cozekit.auth import Token, TokenAuth, WebOAuth
from tests.overlay._clients import Connect, at_once
from tests.overlay.auth._flows import SECRET, WEB_APP, ahead

__all__ = ["BASE", "REFUSED", "Service", "client", "strategy", "token"]

BASE = "https://api.coze.com"
REFUSED = httpx.Response(401, json={"code": 4100, "msg": "authentication is invalid"})


class Service:
    """A Coze with one valid access token and one valid refresh token at a time.

    Attributes:
        refreshes: The refresh token of each token request, or what went wrong instead.
        trouble: What the next token requests get instead of a token.
    """

    def __init__(self, lifetime: float = 900, skew: float = 0) -> None:
        self.refreshes: list[str] = []
        self.trouble: list[Any] = []
        self.calls: list[str] = []
        self.lifetime = lifetime
        self.clock = ahead(time.time, skew)
        self.dated = True
        self.rotates = True
        self.refresh_token: str | None = "r0"
        self.access_token = "a0"
        self.refuse: Callable[[str], bool] = lambda bearer: bearer != self.access_token
        self.refusal: Callable[[], httpx.Response] = lambda: REFUSED
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            response = self._token(request) if "/oauth2/" in request.url.path else self._call(request)
        if self.dated:
            response.headers["Date"] = formatdate(self.clock(), usegmt=True)
        return response

    def _call(self, request: httpx.Request) -> httpx.Response:
        bearer = request.headers["Authorization"].removeprefix("Bearer ")
        self.calls.append(bearer)
        if self.refuse(bearer):
            response = self.refusal()
            return httpx.Response(response.status_code, content=response.content, headers=response.headers)
        return httpx.Response(200, json={"code": 0, "data": {"user_id": "1"}})

    def _token(self, request: httpx.Request) -> httpx.Response:
        import json

        sent_token = json.loads(request.read()).get("refresh_token")
        if self.trouble:
            trouble = self.trouble.pop(0)
            self.refreshes.append(str(trouble))
            if trouble == "lost":
                self._rotate()
                raise httpx.ReadTimeout("lost", request=request)
            if isinstance(trouble, int):
                return httpx.Response(trouble, json={"error_code": "internal_error"})
            raise trouble("mocked", request=request)
        if sent_token != self.refresh_token:
            self.refreshes.append("refused")
            return httpx.Response(
                400, json={"error_code": "invalid_request", "error_message": "invalid request: refresh_token"}
            )
        self.refreshes.append(sent_token)
        self._rotate()
        answer = {"access_token": self.access_token, "expires_in": int(self.clock() + self.lifetime)}
        return httpx.Response(200, json={**answer, "refresh_token": self.refresh_token} if self.rotates else answer)

    def _rotate(self) -> None:
        number = int(self.access_token[1:]) + 1
        self.access_token, self.refresh_token = f"a{number}", f"r{number}" if self.rotates else self.refresh_token


def token(access: str = "a0", refresh: str | None = "r0", seconds: float = -3600) -> Token:
    return Token(access_token=access, refresh_token=refresh, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))


def strategy(initial: Token | None = None, **options: Any) -> TokenAuth:
    return WebOAuth(WEB_APP, SECRET, base_url=BASE).auth(initial, **options)


def client(connect: Connect, service: Service, auth: TokenAuth, **options: Any) -> Any:
    return connect(handler=service, auth=auth, **{"retry": at_once(), **options})
