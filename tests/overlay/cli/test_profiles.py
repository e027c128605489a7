"""Profiles, and clients that use them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from coze_sandbox import USER_ID, Sandbox
from cozekit import AsyncCoze, Coze
from cozekit.errors import CozeError, InvalidArgumentError


@pytest.fixture
def logged_in(cozekit, typed, coze_sandbox):
    """Return the commands of a user who has logged in twice."""
    for name in ("default", "work"):
        typed(f"{coze_sandbox.token}\n")
        done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url, "--profile", name)
        assert done.status == 0
    return cozekit


def test_profiles_are_listed_with_the_default(logged_in, coze_sandbox):
    """The profiles are listed, and the first is the default until another is chosen."""
    where = f"token  {coze_sandbox.base_url}"
    assert logged_in("profiles").out == f"* default  {where}\n  work  {where}\n"
    assert logged_in("profiles", "--use", "work").out == f"  default  {where}\n* work  {where}\n"
    assert logged_in("profiles", "--use", "other").status == 1
    logged_in("logout", "--profile", "work")
    assert logged_in("profiles").out == f"  default  {where}\n"
    assert logged_in("whoami").status == 1
    assert logged_in("whoami", "--profile", "default").status == 0
    assert logged_in("whoami", "--profile", "work").status == 1


def test_list_is_empty_before_the_first_login(cozekit):
    """Before the first login the list of profiles is empty."""
    done = cozekit("profiles")
    assert (done.status, done.out) == (0, "")
    assert "cozekit login" in done.err


def test_client_without_arguments_uses_a_profile(logged_in, coze_sandbox, monkeypatch):
    """A client without arguments uses the default profile, or that of COZE_PROFILE, with its base URL."""
    with Coze() as coze:
        assert coze.base_url == coze_sandbox.base_url
        assert coze.users.me().user_id == USER_ID
    monkeypatch.setenv("COZE_PROFILE", "work")
    with httpx.Client() as http:
        assert Coze(http_client=http).users.me().user_id == USER_ID
    monkeypatch.setenv("COZE_PROFILE", "other")
    with pytest.raises(InvalidArgumentError, match="there is no profile 'other'"):
        Coze()


@pytest.mark.anyio
async def test_async_client_without_arguments_uses_a_profile(logged_in):
    """An async client without arguments uses the default profile."""
    async with AsyncCoze() as coze:
        assert (await coze.users.me()).user_id == USER_ID


def test_arguments_and_variables_override_the_profile(logged_in, coze_sandbox, monkeypatch):
    """Arguments and variables override the profile, whose token is sent to no other service."""
    with Coze("pat_other") as coze:
        assert coze.base_url == "https://api.coze.com"
    with httpx.Client(headers={"Authorization": "Bearer x"}) as http:
        assert Coze(http_client=http).base_url == "https://api.coze.com"
    with pytest.raises(InvalidArgumentError, match="no access token: run `cozekit login`"):
        Coze(base_url="https://api.coze.cn")
    monkeypatch.setenv("COZE_API_BASE", "https://api.coze.cn")
    with pytest.raises(InvalidArgumentError, match="no access token"):
        Coze()
    monkeypatch.setenv("COZE_API_BASE", f"{coze_sandbox.base_url}/")
    with Coze() as coze:
        assert coze.users.me().user_id == USER_ID
    monkeypatch.setenv("COZE_API_TOKEN", "pat_env")
    done = logged_in("whoami")
    assert (done.status, "4100" in done.err) == (1, True)


def test_profile_of_a_later_version_can_be_read(logged_in):
    """Profiles with fields of a later version can be read."""
    path = logged_in.folder / "profiles.json"
    profiles = json.loads(path.read_text(encoding="utf-8"))
    profiles["profiles"]["default"]["since"] = 2
    path.write_text(json.dumps({**profiles, "version": 2}), encoding="utf-8")
    with Coze() as coze:
        assert coze.users.me().user_id == USER_ID


def test_profile_without_its_token_is_an_error_with_a_remedy(logged_in):
    """If the token of a profile was removed, the error names the login command."""
    (logged_in.folder / "tokens" / "default.json").unlink()
    with pytest.raises(CozeError, match="run `cozekit login --token`"):
        Coze()


def test_missing_platformdirs_is_an_error_only_for_a_named_profile(cozekit, monkeypatch):
    """Without platformdirs there are no profiles, which is an error only if one was requested by name."""
    monkeypatch.delenv("COZE_CONFIG_DIR")
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(InvalidArgumentError, match="no access token"):
        Coze()
    monkeypatch.setenv("COZE_PROFILE", "work")
    with pytest.raises(InvalidArgumentError, match=r"cozekit\[cli\]"):
        Coze()


def test_unreadable_profiles_are_an_error_unless_a_token_is_set(cozekit, monkeypatch):
    """Unreadable profiles raise an error with a remedy, and are ignored if a token is set."""
    cozekit.folder.mkdir()
    (cozekit.folder / "profiles.json").mkdir()
    with pytest.raises(InvalidArgumentError, match=r"profiles.json cannot be read: .*; set COZE_API_TOKEN"):
        Coze()
    monkeypatch.setenv("COZE_API_TOKEN", "pat_x")
    Coze().close()


def test_profiles_are_in_the_platform_config_folder(cozekit, monkeypatch, tmp_path, typed, coze_sandbox):
    """By default profiles are in the config folder of the platform."""
    monkeypatch.delenv("COZE_CONFIG_DIR")
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: tmp_path / "platform" / name)
    typed(f"{coze_sandbox.token}\n")
    assert cozekit("login", "--token", "--base-url", coze_sandbox.base_url).status == 0
    assert (tmp_path / "platform" / "cozekit" / "profiles.json").is_file()


def test_coze_api_token_loads_no_profile_code(environment):
    """With COZE_API_TOKEN no module for profiles is imported."""
    code = (
        "import sys; from cozekit import Coze; Coze()\n"
        "assert not {'platformdirs', 'cozekit._profiles', 'cozekit.auth'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], env={**environment, "COZE_API_TOKEN": "pat_x"}, check=True, timeout=60)


def test_each_profile_keeps_its_base_url(cozekit, typed):
    """Each profile keeps its own base URL."""
    with Sandbox(token="pat_a") as first, Sandbox(token="pat_b") as second:
        for name, sandbox in (("a", first), ("b", second)):
            typed(f"{sandbox.token}\n")
            cozekit("login", "--token", "--base-url", sandbox.base_url, "--profile", name)
        for name, sandbox in (("a", first), ("b", second)):
            assert sandbox.base_url in cozekit("whoami", "--profile", name).out


GUIDE = (Path(__file__).resolve().parents[3] / "docs/guides/command-line.md").read_text(encoding="utf-8")


def test_guide_code_runs_with_a_profile(logged_in, environment, coze_sandbox):
    """The code of the guide runs unchanged for a user who has logged in."""
    for code in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("Sandbox Owner\n", "")


def test_guide_options_exist(cozekit):
    """Every option in the guide is an option of a command."""
    helps = "".join(cozekit(command, "--help").out for command in ("login", "whoami", "profiles", "doctor", "call"))
    named = set(re.findall(r"--[a-z]+(?:-[a-z]+)*", GUIDE))
    assert len(named) > 10
    assert {option for option in named if option not in helps} == set()
