"""Files and output have a fixed encoding, whatever that of the machine is."""

from __future__ import annotations

import ast
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coze_sandbox import Sandbox
from coze_sandbox._access_log import AccessLog
from coze_sandbox._http.request_log import RequestRecord
from tests.generator._small import Small

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("generator", "overlays", "sandbox", "examples", "benchmarks", "tests")
#: Characters of GBK, of Latin-1 alone, and of neither.
NAME = "中é😀"
_TEMPORARY = {"NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryFile"}
_TEXT_MODE = set("rwaxt+")


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Return environments by the encoding of their locale."""
    others = {
        name: text for name, text in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON", "COZE_"))
    }
    others["PYTHONPATH"] = str(ROOT)
    environments = {"ascii": {**others, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}}
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef"):
        command = ["localedef", "-f", "GBK", "-i", "zh_CN", str(folder / "zh_CN.GBK")]
        subprocess.run(command, capture_output=True, check=False)
        gbk = {**others, "LC_ALL": "zh_CN.GBK", "LOCPATH": str(folder), "PYTHONUTF8": "0"}
        code = "import locale; print(locale.getpreferredencoding())"
        shown = subprocess.run([sys.executable, "-c", code], env=gbk, capture_output=True, encoding="ascii", check=True)
        if shown.stdout.lower().strip() in {"gbk", "cp936", "gb2312"}:
            environments["gbk"] = gbk
    return environments


@pytest.fixture(params=["ascii", "gbk"])
def environment(request: pytest.FixtureRequest, locales: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the environment of a machine whose encoding is not UTF-8."""
    if request.param not in locales:
        pytest.skip(f"this machine cannot make a locale with {request.param} (Debian's package `locales` can)")
    return locales[request.param]


def run(environment: dict[str, str], *arguments: str, stdin: bytes = b"") -> bytes:
    """Run Python, where a missing encoding is an error, and return its output."""
    command = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning", *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, input=stdin, capture_output=True, timeout=120)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr.decode("ascii", "replace")
    return done.stdout


def test_generator_writes_the_same_bytes(environment: dict[str, str], tmp_path: Path) -> None:
    """The generator writes the same bytes under every locale."""
    small = Small(tmp_path)
    small.replace("shared/errors.yaml", "meaning: ", f"meaning: {NAME} ")
    facts = small.root / "facts"
    facts.mkdir()
    record = {"transport": "http", "sources": {"cozepy": True, NAME: True}}
    (facts / "things.json").write_text(json.dumps([record], ensure_ascii=False), encoding="utf-8")
    generate = ("-m", "generator", "--index", str(small.index), "--out")
    run(environment, *generate, str(small.root / NAME), "generate")
    small.generate()
    actual, expected = small.root / NAME, small.root / "generated"
    names = [path.relative_to(expected) for path in sorted(expected.rglob("*")) if path.is_file()]
    assert [name for name in names if (actual / name).read_bytes() != (expected / name).read_bytes()] == []

    run(environment, *generate, str(actual), "docs")
    assert NAME in (small.root / "docs" / "errors.md").read_text(encoding="utf-8")
    run(environment, *generate, str(actual), "check")
    run(environment, *generate, str(actual), "coverage", "--facts", str(facts))
    assert (
        run(environment, *generate, str(actual), "bundle") == (actual / "coze_api" / "coze.openapi.json").read_bytes()
    )


def test_problems_are_reported_with_any_characters(environment: dict[str, str], tmp_path: Path) -> None:
    """A problem is reported under every locale, whatever characters it contains."""
    small = Small(tmp_path)
    small.replace("shared/errors.yaml", "category: ", f"category: {NAME} ")
    command = [sys.executable, "-m", "generator", "--index", str(small.index), "generate"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, timeout=120)
    assert done.returncode == 1
    assert b"openapi/shared/errors.yaml:" in done.stderr
    assert b"Traceback" not in done.stderr


def test_real_description_is_up_to_date(environment: dict[str, str]) -> None:
    """`generator check` passes for this description under every locale."""
    run(environment, "-m", "generator", "check")


def test_all_packages_can_be_imported(environment: dict[str, str]) -> None:
    """All packages can be imported under every locale."""
    run(environment, "-c", "import coze_api.models, cozekit.webhooks, cozekit.cli, coze_sandbox, generator")


def test_command_reads_utf8_and_writes_valid_json(environment: dict[str, str], tmp_path: Path) -> None:
    """The command reads files as UTF-8, and writes complete and valid JSON under every locale."""
    input_file = tmp_path / "given.json"
    input_file.write_text(json.dumps({"name": NAME}, ensure_ascii=False), encoding="utf-8")
    with Sandbox() as sandbox:
        environment = {
            **environment,
            "COZE_API_TOKEN": sandbox.token,
            "COZE_API_BASE": sandbox.base_url,
            "COZE_CONFIG_DIR": str(tmp_path),
        }
        command = ("-m", "cozekit.cli", "call", "conversations.create")
        written = run(environment, *command, f"meta_data=@{input_file}")
        piped = run(environment, *command, "meta_data=@-", stdin=json.dumps({"name": NAME}).encode())
        for name in ("doctor", "whoami", "operations"):
            run(environment, "-m", "cozekit.cli", name)
    assert json.loads(written)["meta_data"] == json.loads(piped)["meta_data"] == {"name": NAME}


def test_characters_that_the_terminal_lacks_are_escaped(environment: dict[str, str], tmp_path: Path) -> None:
    """Characters that the terminal cannot show are written as escapes."""
    code = f"from cozekit.cli._console import Terminal; Terminal().result({NAME!a})"
    assert b"\\U0001f600" in run(environment, "-c", code)


def test_sandbox_starts_in_a_folder_that_the_locale_cannot_name(environment: dict[str, str], tmp_path: Path) -> None:
    """The sandbox starts in a folder that the locale cannot name, and its request log accepts every path."""
    folder = tmp_path / NAME
    folder.mkdir()
    command = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning", "-m", "coze_sandbox"]
    arguments = ["--tls", "--tls-cert-file", str(folder / "ca.pem"), "--exit-with-parent"]
    process = subprocess.Popen(
        [*command, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"Coze sandbox on https://127.0.0.1:")
        assert b"SSL_CERT_FILE=" in process.stdout.readline()
    finally:
        _, complaints = process.communicate(timeout=60)  # the end of its standard input ends the sandbox
    assert (process.returncode, b"Traceback" in complaints) == (0, False), complaints


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-8"])
def test_access_log_continues_after_an_unencodable_path(encoding: str) -> None:
    """The access log of the sandbox continues after a path that its output cannot encode."""
    written = io.BytesIO()
    log = AccessLog(io.TextIOWrapper(written, encoding=encoding))
    for path in (f"/{NAME}", "/next"):
        log(RequestRecord(number=1, method="GET", path=path, query="", operation=None, headers={}))
    shown = [line.split()[1] for line in written.getvalue().decode(encoding).splitlines()]
    assert shown == [f"/{NAME.encode(encoding, 'backslashreplace').decode(encoding)}", "/next"]


def test_every_text_file_is_opened_with_an_encoding() -> None:
    """No code opens a text file without an encoding. Packages and examples set it for subprocesses, too."""
    violations = []
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call) and depends_on_locale(node, children=part not in {"tests", "benchmarks"}):
                    violations.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert violations == []


@pytest.mark.parametrize(
    "code",
    [
        "path.read_text()",
        "path.write_text('x')",
        "open(path)",
        "open(path, 'w', 1)",
        "open(path, mode='a')",
        "path.open('r')",
        "os.fdopen(1, 'w')",
        "tempfile.NamedTemporaryFile('w+')",
        "io.TextIOWrapper(raw)",
        "logging.FileHandler(path)",
        "subprocess.run(command, text=True)",
    ],
)
def test_locale_dependent_calls_are_detected(code: str) -> None:
    """Calls that leave out the encoding are detected, and calls with an encoding are not."""
    for text, expected in ((code, True), (f"{code[:-1]}, encoding='utf-8')".replace("(, ", "("), False)):
        [call] = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        assert depends_on_locale(call, children=True) is expected


def depends_on_locale(call: ast.Call, *, children: bool) -> bool:
    """Return whether a call leaves the encoding of a file, or of a child's output, to the locale."""
    named = {argument.arg: argument.value for argument in call.keywords}
    if "encoding" in named or None in named:
        return False
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in {"read_text", "write_text"}:
        return len(call.args) == (name == "write_text")
    if name in {"TextIOWrapper", "FileHandler"}:
        return True
    if name in {"Popen", "check_output", "run"} and {"text", "universal_newlines"} & named.keys():
        return children
    values = [*call.args, *(value for key, value in named.items() if key == "mode")]
    modes = [
        argument.value for argument in values if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    as_text = any(mode and set(mode) <= _TEXT_MODE for mode in modes)
    if isinstance(function, ast.Name) and name == "open":
        return as_text or (len(call.args) == 1 and "mode" not in named)
    return as_text and name in {"open", "fdopen", *_TEMPORARY}
