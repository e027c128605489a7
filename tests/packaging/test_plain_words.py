"""The check of words that texts avoid."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORDS = [line.partition("->")[0] for line in (ROOT / ".plain-words.txt").read_text(encoding="utf-8").splitlines()]


def check(path: Path, text: str) -> str:
    """Check a file that holds *text*, and return the report."""
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "codespell_lib", "--config", ".plain-words.cfg", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60).stdout


def test_every_avoided_word_is_reported(tmp_path: Path) -> None:
    """The check reports each avoided word, in any case and at the end of a sentence, with the words to use instead."""
    text = "".join(f"It {word.capitalize()} this, and {word}.\n" for word in WORDS)
    report = check(tmp_path / "page.md", text)
    for number, word in enumerate(WORDS, start=1):
        assert report.count(f"page.md:{number}: ") == 2, word


@pytest.mark.parametrize("word", [word for word in WORDS if " " not in word])
def test_parts_of_names_are_reported(tmp_path: Path, word: str) -> None:
    """The check reports an avoided word as a part of a snake_case name, at its begin, in its middle and at its end."""
    report = check(
        tmp_path / "module.py", f"def {word}_first(): ...\ndef test_{word}_all(): ...\n_NOT_{word.upper()} = 1\n"
    )
    assert [line.split(": ")[0].rpartition(":")[2] for line in report.splitlines()] == ["1", "2", "3"]


@pytest.mark.parametrize("text", ["position = file.tell()\n", "def tell(self) -> int:\n", "_tale = teller\n"])
def test_method_of_files_is_allowed(tmp_path: Path, text: str) -> None:
    """The check allows the method `tell` of files, and longer words that only begin with an avoided one."""
    assert check(tmp_path / "module.py", text) == ""


def test_line_with_a_mark_is_allowed(tmp_path: Path) -> None:
    """The check allows a word in a line that names it behind `codespell:ignore`."""
    assert check(tmp_path / "module.py", 'SPEECH = "I heard you"  # codespell:ignore heard\n') == ""
