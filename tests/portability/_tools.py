"""The tools: how each is run, and how what it reports is counted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import attrs

from coze_sandbox import Sandbox

__all__ = ["TOOLS", "Outcome", "Tool"]

_PROBES = Path(__file__).parent
_VERSIONS = {
    "@redocly/cli": "2.77.0",
    "@stoplight/spectral-cli": "6.16.3",
    "openapi-typescript": "7.13.0",
    "orval": "8.38.0",
    "typescript": "5.9.3",
    "openapi-generator-cli": "7.26.0",
    "openapi-python-client": metadata.version("openapi-python-client"),
}
_TSC = ("tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom,dom.iterable")
_TSC += ("--module", "esnext", "--moduleResolution", "bundler")
_SECONDS = 900


@attrs.frozen
class Outcome:
    """What a tool reports on a document.

    Attributes:
        errors: What the tool refuses, and what is wrong with the code that it writes.
        warnings: What else it reports.
    """

    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()

    def counted(self) -> Iterator[tuple[int, str]]:
        """Yield how often there is each error and warning."""
        for message, count in Counter([*self.errors, *self.warnings]).most_common():
            yield count, message


@attrs.frozen
class Tool:
    """A tool.

    Attributes:
        name: What it is called in the table.
        package: Its package in a registry.
        run: Runs it on a document; what it writes is put in the folder.
    """

    name: str
    package: str
    run: Callable[[Path, Path], Outcome]

    @property
    def version(self) -> str:
        """The version that is run."""
        return _VERSIONS[self.package]


def _redocly(rules: str) -> Callable[[Path, Path], Outcome]:
    def run(document: Path, folder: Path) -> Outcome:
        options = (f"--extends={rules}", "--format=json", "--max-problems=100000")
        printed = _npx(["@redocly/cli"], "redocly", "lint", *options, str(document), folder=folder)
        return (
            redocly_outcome(printed.stdout) if printed.stdout else Outcome([f"reports nothing: {_last_line(printed)}"])
        )

    return run


def redocly_outcome(printed: str) -> Outcome:
    """Read the JSON that Redocly prints."""
    problems = [
        (entry["severity"], f"{entry['ruleId']}: {entry['message']}") for entry in json.loads(printed)["problems"]
    ]
    return Outcome(
        [message for severity, message in problems if severity == "error"],
        [message for severity, message in problems if severity != "error"],
    )


def _spectral(document: Path, folder: Path) -> Outcome:
    rules = folder / "spectral.yaml"
    rules.write_text('extends: ["spectral:oas"]\n', encoding="utf-8")
    report = folder / "spectral.json"
    report.unlink(missing_ok=True)
    options = ("--ruleset", str(rules), "--format", "json", "--output", str(report))
    ran = _npx(["@stoplight/spectral-cli"], "spectral", "lint", *options, str(document), folder=folder)
    if not report.exists():
        return Outcome([f"reports nothing: {_last_line(ran)}"])
    return spectral_outcome(report.read_text(encoding="utf-8"))


def spectral_outcome(printed: str) -> Outcome:
    """Read the JSON that Spectral writes. Severity 0 is an error."""
    problems = [(entry["severity"], f"{entry['code']}: {entry['message']}") for entry in json.loads(printed)]
    return Outcome(
        [message for severity, message in problems if severity == 0],
        [message for severity, message in problems if severity != 0],
    )


def _openapi_typescript(document: Path, folder: Path) -> Outcome:
    output = folder / "openapi-typescript.ts"
    output.unlink(missing_ok=True)
    options = ("--enum", "--default-non-nullable=false", "--output", str(output))
    ran = _npx(["openapi-typescript", "typescript"], "openapi-typescript", str(document), *options, folder=folder)
    return _compiled(output, ran, folder)


def _orval(document: Path, folder: Path) -> Outcome:
    output = folder / "orval" / "coze.ts"
    shutil.rmtree(output.parent, ignore_errors=True)
    options = ("--input", str(document), "--output", str(output), "--client", "fetch")
    return _compiled(output, _npx(["orval"], "orval", *options, folder=folder), folder)


def _compiled(output: Path, ran: subprocess.CompletedProcess[str], folder: Path) -> Outcome:
    """Return what the TypeScript compiler reports on the file that a tool wrote."""
    if not output.exists():
        return Outcome([f"writes nothing: {_last_line(ran)}"])
    return Outcome(tsc_errors(_npx(["typescript"], *_TSC, str(output), folder=folder).stdout))


def tsc_errors(printed: str) -> list[str]:
    """Return the errors that the TypeScript compiler prints, without their places."""
    return re.findall(r"^\S.*?: (error TS\d+: .*)$", printed, re.MULTILINE)


def _openapi_generator(document: Path, folder: Path) -> Outcome:
    environment, output = folder / "venv", folder / "openapi-generator"
    shutil.rmtree(output, ignore_errors=True)
    if not environment.exists():
        _run([sys.executable, "-m", "venv", str(environment)], folder)
    python = environment / "bin" / "python"
    package = f"openapi-generator-cli=={_VERSIONS['openapi-generator-cli']}"
    _run([str(python), "-m", "pip", "install", "--quiet", package], folder)
    # Without webhooks: the templates for Python leave out the type of a webhook's body, which is not Python.
    parts = ("--global-property", "apis,models,supportingFiles")
    options = ("-g", "python", "-i", str(document), "-o", str(output), "--package-name", "coze_api_og", *parts)
    ran = _run([str(environment / "bin" / "openapi-generator-cli"), "generate", *options], folder)
    warnings = re.findall(r"^.*\bWARN\s+\S+ - (.*)$", ran.stdout, re.MULTILINE)
    if ran.returncode or not output.exists():
        return Outcome([f"writes nothing: {_last_line(ran)}"], warnings)
    _run([str(python), "-m", "pip", "install", "--quiet", "-r", str(output / "requirements.txt")], folder)
    return Outcome(_probe(python, "openapi_generator", output), warnings)


def _openapi_python_client(document: Path, folder: Path) -> Outcome:
    output = folder / "openapi-python-client"
    output.mkdir(exist_ok=True)
    settings = folder / "openapi-python-client.yaml"
    settings.write_text("content_type_overrides:\n  audio/mpeg: application/octet-stream\n", encoding="utf-8")
    options = ("--path", str(document), "--output-path", str(output / "coze_api_opc"), "--meta", "none", "--overwrite")
    script = str(Path(sys.executable).with_name("openapi-python-client"))
    ran = _run([script, "generate", "--config", str(settings), *options], folder)
    if ran.returncode or not (output / "coze_api_opc").exists():
        return Outcome([f"writes nothing: {_last_line(ran)}"])
    return Outcome(
        _probe(Path(sys.executable), "openapi_python_client", output),
        openapi_python_client_warnings(ran.stdout + ran.stderr),
    )


def openapi_python_client_warnings(printed: str) -> list[str]:
    """Return what openapi-python-client reports as missing from the client, and why."""
    warnings = re.findall(r"^(?:WARNING|ERROR) (parsing .*?)\n\n(.*?)\n", printed, re.MULTILINE)
    return [f"{where} {why}" for where, why in warnings]


def _probe(python: Path, name: str, folder: Path) -> list[str]:
    """Import the written client and call the sandbox with it. Return what fails."""
    with Sandbox() as sandbox:
        ran = _run([str(python), str(_PROBES / f"probe_{name}.py"), sandbox.base_url, sandbox.token], folder)
    return [*ran.stdout.splitlines(), *([_last_line(ran)] if ran.returncode else [])]


def _npx(packages: Sequence[str], *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    named = [f"--package={package}@{_VERSIONS[package]}" for package in packages]
    return _run(["npx", "--yes", *named, "--", *command], folder)


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # for ruff
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "PYTHONPATH": str(folder)}
    if shutil.which(command[0], path=path) is None:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} is not installed")
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, **quiet},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=_SECONDS,
        check=False,
    )


def _last_line(ran: subprocess.CompletedProcess[str]) -> str:
    lines = (ran.stderr.strip() or ran.stdout.strip() or f"exit status {ran.returncode}").splitlines()
    return lines[-1].strip()


TOOLS = (
    Tool("Redocly, `spec`", "@redocly/cli", _redocly("spec")),
    Tool("Redocly, `recommended`", "@redocly/cli", _redocly("recommended")),
    Tool("Spectral, `spectral:oas`", "@stoplight/spectral-cli", _spectral),
    Tool("openapi-typescript", "openapi-typescript", _openapi_typescript),
    Tool("orval", "orval", _orval),
    Tool("openapi-generator, Python", "openapi-generator-cli", _openapi_generator),
    Tool("openapi-python-client", "openapi-python-client", _openapi_python_client),
)
