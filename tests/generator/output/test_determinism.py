"""The same description makes the same bytes, and `check` tells what is behind which file of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.output.directory import read_tree, replace_tree
from generator.pipeline import generate, stale
from tests.generator._small import Small

ROOT = Path(__file__).resolve().parents[3]


def run(small: Small, command: str) -> int:
    """Run a command of the generator in this process."""
    return main(["--index", str(small.index), "--out", str(small.root / "generated"), command])


@pytest.fixture
def made(small: Small) -> Small:
    """A description with what was generated from it."""
    assert run(small, "generate") == 0
    return small


# -- the same bytes


def test_hash_seed_does_not_matter(small: Small) -> None:
    """Three processes with different hash seeds, in different directories, write the same bytes."""
    trees = []
    for seed in ("0", "1", "4711"):
        out = small.root / f"made{seed}" / "generated"
        subprocess.run(
            [sys.executable, "-m", "generator", "--index", str(small.index), "--out", str(out), "generate"],
            env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
        trees.append(read_tree(out))
    assert trees[0] == trees[1] == trees[2]
    assert len(trees[0]) > 30


def test_the_place_of_the_description_does_not_matter(tmp_path: Path) -> None:
    """No path of the machine is in generated code."""
    trees = []
    for name in ("one", "another/deeper place"):
        small = Small(tmp_path / name)
        small.generate()
        trees.append(read_tree(small.root / "generated"))
    assert trees[0] == trees[1]
    assert not [name for name, content in trees[0].items() if str(tmp_path).encode() in content]


def test_repeating_changes_nothing(made: Small) -> None:
    """Generating again writes the same bytes."""
    before = read_tree(made.root / "generated")
    assert run(made, "generate") == 0
    assert read_tree(made.root / "generated") == before


def test_settings_of_ruff_do_not_matter(made: Small) -> None:
    """A configuration of ruff lying around does not change how generated code is formatted."""
    before = read_tree(made.root / "generated")
    (made.root / "ruff.toml").write_text("line-length = 40\nindent-width = 2\n", encoding="utf-8")
    assert run(made, "generate") == 0
    assert read_tree(made.root / "generated") == before


def test_comments_and_layout_do_not_matter(made: Small) -> None:
    """A comment in the description makes nothing stale."""
    made.replace("things/delete.yaml", "operationId:", "# Why it is so.\n\noperationId:")
    assert run(made, "check") == 0


# -- wiping


def test_stray_files_vanish(made: Small) -> None:
    """Generating wipes what is no longer generated, directories included."""
    stray = made.root / "generated/coze_api/old/module.py"
    stray.parent.mkdir()
    stray.write_text("x = 1\n", encoding="utf-8")
    assert run(made, "generate") == 0
    assert not stray.parent.exists()


def test_a_directory_that_is_not_generated_is_not_wiped(small: Small) -> None:
    """A directory with something in it and without provenance is left alone."""
    precious = small.root / "generated" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("Years of work.", encoding="utf-8")
    assert run(small, "generate") == 1
    assert [path.name for path in precious.parent.iterdir()] == ["thesis.txt"]


def test_an_empty_directory_may_be_written_to(small: Small) -> None:
    """An empty directory is as good as none."""
    (small.root / "generated").mkdir()
    assert run(small, "generate") == 0


@pytest.mark.parametrize("old", ["operationId: things.delete", "tags: [things]", "  - {name: thing_id"])
def test_a_fault_leaves_everything_in_place(made: Small, old: str) -> None:
    """When the description cannot be generated from, what was generated before stays as it was."""
    before = read_tree(made.root / "generated")
    made.replace("things/delete.yaml", old, "nonsense: [")
    assert run(made, "generate") == 1
    assert read_tree(made.root / "generated") == before


def test_a_crash_while_writing_leaves_everything_in_place(made: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """A formatter that fails leaves the old code, and nothing beside it."""
    before = read_tree(made.root)
    monkeypatch.setattr("generator.output.ruff._run", lambda arguments: (_ for _ in ()).throw(RuntimeError("no ruff")))
    with pytest.raises(RuntimeError, match="no ruff"):
        generate(made.bundle(), made.root / "generated")
    assert read_tree(made.root) == before


def test_a_crash_while_replacing_leaves_everything_in_place(
    made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the new tree cannot be moved to its place, the old one returns there."""
    before = read_tree(made.root / "generated")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no"):
        replace_tree(made.folder, made.root / "generated")
    assert read_tree(made.root / "generated") == before
    assert {path.name for path in made.root.iterdir()} == {"openapi", "generated"}


# -- check


def problems(small: Small) -> set[tuple[str, str]]:
    """Return file and message of what is stale."""
    return {(one.file, one.message) for one in stale(small.bundle(), small.root / "generated")}


def test_nothing_is_stale_after_generating(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` is content with what `generate` wrote, and writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in made.root.rglob("*")}
    assert run(made, "check") == 0
    assert "generated/ is what openapi/ says" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in made.root.rglob("*")} == before


def test_edits_by_hand_are_found(made: Small) -> None:
    """An edited, a missing and a stray file are each told."""
    package = made.root / "generated/coze_api"
    (package / "errors.py").write_text((package / "errors.py").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (package / "params/things.py").unlink()
    (package / "params/thing.py").write_text("", encoding="utf-8")
    assert problems(made) == {
        ("generated/coze_api/errors.py", "differs"),
        ("generated/coze_api/params/things.py", "is missing"),
        ("generated/coze_api/params/thing.py", "is not generated"),
    }


def test_compiled_code_does_not_count(made: Small) -> None:
    """Importing generated code does not make it stale."""
    cache = made.root / "generated/coze_api/__pycache__"
    cache.mkdir()
    (cache / "errors.cpython-311.pyc").write_bytes(b"x")
    assert problems(made) == set()


def test_nothing_generated_yet(small: Small) -> None:
    """Without generated code, every file is missing."""
    found = problems(small)
    assert {message for _, message in found} == {"is missing"}
    assert ("generated/provenance.toml", "is missing") in found


RENAMED = {
    "property": ("things/schemas.yaml", "    labels:", "    label:"),
    "property with an example": ("things/schemas.yaml", "    made_at:", "    made:"),
    "required property": ("things/schemas.yaml", "    id: {", "    ident: {"),
    "argument": ("things/schemas.yaml", "    weight:", "    heft:"),
    "property of a shared answer": ("shared/envelope.yaml", "    code:", "    status:"),
    "property of the operation's own schema": ("things/list.yaml", "        has_more:", "        more:"),
    "path parameter": ("things/delete.yaml", "name: thing_id", "name: thing"),
    "query parameter": ("things/list.yaml", "name: size", "name: page_size"),
    "enum value": ("things/schemas.yaml", "dark-red]", "red]"),
    "event": ("things/events.yaml", "thing.made:", "thing.created:"),
    "error": ("shared/errors.yaml", "name: WRONG", "name: BAD"),
}


@pytest.mark.parametrize("what", RENAMED)
def test_a_changed_name_fails_the_check_with_its_file(
    made: Small, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Changing one name in one file makes `check` fail and print the name of that file."""
    file, old, new = RENAMED[what]
    made.replace(file, old, new)
    assert run(made, "check") == 1
    assert f"openapi/{file}:" in capsys.readouterr().err


def test_a_new_and_a_lost_file_are_told(made: Small) -> None:
    """Files that were added to or taken from the description are named."""
    made.write("shared/moments.yaml", (made.folder / "shared/types.yaml").read_text(encoding="utf-8"))
    made.replace("things/schemas.yaml", "../shared/types.yaml", "../shared/moments.yaml")
    found = {file: message.partition(";")[0] for file, message in problems(made) if file.startswith("openapi/")}
    assert found == {
        "openapi/shared/moments.yaml": "is new since generated/ was made",
        "openapi/shared/types.yaml": "is gone since generated/ was made",
        "openapi/things/schemas.yaml": "says something else since generated/ was made",
    }


@pytest.mark.parametrize("content", ["", "[", "description_files = 1"])
def test_a_damaged_provenance_is_told(made: Small, content: str) -> None:
    """A provenance that cannot be read is a file that differs."""
    (made.root / "generated/provenance.toml").write_text(content, encoding="utf-8")
    assert ("generated/provenance.toml", "differs") in problems(made)


# -- the command line


@pytest.mark.parametrize("command", ["lint", "bundle", "generate", "check"])
def test_a_fault_is_an_exit_code_and_a_count(small: Small, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command returns 1 for a bad description and prints file, line and count on standard error."""
    small.replace("things/schemas.yaml", "#/UnixTime'", "#/Moment'")
    assert run(small, command) == 1
    captured = capsys.readouterr()
    line = small.line("things/schemas.yaml", "#/Moment")
    assert f"openapi/things/schemas.yaml:{line}: ../shared/types.yaml#/Moment does not exist" in captured.err
    assert captured.err.rstrip().endswith("1 problem")
    assert captured.out == ""


def test_commands_say_what_they_did(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    """`lint`, `generate` and `bundle` return 0; `bundle` prints nothing but the document."""
    assert run(made, "lint") == 0
    assert "6 operations in 14 files: clean" in capsys.readouterr().out
    assert run(made, "generate") == 0
    assert "Generated 6 operations (7 methods" in capsys.readouterr().out
    assert run(made, "bundle") == 0
    assert capsys.readouterr().out == (made.root / "generated/coze_api/coze.openapi.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [[], ["format"], ["check", "--fast"]])
def test_a_wrong_command_is_an_exit_code_of_its_own(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is not a command exits with 2 and shows the usage."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m generator" in capsys.readouterr().err
