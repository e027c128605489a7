"""Tokens, and when they expire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Self

import attrs

from coze_api._core._secrets import hidden_or_none, hidden_text

from ..errors import InvalidArgumentError

__all__ = ["Token"]

_LONGEST_DURATION = 100_000_000
"""No token lives for three years, and none expired in 1973: below it a number of seconds is a duration."""


def _aware(_: object, attribute: Any, value: Any) -> None:
    if value is not None and getattr(value, "tzinfo", None) is None:
        raise ValueError(f"{attribute.name} must be a datetime with a time zone, not {type(value).__name__}")


def _sendable(_: object, attribute: Any, value: str) -> None:
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise InvalidArgumentError(f"{attribute.name} holds characters that no token has")


@attrs.frozen(kw_only=True)
class Token:
    """An access token and its refresh token. `repr` and `str` show neither.

    Attributes:
        access_token: Authorizes requests.
        expires_at: When it expires, by the clock of Coze.
        refresh_token: Gets the next token, once; None for tokens that were requested with a JWT.
        obtained_at: When Coze issued it, by the clock of Coze; None if unknown.
    """

    access_token: str = attrs.field(
        repr=False, converter=hidden_text, validator=[attrs.validators.instance_of(str), _sendable]
    )
    expires_at: datetime = attrs.field(validator=_aware)
    refresh_token: str | None = attrs.field(
        default=None,
        repr=False,
        converter=hidden_or_none,
        validator=attrs.validators.optional(attrs.validators.instance_of(str)),
    )
    obtained_at: datetime | None = attrs.field(default=None, validator=_aware)

    def expired(self, leeway: float = 0) -> bool:
        """Return whether the token expires within *leeway* seconds from now, by the clock of this machine."""
        return self.expires_at <= datetime.now(UTC) + timedelta(seconds=leeway)

    @classmethod
    def from_answer(cls, answer: Any, now: datetime) -> Self | None:
        """Return the token of a response of a token endpoint, such as `oauth.token`.

        Args:
            answer: The response, as a model.
            now: Time of the response, by the clock of Coze.

        Returns:
            The token; None if the response has none, or no time at which it expires.
        """
        if (
            not isinstance(answer.access_token, str)
            or not answer.access_token
            or not isinstance(answer.expires_in, int)
        ):
            return None
        seconds = int(answer.expires_in)  # a time, unlike the lifetime that OAuth requires
        try:
            expires = now + timedelta(seconds=seconds) if seconds < _LONGEST_DURATION else from_seconds(seconds)
            refresh = getattr(answer, "refresh_token", None)
            refresh = refresh if isinstance(refresh, str) and refresh else None
            return cls(access_token=answer.access_token, expires_at=expires, refresh_token=refresh, obtained_at=now)
        except (OverflowError, ValueError, OSError):
            return None

    def to_dict(self) -> dict[str, Any]:
        """Return the data for a store, secrets included."""
        members = {
            "access_token": self.access_token,
            "expires_at": int(self.expires_at.timestamp()),
            "refresh_token": self.refresh_token,
            "obtained_at": None if self.obtained_at is None else int(self.obtained_at.timestamp()),
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Any) -> Self | None:
        """Return the token of the result of `to_dict`; None for other data."""
        try:
            obtained = data.get("obtained_at")
            return cls(
                access_token=data["access_token"],
                expires_at=from_seconds(data["expires_at"]),
                refresh_token=data.get("refresh_token"),
                obtained_at=None if obtained is None else from_seconds(obtained),
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError):
            return None


def from_seconds(seconds: float) -> datetime:
    """Return the moment that many seconds after 1970-01-01 UTC."""
    return datetime.fromtimestamp(seconds, UTC)
