"""`python -m tests.live`: check that responses of the real Coze still match the description.

It only reads. COZE_API_TOKEN holds the token. COZE_API_BASE holds the address, by default the first server described.
"""

from __future__ import annotations

import os
import sys

from tests.live._report import default_base, look

__all__ = ["main"]


def main() -> int:
    """Write the report. The status is 0 without drift, 1 with drift, 2 if no operation succeeded."""
    token = os.environ.get("COZE_API_TOKEN")
    if not token:
        print("COZE_API_TOKEN is not set. Set it to an access token of the account to check.")
        return 2
    base = os.environ.get("COZE_API_BASE") or default_base()
    pause = float(os.environ.get("COZEKIT_LIVE_PAUSE", "0.5"))
    report = look(base, token, pause=pause)
    print(f"{base}\n{report}")
    if not report.answered:
        return 2
    return 1 if report.drift else 0


if __name__ == "__main__":
    sys.exit(main())
