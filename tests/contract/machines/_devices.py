"""Devices that request tokens, whose users decide elsewhere."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, multiple, precondition, rule

from coze_sandbox import PUBLIC_APP, WORKSPACE_ID
from tests.contract.machines._base import MANY
from tests.contract.machines._tokens import TokenMachine, bearer

__all__ = ["Devices"]

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
NO_PERMISSION = 4101


@attrs.define
class Kept:
    """A device code as it should be."""

    user_code: str
    interval: int
    expires_at: int
    workspace_id: str | None
    polled_at: int | None = None
    allowed: bool | None = None


class Devices(TokenMachine):
    """Any order of codes given out, polled and decided, and of tokens used and refreshed."""

    codes = Bundle("codes")
    refreshers = Bundle("refreshers")

    def begin(self) -> None:
        """Begin without any."""
        super().begin()
        self.kept: dict[str, Kept] = {}

    @initialize(target=codes)
    def first(self) -> Any:
        """Give one code out and poll it, the second time too soon: much can happen then."""
        code = self.start(None)
        self.poll(code)
        self.poll(code)
        return code

    @initialize(target=refreshers)
    def second(self) -> Any:
        """Give another one out, whose user allows it at once."""
        code = self.start(None)
        self.decide(code, True)
        return self.poll(code)

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=codes, workspace_id=st.sampled_from([None, WORKSPACE_ID]))
    def start(self, workspace_id: str | None) -> Any:
        """A device gets codes that no other has."""
        call, place = self.coze.oauth.device_code, {}
        if workspace_id is not None:
            call, place = self.coze.oauth.device_code_workspace, {"workspace_id": workspace_id}
        response = call(client_id=PUBLIC_APP.client_id, **place)
        assert response.device_code not in self.kept
        assert response.user_code not in {device.user_code for device in self.kept.values()}
        device_code_state = Kept(response.user_code, response.interval, self.now + response.expires_in, workspace_id)
        self.kept[response.device_code] = device_code_state
        return response.device_code

    @rule(code=codes, allow=st.booleans())
    def decide(self, code: str, allow: bool) -> None:
        """The user decides, once and in time."""
        known = self.kept.get(code)
        if known is not None and known.allowed is None and self.now < known.expires_at:
            self.sandbox.oauth.decide(known.user_code, allow=allow)
            known.allowed = allow

    @rule(seconds=st.sampled_from([1, 3, 10, 400]))
    def wait(self, seconds: int) -> None:
        """Time goes by, at times so much that codes and tokens expire."""
        self.later(seconds)

    @rule(target=refreshers, code=codes)
    def poll(self, code: str) -> Any:
        """The device has to wait, to slow down, was refused, is too late, or gets its tokens, once."""
        known, arguments = self.kept.get(code), {"client_id": PUBLIC_APP.client_id, "device_code": code}
        if known is None:
            self.denied("invalid_request", self.coze.oauth.token, grant_type=GRANT, **arguments)
            return multiple()
        is_hasty = known.polled_at is not None and self.now < known.polled_at + known.interval
        if known.expires_at <= self.now:
            self.denied("expired_token", self.coze.oauth.token, grant_type=GRANT, **arguments)
            return multiple()
        known.polled_at = self.now
        if is_hasty or not known.allowed:
            waits = "authorization_pending" if known.allowed is None else "access_denied"
            self.denied("slow_down" if is_hasty else waits, self.coze.oauth.token, grant_type=GRANT, **arguments)
            return multiple()
        del self.kept[code]
        response = self.coze.oauth.token(grant_type=GRANT, **arguments)
        self.granted(response)
        self.denied("invalid_request", self.coze.oauth.token, grant_type=GRANT, **arguments)
        return response.refresh_token, known.workspace_id

    @rule(target=refreshers, refresher=consumes(refreshers))
    def refresh(self, refresher: tuple[str, str | None]) -> Any:
        """A refresh token gives new tokens for the same workspace, and works once."""
        text, workspace_id = refresher
        arguments = {"grant_type": "refresh_token", "client_id": PUBLIC_APP.client_id, "refresh_token": text}
        response = self.coze.oauth.token(**arguments)
        self.denied("invalid_request", self.coze.oauth.token, **arguments)
        self.granted(response)
        if workspace_id is not None:  # and so not for what belongs to the account
            call = self.coze.audio.voices.list
            self.refused(NO_PERMISSION, call, extra_headers=bearer(response.access_token))
        return response.refresh_token, workspace_id
