"""The report of `cozekit doctor`."""

from __future__ import annotations

from typing import Any, Literal

import attrs

__all__ = ["Finding", "Report"]

Level = Literal["good", "note", "bad"]


@attrs.frozen
class Finding:
    """The result of one check.

    Attributes:
        check: Name of the check, in one word.
        level: `good`, `note` (for information) or `bad` (must be fixed).
        text: The result.
        remedy: What to do, or an empty string.
    """

    check: str
    level: Level
    text: str
    remedy: str = ""


@attrs.define
class Report:
    """All results, in the order of the checks.

    Attributes:
        findings: The results.
        services: URL of each service that accepts the token.
        allowed: Operations that the token may call, of those that were tried.
        denied: Operation id and missing permission of the others.
    """

    findings: list[Finding] = attrs.Factory(list)
    services: list[str] = attrs.Factory(list)
    allowed: list[str] = attrs.Factory(list)
    denied: dict[str, str] = attrs.Factory(dict)

    @property
    def healthy(self) -> bool:
        """Whether nothing must be fixed."""
        return all(finding.level != "bad" for finding in self.findings)

    def ok(self, check: str, text: str) -> None:
        """Add a check that passed."""
        self.findings.append(Finding(check, "good", text))

    def info(self, check: str, text: str, remedy: str = "") -> None:
        """Add a result for information."""
        self.findings.append(Finding(check, "note", text, remedy))

    def error(self, check: str, text: str, remedy: str) -> None:
        """Add a check that failed."""
        self.findings.append(Finding(check, "bad", text, remedy))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "healthy": self.healthy,
            "findings": [attrs.asdict(finding) for finding in self.findings],
            "services": self.services,
            "may": self.allowed,
            "may_not": self.denied,
        }
