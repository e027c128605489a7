"""`python -m coze_sandbox` runs a sandbox of its own."""

from __future__ import annotations

if __name__ == "__main__":
    try:
        from ._cli import main
    except ModuleNotFoundError as error:
        needed = (error.name or "").partition(".")[0]
        reason = f'it needs {needed}, which is not installed: pip install "cozekit[sandbox]"'
        raise SystemExit(f"coze_sandbox: {reason}") from None
    raise SystemExit(main())
