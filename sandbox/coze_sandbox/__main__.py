"""`python -m coze_sandbox` runs a sandbox of its own."""

from __future__ import annotations

from ._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
