"""A personal or service access token: from the environment, or from a file with secrets.

    COZE_API_TOKEN=pat_… python examples/auth/personal_token.py

COZE_API_TOKEN is read by `Coze()` itself. A function is called before each
request, so that a token can be replaced while the program runs; see TOKEN_FILE.
"""

import os
from pathlib import Path

from cozekit import Coze


def from_file() -> str:
    return Path(os.environ["TOKEN_FILE"]).read_text(encoding="utf-8")


with Coze(from_file if "TOKEN_FILE" in os.environ else None) as coze:
    print("I am", coze.users.me().user_name)
