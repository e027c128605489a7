"""The fixtures, in test suites of others."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "coze_sandbox.pytest_plugin"
HEAVY = ("attrs", "coze_api", "cozekit", "httpx", "jsonschema_rs", "sqlite3", "starlette", "uvicorn")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder in a process of its own, in which every warning is an error."""
    command = [sys.executable, "-W", "error", "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-p", PLUGIN]
    return subprocess.run(
        [*command, "-q", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def suite(folder: Path, **modules: str) -> Path:
    """Write a test suite."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def test_loading_imports_nothing():
    """Loading the plugin imports nothing that the sandbox needs, so suites that do not use it pay nothing."""
    code = f"import pytest, sys; before = set(sys.modules); import {PLUGIN}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["coze_sandbox", PLUGIN]


def test_package_is_lazy():
    """Importing the package loads nothing; all its names are there, and no others."""
    code = (
        "import sys, coze_sandbox\n"
        f"assert not {set(HEAVY)!r} & set(sys.modules)\n"
        "assert all(getattr(coze_sandbox, name) is not None for name in coze_sandbox.__all__)\n"
        "assert dir(coze_sandbox) == sorted(coze_sandbox.__all__)\n"
        "try: coze_sandbox.Sandbx\n"
        "except AttributeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "module 'coze_sandbox' has no attribute 'Sandbx'\n"


def test_fixtures_are_as_new(tmp_path):
    """Each test gets a sandbox as new; the server and its settings are those of the session."""
    folder = suite(
        tmp_path,
        conftest=(
            "import pytest\n"
            "@pytest.fixture(scope='session')\n"
            "def coze_sandbox_options():\n"
            "    return {'token': 'pat_of_ours'}\n"
        ),
        test_it=(
            "import pytest\n"
            "@pytest.mark.parametrize('number', [1, 2])\n"
            "def test_it(coze_sandbox, coze_sandbox_server, coze_scenario, number):\n"
            "    assert coze_sandbox is coze_sandbox_server\n"
            "    assert coze_sandbox.token == 'pat_of_ours'\n"
            "    assert not coze_scenario.waiting and coze_sandbox.clock.now() < coze_sandbox.clock._source() + 1\n"
            "    coze_scenario.reply('never used')\n"
            "    coze_scenario.advance(60)\n"
        ),
    )
    done = run(folder)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_wrong_answers_fail_the_test(tmp_path):
    """A test in which the sandbox's response did not match the description fails, and names the place."""
    folder = suite(
        tmp_path,
        test_it=(
            "import urllib.request, urllib.error\n"
            "def test_it(coze_sandbox, coze_scenario):\n"
            "    coze_scenario.answer('users.me', lambda request: {'data': {}})\n"
            "    headers = {'Authorization': f'Bearer {coze_sandbox.token}'}\n"
            "    try:\n"
            "        urllib.request.urlopen(urllib.request.Request(coze_sandbox.base_url + '/v1/users/me', headers=headers))\n"
            "    except urllib.error.HTTPError as error:\n"
            "        error.close()\n"
        ),
    )
    done = run(folder)
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "operation='users.me'" in done.stdout


def test_without_the_extra(tmp_path):
    """Where the extra is not installed, a test that uses the sandbox names how to install it, and others run."""
    folder = suite(
        tmp_path,
        conftest="import sys\nsys.modules['starlette'] = None\n",
        test_it="def test_other(): pass\ndef test_it(coze_sandbox): pass\n",
    )
    done = run(folder)
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert 'the sandbox needs starlette, which is not installed: pip install "cozekit[sandbox]"' in done.stdout
    assert "Traceback" not in done.stdout


def test_guide(tmp_path):
    """Every block of Python in the guide to testing works as described."""
    guide = (ROOT / "docs" / "guides" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    for number, block in enumerate(blocks):
        name = "conftest" if block.startswith("# conftest.py") else f"test_{number}"
        is_tests = "def test_" in block or name == "conftest"
        text = block if is_tests else f"def test_block():\n{textwrap.indent(block, '    ')}"
        suite(tmp_path, **{name: text})
    done = run(tmp_path)
    count = len(re.findall(r"^def test_", "".join(blocks), re.MULTILINE)) + 1
    assert f"{count} passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("twice", [(), ("-p", PLUGIN)])
def test_example_project(twice):
    """The example project passes as it stands, without a warning, however often the plugin is named."""
    done = run(ROOT / "examples" / "testing", "--rootdir", str(ROOT / "examples"), "-c", "/dev/null", *twice)
    assert "7 passed" in done.stdout, done.stdout + done.stderr
    assert "warning" not in done.stdout
