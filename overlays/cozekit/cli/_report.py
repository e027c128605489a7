"""What the doctor found."""

from __future__ import annotations

from typing import Any, Literal

import attrs

__all__ = ["Finding", "Report"]

Level = Literal["good", "note", "bad"]


@attrs.frozen
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What, in one word.
        level: `good`, `note` (worth knowing) or `bad` (has to be mended).
        text: What was found.
        remedy: What to do about it, or "".
    """

    check: str
    level: Level
    text: str
    remedy: str = ""


@attrs.define
class Report:
    """All that was found, in the order of looking.

    Attributes:
        findings: The findings.
        services: Address of each service that takes the token.
        may: Operations that the token may call, among those that were tried.
        may_not: Operation id and missing permission of the others.
    """

    findings: list[Finding] = attrs.Factory(list)
    services: list[str] = attrs.Factory(list)
    may: list[str] = attrs.Factory(list)
    may_not: dict[str, str] = attrs.Factory(dict)

    @property
    def healthy(self) -> bool:
        """Whether nothing has to be mended."""
        return all(one.level != "bad" for one in self.findings)

    def good(self, check: str, text: str) -> None:
        """Note that something is as it should be."""
        self.findings.append(Finding(check, "good", text))

    def note(self, check: str, text: str, remedy: str = "") -> None:
        """Note something that may explain other things."""
        self.findings.append(Finding(check, "note", text, remedy))

    def bad(self, check: str, text: str, remedy: str) -> None:
        """Note something that has to be mended."""
        self.findings.append(Finding(check, "bad", text, remedy))

    def to_dict(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {"healthy": self.healthy, **attrs.asdict(self)}
