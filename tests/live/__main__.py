"""`python -m tests.live`: does the real Coze still answer as the description says?

Reads only. COZE_API_TOKEN holds the token, COZE_API_BASE the address where it is not the first one described.
"""

from __future__ import annotations

import os
import sys

from tests.live._report import default_base, look

__all__ = ["main"]


def main() -> int:
    """Write the report. The status is 0 without drift, 1 with drift, 2 where nothing could be asked."""
    token = os.environ.get("COZE_API_TOKEN")
    if not token:
        print("COZE_API_TOKEN is not set: it holds the token of the account to look at.")
        return 2
    base = os.environ.get("COZE_API_BASE") or default_base()
    pause = float(os.environ.get("COZEKIT_LIVE_PAUSE", "0.5"))
    report = look(base, token, pause=pause)
    print(f"{base}\n{report}")
    if not report.asked:
        return 2
    return 1 if report.drift else 0


if __name__ == "__main__":
    sys.exit(main())
