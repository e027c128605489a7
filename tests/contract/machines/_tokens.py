"""What the machines of OAuth share: the tokens that were given out, and until when they let in whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis.stateful import invariant

from coze_sandbox import USER_ID
from cozekit.errors import APIError
from tests.contract.machines._base import Machine

__all__ = ["LIFETIME", "TokenMachine", "bearer"]

LIFETIME = 900
NO_ENTRY = 4100


@attrs.frozen
class Granted:
    """An access token as it should be.

    Attributes:
        expires_at: From when on it is worth nothing.
        user_id: Whom it shows in; None where it is good for other calls only.
    """

    expires_at: int
    user_id: str | None


def bearer(text: str) -> dict[str, str]:
    """Write the header that is to stand in for the client's own."""
    return {"Authorization": f"Bearer {text}"}


class TokenMachine(Machine):
    """A machine that gets tokens, all of which are tried after every call."""

    def begin(self) -> None:
        """Begin without any."""
        self.tokens: dict[str, Granted] = {}

    def granted(self, response: Any, seconds: int = LIFETIME, user_id: str | None = USER_ID) -> None:
        """Keep a token that was given out."""
        assert response.access_token not in self.tokens
        assert (response.expires_in, response.token_type) == (self.now + seconds, "Bearer")
        self.tokens[response.access_token] = Granted(self.now + seconds, user_id)

    def denied(self, reason: str, call: Callable[..., Any], **arguments: Any) -> None:
        """Check that a token is refused for the right reason."""
        with pytest.raises(APIError) as caught:
            call(**arguments)
        assert caught.value.reason == reason, caught.value

    @invariant()
    def tokens_work(self) -> None:
        """Every token that was given out lets its owner in until it expires, and nobody afterwards."""
        for token, known in self.tokens.items():
            if known.expires_at <= self.now:
                self.refused(NO_ENTRY, self.coze.users.me, extra_headers=bearer(token))
            elif known.user_id is not None:
                assert self.coze.users.me(extra_headers=bearer(token)).user_id == known.user_id
