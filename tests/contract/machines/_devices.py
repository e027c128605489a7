"""Devices that ask for tokens, whose users decide elsewhere."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, precondition, rule

from coze_sandbox import PUBLIC_APP, USER_ID
from cozekit.errors import APIError
from tests.contract.machines._base import MANY, Machine

__all__ = ["Devices"]

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@attrs.define
class Kept:
    """A device code as it should be."""

    user_code: str
    interval: int
    asked_at: int | None = None
    allowed: bool | None = None


class Devices(Machine):
    """Any order of codes given out, asked about and decided, and of tokens used and refreshed."""

    codes = Bundle("codes")
    refreshers = Bundle("refreshers")

    def begin(self) -> None:
        """Begin without any."""
        self.kept: dict[str, Kept] = {}
        self.tokens: list[str] = []

    @initialize(target=codes)
    def first(self) -> Any:
        """Give one code out and ask about it, the second time too soon: much can happen then."""
        code = self.start()
        self.ask(code)
        self.ask(code)
        return code

    @initialize(target=refreshers)
    def second(self) -> Any:
        """Give another one out, whose user allows it at once."""
        code = self.start()
        self.decide(code, True)
        return self.ask(code)

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=codes)
    def start(self) -> Any:
        """A device gets codes that no other has."""
        told = self.coze.oauth.device_code(client_id=PUBLIC_APP.client_id)
        assert told.device_code not in self.kept
        assert told.user_code not in {one.user_code for one in self.kept.values()}
        self.kept[told.device_code] = Kept(told.user_code, told.interval)
        return told.device_code

    @rule(code=codes, allow=st.booleans())
    def decide(self, code: str, allow: bool) -> None:
        """The user decides, once."""
        kept = self.kept.get(code)
        if kept is not None and kept.allowed is None:
            self.sandbox.oauth.decide(kept.user_code, allow=allow)
            kept.allowed = allow

    @rule(seconds=st.sampled_from([1, 3, 10]))
    def wait(self, seconds: int) -> None:
        """Time goes by, but not so much that a code expires."""
        self.later(seconds)

    @rule(target=refreshers, code=codes)
    def ask(self, code: str) -> Any:
        """The device is told to wait, to ask less often, that it was refused, or its tokens, once."""
        kept, arguments = self.kept.get(code), {"client_id": PUBLIC_APP.client_id, "device_code": code}
        if kept is None:
            self.turned_away("invalid_request", grant_type=GRANT, **arguments)
            return multiple()
        is_hasty = kept.asked_at is not None and self.now < kept.asked_at + kept.interval
        kept.asked_at = self.now
        if is_hasty or not kept.allowed:
            waits = "authorization_pending" if kept.allowed is None else "access_denied"
            self.turned_away("slow_down" if is_hasty else waits, grant_type=GRANT, **arguments)
            return multiple()
        del self.kept[code]
        refresher = self.granted(self.coze.oauth.token(grant_type=GRANT, **arguments))
        self.turned_away("invalid_request", grant_type=GRANT, **arguments)
        return refresher

    @rule(target=refreshers, refresher=consumes(refreshers))
    def refresh(self, refresher: str) -> Any:
        """A refresh token gives new tokens, and works once."""
        arguments = {"client_id": PUBLIC_APP.client_id, "refresh_token": refresher}
        told = self.coze.oauth.token(grant_type="refresh_token", **arguments)
        self.turned_away("invalid_request", grant_type="refresh_token", **arguments)
        return self.granted(told)

    @invariant()
    def tokens_work(self) -> None:
        """Every token that was given out lets its owner in."""
        for token in self.tokens:
            headers = {"Authorization": f"Bearer {token}"}
            assert self.coze.users.me(extra_headers=headers).user_id == USER_ID

    def granted(self, told: Any) -> str:
        """Keep the tokens that were given out."""
        assert told.access_token not in self.tokens
        self.tokens.append(told.access_token)
        return str(told.refresh_token)

    def turned_away(self, reason: str, **arguments: Any) -> None:
        """Check that a request for a token is refused for the right reason."""
        with pytest.raises(APIError) as caught:
            self.coze.oauth.token(**arguments)
        assert caught.value.reason == reason
