"""The same description generates the same bytes, and `check` names the stale files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.output.directory import read_tree, replace_tree
from generator.pipeline import generate, stale_files
from tests.generator._small import Small

ROOT = Path(__file__).resolve().parents[3]


def run(small: Small, command: str) -> int:
    """Run a command of the generator in this process."""
    return main(["--index", str(small.index), "--out", str(small.root / "generated"), command])


@pytest.fixture
def generated(small: Small) -> Small:
    """Return a description with its generated code."""
    assert run(small, "generate") == 0
    return small


# -- the same bytes


def test_hash_seed_does_not_matter(small: Small) -> None:
    """Three processes with different hash seeds, in different directories, write the same bytes."""
    trees = []
    for seed in ("0", "1", "4711"):
        out = small.root / f"generated{seed}" / "generated"
        subprocess.run(
            [sys.executable, "-m", "generator", "--index", str(small.index), "--out", str(out), "generate"],
            env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
        trees.append(read_tree(out))
    assert trees[0] == trees[1] == trees[2]
    assert len(trees[0]) > 30


def test_location_of_the_description_does_not_matter(tmp_path: Path) -> None:
    """Generated code contains no path of the machine."""
    trees = []
    for name in ("one", "another/deeper place"):
        small = Small(tmp_path / name)
        small.generate()
        trees.append(read_tree(small.root / "generated"))
    assert trees[0] == trees[1]
    assert not [name for name, content in trees[0].items() if str(tmp_path).encode() in content]


def test_generating_again_changes_nothing(generated: Small) -> None:
    """Generating again writes the same bytes."""
    before = read_tree(generated.root / "generated")
    assert run(generated, "generate") == 0
    assert read_tree(generated.root / "generated") == before


def test_other_ruff_configuration_does_not_matter(generated: Small) -> None:
    """A ruff configuration in a parent directory does not change the format of generated code."""
    before = read_tree(generated.root / "generated")
    (generated.root / "ruff.toml").write_text("line-length = 40\nindent-width = 2\n", encoding="utf-8")
    assert run(generated, "generate") == 0
    assert read_tree(generated.root / "generated") == before


def test_comments_and_layout_do_not_matter(generated: Small) -> None:
    """A comment in the description makes no generated file stale."""
    generated.replace("things/delete.yaml", "operationId:", "# Why it is so.\n\noperationId:")
    assert run(generated, "check") == 0


# -- wiping


def test_stray_files_are_removed(generated: Small) -> None:
    """Generating removes files and directories that are no longer generated."""
    stray = generated.root / "generated/coze_api/old/module.py"
    stray.parent.mkdir()
    stray.write_text("x = 1\n", encoding="utf-8")
    assert run(generated, "generate") == 0
    assert not stray.parent.exists()


def test_directory_without_provenance_is_not_wiped(small: Small) -> None:
    """A directory with content and without provenance is not wiped."""
    precious = small.root / "generated" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("Years of work.", encoding="utf-8")
    assert run(small, "generate") == 1
    assert [path.name for path in precious.parent.iterdir()] == ["thesis.txt"]


def test_empty_directory_may_be_written_to(small: Small) -> None:
    """An empty directory counts as missing."""
    (small.root / "generated").mkdir()
    assert run(small, "generate") == 0


@pytest.mark.parametrize("old", ["operationId: things.delete", "tags: [things]", "  - {name: thing_id"])
def test_invalid_description_keeps_the_old_code(generated: Small, old: str) -> None:
    """If the description is invalid, the previously generated code stays unchanged."""
    before = read_tree(generated.root / "generated")
    generated.replace("things/delete.yaml", old, "nonsense: [")
    assert run(generated, "generate") == 1
    assert read_tree(generated.root / "generated") == before


def test_failed_formatter_keeps_the_old_code(generated: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the formatter fails, the old code stays, and no other file."""
    before = read_tree(generated.root)
    monkeypatch.setattr("generator.output.ruff._run", lambda arguments: (_ for _ in ()).throw(RuntimeError("no ruff")))
    with pytest.raises(RuntimeError, match="no ruff"):
        generate(generated.bundle(), generated.root / "generated")
    assert read_tree(generated.root) == before


def test_failed_replacement_restores_the_old_code(
    generated: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the new tree cannot be moved to its place, the old one is restored."""
    before = read_tree(generated.root / "generated")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no"):
        replace_tree(generated.folder, generated.root / "generated")
    assert read_tree(generated.root / "generated") == before
    assert {path.name for path in generated.root.iterdir()} == {"openapi", "generated"}


# -- check


def problems(small: Small) -> set[tuple[str, str]]:
    """Return file and message of each stale file."""
    return {(problem.file, problem.message) for problem in stale_files(small.bundle(), small.root / "generated")}


def test_check_passes_after_generate(generated: Small, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` passes after `generate`, and writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in generated.root.rglob("*")}
    assert run(generated, "check") == 0
    assert "generated/ is up to date with openapi/" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in generated.root.rglob("*")} == before


def test_edited_missing_and_stray_files_are_reported(generated: Small) -> None:
    """An edited, a missing and a stray file are each reported."""
    package = generated.root / "generated/coze_api"
    (package / "errors.py").write_text((package / "errors.py").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (package / "params/things.py").unlink()
    (package / "params/thing.py").write_text("", encoding="utf-8")
    assert problems(generated) == {
        ("generated/coze_api/errors.py", "differs"),
        ("generated/coze_api/params/things.py", "is missing"),
        ("generated/coze_api/params/thing.py", "is not generated"),
    }


def test_bytecode_is_not_stale(generated: Small) -> None:
    """Importing generated code makes no file stale."""
    cache = generated.root / "generated/coze_api/__pycache__"
    cache.mkdir()
    (cache / "errors.cpython-311.pyc").write_bytes(b"x")
    assert problems(generated) == set()


def test_without_generated_code_every_file_is_missing(small: Small) -> None:
    """Without generated code every file is reported as missing."""
    missing = problems(small)
    assert {message for _, message in missing} == {"is missing"}
    assert ("generated/provenance.toml", "is missing") in missing


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
def test_check_names_the_changed_file(generated: Small, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Changing one name in one file makes `check` fail and print the name of that file."""
    file, old, new = RENAMED[what]
    generated.replace(file, old, new)
    assert run(generated, "check") == 1
    assert f"openapi/{file}:" in capsys.readouterr().err


def test_added_and_removed_description_files_are_reported(generated: Small) -> None:
    """Files that were added to or removed from the description are reported."""
    generated.write("shared/moments.yaml", (generated.folder / "shared/types.yaml").read_text(encoding="utf-8"))
    generated.replace("things/schemas.yaml", "../shared/types.yaml", "../shared/moments.yaml")
    messages = {file: message.partition(";")[0] for file, message in problems(generated) if file.startswith("openapi/")}
    assert messages == {
        "openapi/shared/moments.yaml": "is new since generated/ was made",
        "openapi/shared/types.yaml": "is gone since generated/ was made",
        "openapi/things/schemas.yaml": "changed since generated/ was made",
    }


@pytest.mark.parametrize("content", ["", "[", "description_files = 1"])
def test_damaged_provenance_is_reported(generated: Small, content: str) -> None:
    """A provenance file that cannot be parsed is reported as different."""
    (generated.root / "generated/provenance.toml").write_text(content, encoding="utf-8")
    assert ("generated/provenance.toml", "differs") in problems(generated)


# -- the command line


@pytest.mark.parametrize("command", ["lint", "bundle", "generate", "check"])
def test_invalid_description_exits_with_1_and_a_count(
    small: Small, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command returns 1 for an invalid description and prints file, line and count on standard error."""
    small.replace("things/schemas.yaml", "#/UnixTime'", "#/Moment'")
    assert run(small, command) == 1
    captured = capsys.readouterr()
    line = small.line("things/schemas.yaml", "#/Moment")
    assert f"openapi/things/schemas.yaml:{line}: ../shared/types.yaml#/Moment does not exist" in captured.err
    assert captured.err.rstrip().endswith("1 problem")
    assert captured.out == ""


def test_commands_print_a_summary_and_return_0(generated: Small, capsys: pytest.CaptureFixture[str]) -> None:
    """`lint`, `generate` and `bundle` return 0; `bundle` prints only the document."""
    assert run(generated, "lint") == 0
    assert "6 operations in 14 files: clean" in capsys.readouterr().out
    assert run(generated, "generate") == 0
    assert "Generated 6 operations (7 methods" in capsys.readouterr().out
    assert run(generated, "bundle") == 0
    assert capsys.readouterr().out == (generated.root / "generated/coze_api/coze.openapi.json").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("arguments", [[], ["format"], ["check", "--fast"]])
def test_unknown_command_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command exits with 2 and shows the usage."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m generator" in capsys.readouterr().err
