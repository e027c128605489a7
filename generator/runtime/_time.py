"""Moments as Coze writes them: numbers since 1970, sometimes as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["UnixTime", "UnixTimeMs", "unix_time", "unix_time_ms"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DIGITS = 20  # Python refuses to read numbers of thousands of digits


class UnixTime(int):
    """Seconds since 1970-01-01 UTC: an int that knows its date."""

    @property
    def datetime(self) -> datetime:
        """The moment as an aware datetime in UTC.

        Raises:
            OverflowError: It lies beyond the year 9999.
        """
        return _EPOCH + timedelta(seconds=int(self))


class UnixTimeMs(int):
    """Milliseconds since 1970-01-01 UTC: an int that knows its date."""

    @property
    def datetime(self) -> datetime:
        """The moment as an aware datetime in UTC.

        Raises:
            OverflowError: It lies beyond the year 9999.
        """
        return _EPOCH + timedelta(milliseconds=int(self))


class _TextTime(UnixTime):
    """A moment that came as text and goes back as text.

    Attributes:
        wire: The text, where Python would write the number in another way.
    """

    wire: str | None = None


class _TextTimeMs(UnixTimeMs):
    """See `_TextTime`."""

    wire: str | None = None


def unix_time(value: Any) -> Any:
    """Decode seconds. A value that is not a number, nor text that contains one, is returned unchanged."""
    if value.__class__ is int:
        return UnixTime(value)
    return _from_text(value, _TextTime)


def unix_time_ms(value: Any) -> Any:
    """Decode milliseconds. A value that is not a number, nor text that contains one, is returned unchanged."""
    if value.__class__ is int:
        return UnixTimeMs(value)
    return _from_text(value, _TextTimeMs)


def _from_text(value: Any, cls: type[_TextTime | _TextTimeMs]) -> Any:
    if value.__class__ is not str or not value.isascii() or not value.isdigit() or len(value) > _MAX_DIGITS:
        return value
    moment = cls(int(value))
    if value[0] == "0":
        moment.wire = value
    return moment


def to_wire(value: int) -> int | str:
    """Encode a moment in the form in which it came."""
    return value.wire or str(int(value)) if isinstance(value, _TextTime | _TextTimeMs) else int(value)
