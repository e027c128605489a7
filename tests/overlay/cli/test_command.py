"""What all commands have in common, and the sandbox command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

import cozekit as package

COMMAND = [sys.executable, "-m", "cozekit.cli"]


def test_each_command_prints_help(cozekit):
    """Each command prints its help on standard output."""
    for command in ([], ["login"], ["logout"], ["whoami"], ["profiles"], ["doctor"], ["call"], ["operations"]):
        done = cozekit(*command, "--help")
        assert (done.status, done.err) == (0, ""), command
        assert "Usage: cozekit" in done.out
    assert cozekit("--version").out == f"{package.__version__}\n"
    assert "nowhere else" in " ".join(cozekit("doctor", "--help").out.replace("│", " ").split())


@pytest.mark.parametrize("missing", ["cyclopts", "rich", "platformdirs"])
def test_missing_extra_is_named_in_one_line(cozekit, missing, environment):
    """If the packages of the extra are missing, one line names the extra."""
    code = f"import sys; sys.modules['{missing}'] = None; from cozekit.cli import main; sys.exit(main(['whoami']))"
    without = {name: value for name, value in environment.items() if name != "COZE_CONFIG_DIR"}
    done = subprocess.run([sys.executable, "-c", code], env=without, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert 'pip install "cozekit[cli]"' in done.stderr
    assert missing in done.stderr


@pytest.mark.parametrize("no_color", [False, True])
def test_errors_are_colored_unless_no_color_is_set(environment, no_color):
    """Errors are colored in terminals that support it, and plain with NO_COLOR."""
    import pexpect

    if no_color:
        environment["NO_COLOR"] = "1"
    shown, _ = pexpect.run(
        f"{sys.executable} -m cozekit.cli whoami", env=environment, withexitstatus=True, encoding="utf-8"
    )
    assert "you are not logged in" in shown
    assert ("\x1b[31m" in shown or "\x1b[1;31m" in shown) is not no_color


def test_closed_pipe_causes_no_traceback(environment, typed, cozekit, coze_sandbox):
    """If the reader of a pipe closes it, the command prints no traceback."""
    environment |= {"COZE_API_TOKEN": coze_sandbox.token, "COZE_API_BASE": coze_sandbox.base_url}
    script = f"{' '.join(COMMAND)} doctor | true"
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_unusable_variable_is_named_with_a_remedy(cozekit, monkeypatch):
    """An environment variable that the HTTP client cannot use causes one line with its name and a remedy."""
    monkeypatch.setenv("COZE_API_TOKEN", "pat_x")
    for name, value in (("SSL_CERT_FILE", "/absent.pem"), ("HTTPS_PROXY", "htp://x")):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            done = cozekit("whoami")
        assert (done.status, done.err.count("\n")) == (1, 1), name
        assert name in done.err
        assert "unset the variable" in done.err


def test_sandbox_command_runs_the_sandbox(environment):
    """The sandbox runs with the given arguments and stops like the standalone command."""
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


def test_help_is_passed_to_the_sandbox(environment):
    """`sandbox --help` shows the help of the sandbox."""
    command = [*COMMAND, "sandbox", "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "--auto-consent" in done.stdout


def test_missing_sandbox_extra_is_named_in_one_line(cozekit, monkeypatch):
    """If the sandbox's packages are missing, one line names the extra."""
    find = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "starlette" else find(name))
    done = cozekit("sandbox")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert 'pip install "cozekit[sandbox]"' in done.err
