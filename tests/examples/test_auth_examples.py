"""The examples of authorization and the guide work as described."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from coze_sandbox import BOT_ID, CHANNEL_APP, ENTERPRISE_APP, ENTERPRISE_ID, PUBLIC_APP, USER_ID, WEB_APP, Sandbox

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/guides/auth.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(auto_consent=True, device_interval=1) as running:
        yield running
        assert not running.violations


@contextmanager
def started(path: Path, sandbox: Sandbox, folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COZE_")}
    settings = {"COZE_API_BASE": sandbox.base_url, "TOKEN_FOLDER": str(folder), "PORT": "0", "NO_BROWSER": "1"}
    with subprocess.Popen(
        [sys.executable, str(path)],
        env={**inherited, **settings, **environment},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def run(name: str, sandbox: Sandbox, folder: Path, **environment: str) -> str:
    with started(ROOT / "examples/auth" / name, sandbox, folder, **environment) as process:
        return finish(process)


def app_file(sandbox: Sandbox, folder: Path, *which: str) -> str:
    path = folder / f"{'-'.join(which) or 'app'}.json"
    path.write_text(json.dumps(sandbox.oauth.jwt_config(*which)), encoding="utf-8")
    return str(path)


def opened(process: subprocess.Popen[str], *refused: str) -> str:
    """Open the address that a program prints, as a browser does, and return the text of the last page.

    Args:
        process: The program.
        refused: Paths that another client requests first, and that must be refused.
    """
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Open http"), line
    address = line.removeprefix("Open ").strip()
    with httpx.Client(follow_redirects=True) as browser:
        for other in refused:
            assert browser.get(urljoin(address, other)).is_client_error
        return browser.get(address).text


def test_personal_token(sandbox: Sandbox, tmp_path: Path) -> None:
    """The example of personal tokens takes a token from the environment, or from a function that reads a file."""
    output = run("personal_token.py", sandbox, tmp_path, COZE_API_TOKEN=sandbox.token)
    (tmp_path / "token").write_text(f"{sandbox.token}\n", encoding="utf-8")
    assert output == run("personal_token.py", sandbox, tmp_path, TOKEN_FILE=str(tmp_path / "token"))
    assert output.startswith("I am ")


def test_web_app(sandbox: Sandbox, tmp_path: Path) -> None:
    """The web app sends the browser to Coze and back, keeps the token, and calls Coze with it."""
    assert WEB_APP.client_secret is not None
    app = {"COZE_CLIENT_ID": WEB_APP.client_id, "COZE_CLIENT_SECRET": WEB_APP.client_secret}
    with started(ROOT / "examples/auth/web_app.py", sandbox, tmp_path, **app) as process:
        strangers = "/favicon.ico", "/callback?state=none&code=code_x", "/callback?state=&code=code_x"
        assert opened(process, *strangers) == "You can close this window."
        assert finish(process).startswith("The user is ")
    assert [path.name for path in tmp_path.glob("*.json")] == ["user-1.json"]


def test_desktop_app(sandbox: Sandbox, tmp_path: Path) -> None:
    """The desktop app gets its token by PKCE and a page on the user's own machine."""
    app = {"COZE_CLIENT_ID": PUBLIC_APP.client_id}
    with started(ROOT / "examples/auth/desktop_app.py", sandbox, tmp_path, **app) as process:
        assert opened(process) == "You can close this window."
        assert finish(process).startswith("The user is ")


@pytest.mark.parametrize("allow", [True, False])
def test_device(sandbox: Sandbox, tmp_path: Path, allow: bool) -> None:
    """The device example shows a code, and continues if the user agrees, or ends if the user refuses."""
    sandbox.oauth.auto_consent = None
    try:
        with started(
            ROOT / "examples/auth/device.py", sandbox, tmp_path, COZE_CLIENT_ID=PUBLIC_APP.client_id
        ) as process:
            assert process.stdout is not None
            shown = process.stdout.readline() + process.stdout.readline()
            code = re.search(r"shows (\S+)", shown)
            assert code is not None
            sandbox.oauth.decide(code[1], allow=allow)
            if allow:
                assert finish(process).startswith("The user is ")
            else:
                _, err = process.communicate(timeout=60)
                assert (process.returncode, "Traceback" in err) == (1, False)
                assert err.startswith("device: oauth.token: ")
    finally:
        sandbox.oauth.auto_consent = True


def test_service(sandbox: Sandbox, tmp_path: Path) -> None:
    """The service calls Coze for itself and for a user, and gets a token to hand out."""
    output = run("service.py", sandbox, tmp_path, COZE_APP_FILE=app_file(sandbox, tmp_path))
    assert re.fullmatch(r"I am .+\nThe conversation of user-17 is \d+\nA token until \S+\+00:00\n", output)


def test_channel_and_enterprise(sandbox: Sandbox, tmp_path: Path) -> None:
    """Channel, collaborating account and enterprise each get a token of their own kind."""
    output = run(
        "channel_and_enterprise.py",
        sandbox,
        tmp_path,
        COZE_CHANNEL_FILE=app_file(sandbox, tmp_path, CHANNEL_APP.client_id),
        COZE_BOT_ID=BOT_ID,
        COZE_APP_FILE=app_file(sandbox, tmp_path),
        COZE_ACCOUNT_ID=USER_ID,
        COZE_ENTERPRISE_FILE=app_file(sandbox, tmp_path, ENTERPRISE_APP.client_id),
        COZE_ENTERPRISE_ID=ENTERPRISE_ID,
    )
    assert [line.partition(", until ")[0] for line in output.splitlines()] == [
        "For chats with one bot",
        "For another account",
        "For the enterprise",
    ]


def blocks() -> list[str]:
    """Return every block of Python in the guide."""
    return re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


PREAMBLE = """
import json, os, sys
from pathlib import Path

import httpx

from cozekit.auth import Token

client_id, client_secret, public_id = sys.argv[1:4]


def in_the_browser(url):
    page = httpx.get(url)
    while page.is_redirect and not page.headers["location"].startswith("http://127.0.0.1:9/"):
        page = httpx.get(page.url.join(page.headers["location"]))
    return page.headers["location"]


def read_secret():
    return os.environ["COZE_API_TOKEN"]


session, user_id = {}, "user-1"
"""


@pytest.mark.parametrize("number", range(len(blocks())))
def test_guide(sandbox: Sandbox, tmp_path: Path, number: int) -> None:
    """Every block of Python in the guide runs as it stands, with apps of the sandbox."""
    app_file(sandbox, tmp_path)
    program = tmp_path / "shown.py"
    program.write_text(PREAMBLE + blocks()[number], encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COZE_")}
    done = subprocess.run(
        [sys.executable, str(program), WEB_APP.client_id, str(WEB_APP.client_secret), PUBLIC_APP.client_id],
        env={**inherited, "COZE_API_BASE": sandbox.base_url, "COZE_API_TOKEN": sandbox.token},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_guide_names_what_there_is() -> None:
    """Every name of cozekit.auth that the guide speaks of exists, and every flow is in its table."""
    from cozekit import auth, errors

    named = set(re.findall(r"`([A-Z]\w+)[`(]", GUIDE))
    known = {*auth.__all__, *errors.__all__, "Coze", "AsyncCoze"}
    assert not named - known
    for flow in ("WebOAuth", "PKCEOAuth", "DeviceOAuth", "JWTAuth"):
        assert f"`{flow}`" in GUIDE.split("\n## ")[1]
