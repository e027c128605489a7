"""A command line without settings, and with its own folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from coze_sandbox import Sandbox
from cozekit.cli import main

_SETTINGS = (
    "COZE_API_TOKEN", "COZE_API_BASE", "COZE_PROFILE", "COZE_CLIENT_ID", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_COLOR", "FORCE_COLOR",
)  # fmt: skip


@attrs.frozen
class Done:
    """The result of a command."""

    status: int
    out: str
    err: str


@attrs.frozen
class Commands:
    """Runs commands in this process."""

    capsys: pytest.CaptureFixture[str]
    folder: Path

    def __call__(self, *arguments: str) -> Done:
        self.capsys.readouterr()
        status = main(arguments)
        return Done(status, *self.capsys.readouterr())

    @property
    def files(self) -> dict[str, str]:
        """Return all files of the config folder by their relative paths."""
        paths = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_text(encoding="utf-8") for path in paths}


@pytest.fixture
def cozekit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Return a runner of commands, independent of this machine's settings."""
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("COZE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    return Commands(capsys, tmp_path / "config")


@pytest.fixture
def quick_sandbox() -> Iterator[Sandbox]:
    """Return a sandbox whose devices poll every second."""
    with Sandbox(device_interval=1) as sandbox:
        yield sandbox
        assert not sandbox.violations


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets what is piped into the next command."""
    import io

    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.fixture
def environment(cozekit: Commands) -> dict[str, str]:
    """Return the variables for commands in separate processes."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
