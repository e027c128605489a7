"""Starts the sandbox on a free port and runs the quick start against it. `make demo` calls this."""

import os
import subprocess
import sys
from pathlib import Path

from coze_sandbox import Sandbox


def main() -> int:
    """Run the quick start.

    Returns:
        Its exit code.
    """
    quickstart = Path(__file__).with_name("quickstart.py")
    with Sandbox() as sandbox:
        print(f"Sandbox on {sandbox.base_url}\n", flush=True)
        environment = {**os.environ, "COZE_API_TOKEN": sandbox.token, "COZE_API_BASE": sandbox.base_url}
        environment.pop("COZE_WORKSPACE_ID", None)
        done = subprocess.run([sys.executable, str(quickstart)], env=environment, check=False)  # noqa: S603  (our own file)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
