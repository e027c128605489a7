"""Browsers that are sent to agree, and the codes that they bring back."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, multiple, rule

from coze_sandbox import PUBLIC_APP, WEB_APP, WORKSPACE_ID
from tests.contract.machines._tokens import TokenMachine, bearer

__all__ = ["Browsers"]

REDIRECT = "https://app.example.com/callback"
VERIFIER = "a-verifier-that-is-as-long-as-it-has-to-be-43"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CHALLENGES: dict[str, dict[str, str]] = {
    "none": {},
    "plain": {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
    "S256": {"code_challenge": CHALLENGE, "code_challenge_method": "S256"},
}
PAGE_SECONDS, CODE_SECONDS, REFRESH_SECONDS = 600, 300, 30 * 86_400
WRONG = {
    "no code": {"code": "code_1"},
    "another address": {"redirect_uri": "https://app.example.com/other"},
    "another verifier": {"code_verifier": "x" * 43},
    "another app": {"client_id": PUBLIC_APP.client_id},
}


@attrs.frozen
class Kept:
    """What waits for somebody to agree, or is worth tokens."""

    key: str
    is_public: bool
    challenge: str
    expires_at: int


class Browsers(TokenMachine):
    """Any order of browsers sent, people who agree or refuse, codes and refresh tokens spent, in time or late."""

    pages = Bundle("pages")
    codes = Bundle("codes")
    refreshers = Bundle("refreshers")

    def begin(self) -> None:
        """Begin with people who take their time."""
        super().begin()
        self.spent: set[str] = set()

    @initialize(target=codes)
    def first(self) -> Any:
        """Let somebody agree: much can be done then."""
        return self.decide(self.send(True, "S256", None), True)

    @initialize(target=refreshers)
    def second(self) -> Any:
        """Spend a code, so that there are tokens."""
        return self.spend(self.decide(self.send(False, "none", WORKSPACE_ID), True))

    @rule(
        target=pages,
        is_public=st.booleans(),
        challenge=st.sampled_from([*CHALLENGES]),
        workspace_id=st.sampled_from([None, WORKSPACE_ID]),
    )
    def send(self, is_public: bool, challenge: str, workspace_id: str | None) -> Any:
        """A browser is sent to a page to agree on; an app without a secret has to challenge."""
        app = PUBLIC_APP if is_public else WEB_APP
        query: dict[str, Any] = {"response_type": "code", "client_id": app.client_id, "redirect_uri": REDIRECT}
        query |= {"state": "a state", **CHALLENGES[challenge]}
        call = self.coze.oauth.authorize
        if workspace_id is not None:
            call, query = self.coze.oauth.authorize_workspace, {**query, "workspace_id": workspace_id}
        response = dict(parse_qsl(urlsplit(call(**query).location).query))
        if is_public and challenge == "none":
            assert (response["error"], response["state"]) == ("invalid_request", "a state")
            return multiple()
        assert response["authorize_key"] not in self.spent
        return Kept(response["authorize_key"], is_public, challenge, self.now + PAGE_SECONDS)

    @rule(target=codes, page=consumes(pages), allow=st.booleans())
    def decide(self, page: Kept, allow: bool) -> Any:
        """Somebody agrees or refuses, once and in time, and the browser goes back with word of that."""
        waiting = [entry["key"] for entry in self.sandbox.oauth.waiting()]
        assert (page.key in waiting) == (self.now < page.expires_at)
        if page.key not in waiting:
            return multiple()
        address = urlsplit(str(self.sandbox.oauth.decide(page.key, allow=allow)))
        assert address._replace(query="").geturl() == REDIRECT
        response = dict(parse_qsl(address.query))
        assert response.pop("state") == "a state"
        assert page.key not in {entry["key"] for entry in self.sandbox.oauth.waiting()}
        if not allow:
            assert response["error"] == "access_denied"
            return multiple()
        return attrs.evolve(page, key=response["code"], expires_at=self.now + CODE_SECONDS)

    @rule(code=codes, wrong=st.sampled_from([*WRONG]))
    def misspend(self, code: Kept, wrong: str) -> None:
        """A code with something else that is wrong is worth nothing, and is not lost."""
        if wrong == "another verifier" and code.challenge == "none":
            return
        if wrong == "another app" and code.is_public:
            return
        self.denied("invalid_request", self.coze.oauth.token, **{**self.exchange(code), **WRONG[wrong]})

    @rule(code=codes)
    def spend_without_secret(self, code: Kept) -> None:
        """The code of an app with a secret is worth nothing without it, and is not lost."""
        if code.is_public or code.key in self.spent or code.expires_at <= self.now:
            return
        for text in ("", "another"):
            arguments = {**self.exchange(code), "extra_headers": bearer(text)}
            self.denied("invalid_client", self.coze.oauth.token, **arguments)

    @rule(target=refreshers, code=codes)
    def spend(self, code: Kept) -> Any:
        """A code is worth tokens, once and in time."""
        return self.traded(code, self.exchange(code))

    @rule(target=refreshers, refresher=refreshers)
    def refresh(self, refresher: Kept) -> Any:
        """A refresh token is worth new tokens, once and in time."""
        arguments = {"grant_type": "refresh_token", "refresh_token": refresher.key, **self.app(refresher)}
        return self.traded(refresher, arguments)

    @rule(seconds=st.sampled_from([1, 120, REFRESH_SECONDS // 2]))
    def wait(self, seconds: int) -> None:
        """Time goes by."""
        self.later(seconds)

    def traded(self, grant: Kept, arguments: dict[str, Any]) -> Any:
        """Trade something that works once for tokens, if it still does."""
        if grant.key in self.spent or grant.expires_at <= self.now:
            self.denied("invalid_request", self.coze.oauth.token, **arguments)
            return multiple()
        response = self.coze.oauth.token(**arguments)
        self.spent.add(grant.key)
        self.granted(response)
        return attrs.evolve(grant, key=response.refresh_token, expires_at=self.now + REFRESH_SECONDS)

    def exchange(self, code: Kept) -> dict[str, Any]:
        """Return all that a code is to be sent with."""
        verifier = {} if code.challenge == "none" else {"code_verifier": VERIFIER}
        sent = {"grant_type": "authorization_code", "code": code.key, "redirect_uri": REDIRECT}
        return {**sent, **verifier, **self.app(code)}

    def app(self, grant: Kept) -> dict[str, Any]:
        """Return the client id of an app, and its secret where it has one."""
        if grant.is_public:
            return {"client_id": PUBLIC_APP.client_id}
        return {"client_id": WEB_APP.client_id, "extra_headers": bearer(str(WEB_APP.client_secret))}
