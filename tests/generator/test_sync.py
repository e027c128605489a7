"""The sync half of the client, derived from its async half."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator import __main__ as command
from generator import sync
from generator.spec.diagnostics import DescriptionError

ROOT = Path(__file__).resolve().parents[2]

ASYNC = '''"""Pages, `async with` and `AsyncPage` included."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from .lines_async import AsyncLines

__all__ = ["AsyncPage", "size_of"]

LIMIT = 3
"""How many there are at most."""


def size_of(text: str) -> int:
    """Return a size, up to `LIMIT`."""
    return min(len(text), LIMIT)


async def _load(load: Callable[[], Awaitable[str]]) -> str:
    return (await load()).strip() or (await load() or "none")


async def first(load: Callable[[], Awaitable[str]]) -> str:
    return await _load(load)


class AsyncPage:
    """A page."""

    is_async_iterable = True

    async def __anext__(self) -> str:
        # `await page` comes first.
        async with AsyncLines() as lines:
            await anext(lines)
            return f"{size_of(lines.text)} {[one async for one in lines]}"

    def lines(self) -> AsyncIterator[str]:
        """Iterate by `async for`."""
        return AsyncLines().each()
'''

SYNC = '''# @generated from pages_async.py by `python -m generator sync`; do not edit.
"""Pages, `with` and `Page` included."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .lines import Lines
from .pages_async import size_of

__all__ = ["Page", "size_of"]


def _load(load: Callable[[], str]) -> str:
    return load().strip() or (load() or "none")


def first(load: Callable[[], str]) -> str:
    return _load(load)


class Page:
    """A page."""

    is_async_iterable = True

    def __next__(self) -> str:
        # `page` comes first.
        with Lines() as lines:
            next(lines)
            return f"{size_of(lines.text)} {[one for one in lines]}"

    def lines(self) -> Iterator[str]:
        """Iterate by `for`."""
        return Lines().each()
'''


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two async modules, in a repository of its own, with the names that they use."""
    folder = tmp_path / "overlays" / "cozekit"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n", encoding="utf-8")
    (folder / "pages_async.py").write_text(ASYNC, encoding="utf-8")
    (folder / "lines_async.py").write_text("class AsyncLines:\n    pass\n", encoding="utf-8")
    monkeypatch.setattr(sync, "_NAMES", {"anext": "next"})
    return tmp_path


def test_async_is_removed_and_names_change(tree: Path) -> None:
    """`async` and `await` are removed, names change in code, comments and docstrings, and equal definitions are
    imported.
    """
    assert [path.name for path in sync.derive_all(tree)] == ["lines.py", "pages.py"]
    assert (tree / "overlays/cozekit/pages.py").read_text(encoding="utf-8") == SYNC
    assert sync.derive_all(tree) == []


def test_definitions_that_call_async_ones_are_not_shared(tree: Path) -> None:
    """A definition that looks the same, but mentions one that differs, is derived and not imported."""
    path = tree / "overlays/cozekit/pages_async.py"
    path.write_text(f"{ASYNC}\n\nFIRST = [AsyncPage, first]\n\nALIAS = FIRST\n", encoding="utf-8")
    sync.derive_all(tree)
    derived = path.with_name("pages.py").read_text(encoding="utf-8")
    assert "\nFIRST = [Page, first]\n" in derived
    assert "\nALIAS = FIRST\n" in derived


def test_module_with_a_reason_is_not_derived(tree: Path) -> None:
    """A module with a line `# Not derived:` is not derived."""
    path = tree / "overlays/cozekit/lock_async.py"
    path.write_text("# Not derived: threads wait otherwise.\n", encoding="utf-8")
    user = path.with_name("user_async.py")
    user.write_text("from .lock_async import AsyncLock\n\n_LOCK = AsyncLock\n", encoding="utf-8")
    sync.derive_all(tree)
    assert not path.with_name("lock.py").exists()
    assert "\nfrom .lock import Lock\n" in path.with_name("user.py").read_text(encoding="utf-8")


def test_loops_that_only_yield(tree: Path) -> None:
    """A loop that yields each item becomes `yield from`, which async generators lack."""
    path = tree / "overlays/cozekit/lines_async.py"
    path.write_text("async def each(lines):\n    async for line in lines:\n        yield line\n", encoding="utf-8")
    sync.derive_all(tree)
    assert "def each(lines):\n    yield from lines\n" in path.with_name("lines.py").read_text(encoding="utf-8")


def test_unused_table_row_is_an_error(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of the table of names that no module uses is an error."""
    monkeypatch.setitem(sync._NAMES, "anever", "never")
    with pytest.raises(DescriptionError, match="no async module uses anever"):
        sync.derive_all(tree)


def test_check_names_stale_modules(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`sync --check` names each derived module that differs, writes nothing, and exits with 1."""
    sync.derive_all(tree)
    monkeypatch.chdir(tree)
    assert command.main(["sync", "--check"]) == 0
    path = tree / "overlays/cozekit/lines.py"
    path.write_text("edited", encoding="utf-8")
    capsys.readouterr()
    assert command.main(["sync", "--check"]) == 1
    assert "overlays/cozekit/lines.py:1: differs from what lines_async.py makes" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "edited"
    assert command.main(["sync"]) == 0
    assert "lines.py" in capsys.readouterr().out


def test_committed_modules_are_up_to_date() -> None:
    """Each derived module of the client equals what its async module derives now."""
    assert sync.stale_modules(ROOT) == []
