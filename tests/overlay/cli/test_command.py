"""What all commands have in common, and the sandbox."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

import cozekit as package

COMMAND = [sys.executable, "-m", "cozekit.cli"]


def test_help(cozekit):
    """Each command explains itself on standard output."""
    for command in ([], ["login"], ["logout"], ["whoami"], ["profiles"], ["doctor"], ["call"], ["operations"]):
        done = cozekit(*command, "--help")
        assert (done.status, done.err) == (0, ""), command
        assert "Usage: cozekit" in done.out
    assert cozekit("--version").out == f"{package.__version__}\n"
    assert "nowhere else" in " ".join(cozekit("doctor", "--help").out.replace("│", " ").split())


@pytest.mark.parametrize("missing", ["cyclopts", "rich", "platformdirs"])
def test_without_the_extra(cozekit, missing, environment):
    """Without the packages of the extra there is one line that names it."""
    code = f"import sys; sys.modules['{missing}'] = None; from cozekit.cli import main; sys.exit(main(['whoami']))"
    without = {name: value for name, value in environment.items() if name != "COZE_CONFIG_DIR"}
    done = subprocess.run([sys.executable, "-c", code], env=without, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert 'pip install "cozekit[cli]"' in done.stderr
    assert missing in done.stderr


@pytest.mark.parametrize("no_color", [False, True])
def test_colours(environment, no_color):
    """Failures have a colour in terminals that show it, and none with NO_COLOR."""
    import pexpect

    if no_color:
        environment["NO_COLOR"] = "1"
    shown, _ = pexpect.run(
        f"{sys.executable} -m cozekit.cli whoami", env=environment, withexitstatus=True, encoding="utf-8"
    )
    assert "nobody has logged in" in shown
    assert ("\x1b[31m" in shown or "\x1b[1;31m" in shown) is not no_color


def test_reader_that_goes_away(environment, typed, cozekit, coze_sandbox):
    """A reader that has seen enough causes no traceback."""
    environment |= {"COZE_API_TOKEN": coze_sandbox.token, "COZE_API_BASE": coze_sandbox.base_url}
    script = f"{' '.join(COMMAND)} doctor | true"
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_unusable_settings(cozekit, monkeypatch):
    """A variable that the HTTP client cannot use makes one line, which names it and the remedy."""
    monkeypatch.setenv("COZE_API_TOKEN", "pat_x")
    for name, value in (("SSL_CERT_FILE", "/absent.pem"), ("HTTPS_PROXY", "htp://x")):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            done = cozekit("whoami")
        assert (done.status, done.err.count("\n")) == (1, 1), name
        assert name in done.err
        assert "unset the variable" in done.err


def test_sandbox(environment):
    """The sandbox runs with the arguments as they are given, and stops as it does by itself."""
    process = subprocess.Popen(
        [*COMMAND, "sandbox", "--print-json", "--token", "t"], env=environment, stdout=-1, text=True
    )
    try:
        assert json.loads(process.stdout.readline())["token"] == "t"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_help_of_the_sandbox(environment):
    """Help goes to the sandbox, too."""
    command = [*COMMAND, "sandbox", "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "--auto-consent" in done.stdout


def test_without_the_sandbox(cozekit, monkeypatch):
    """Without the sandbox's packages there is one line that names the extra."""
    find = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "starlette" else find(name))
    done = cozekit("sandbox")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert 'pip install "cozekit[sandbox]"' in done.err
