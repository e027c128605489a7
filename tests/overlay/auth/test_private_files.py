"""Files with tokens and keys: an attacker's link or device in their place is neither followed nor waited for."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cozekit._private_files import ensure_dir, open_regular
from cozekit._profiles import Profiles
from cozekit.auth import FileStore, JWTAuth, PKCEOAuth, Token
from cozekit.cli._console import CLIError
from cozekit.cli._locks import locked, token_locked
from cozekit.errors import InsecureFolderWarning, InvalidArgumentError, TokenStoreError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has neither FIFOs nor mode bits")

TOKEN = Token(access_token="czu_Secret1", expires_at=datetime(2031, 1, 2, tzinfo=UTC))


def _link(path: Path) -> None:
    victim = path.with_name("victim")
    victim.write_text("precious", encoding="utf-8")
    path.symlink_to(victim)


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name("made"))


PLANTED: dict[str, Callable[[Path], None]] = {
    "fifo": os.mkfifo if sys.platform != "win32" else Path.touch,
    "link": _link,
    "dangling": _dangling,
    "folder": Path.mkdir,
    "zero": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.fixture(params=PLANTED)
def plant(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """Return a function that puts a link, folder or device in the place of a file."""
    return PLANTED[request.param]


def test_lock_that_is_no_regular_file_is_rejected(tmp_path, plant):
    """A lock that is not a regular file is rejected with path, reason and remedy, and nothing is created elsewhere."""
    store = FileStore(tmp_path)
    plant(tmp_path / "k.lock")
    with pytest.raises(TokenStoreError, match=r"k\.lock cannot be created: .*; pass a folder that you own"):
        store.try_lock("k")
    assert not (tmp_path / "made").exists()


def test_token_file_that_is_no_regular_file_is_replaced(tmp_path, plant):
    """A token file that is not a regular file is not read; saving replaces it, and the file that it links to stays as it
    was.
    """
    store, path = FileStore(tmp_path), tmp_path / "k.json"
    plant(path)
    with pytest.raises(TokenStoreError, match=r"k\.json cannot be read: .*; check its owner and mode"):
        store.load("k")
    if path.is_dir() and not path.is_symlink():
        with pytest.raises(TokenStoreError, match="cannot be stored"):
            store.save("k", TOKEN)
        return
    store.save("k", TOKEN)
    assert store.load("k") == TOKEN
    assert stat.S_ISREG(path.lstat().st_mode)
    victim = tmp_path / "victim"
    assert not victim.exists() or victim.read_text(encoding="utf-8") == "precious"
    assert not (tmp_path / "made").exists()


def test_cleanup_of_temporary_files_follows_no_links(tmp_path):
    """Cleanup of temporary files judges a link by its own age and does not follow it."""
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    os.utime(victim, (1, 1))
    (tmp_path / ".k.json.link").symlink_to(victim)
    FileStore(tmp_path).save("k", TOKEN)
    assert (tmp_path / ".k.json.link").is_symlink()


def test_profiles_and_locks_must_be_regular_files(tmp_path, plant):
    """Profiles, their locks and the locks of their tokens are regular files, or are rejected by name."""
    profiles = Profiles(tmp_path)
    for name in ("profiles.json", "profiles.lock", "tokens/default.lock"):
        (tmp_path / name).parent.mkdir(mode=0o700, exist_ok=True)
        plant(tmp_path / name)
    with pytest.raises(InvalidArgumentError, match=r"profiles\.json cannot be read: .*; set COZE_API_TOKEN"):
        profiles.read()
    with pytest.raises(CLIError, match=r"profiles\.lock cannot be created: .*; remove it, or set COZE_CONFIG_DIR"):
        with locked(profiles):
            pass
    with pytest.raises(TokenStoreError, match=r"default\.lock cannot be created"), token_locked(profiles, "default"):
        pass


@pytest.mark.parametrize("kind", ["fifo", "folder", "zero", "large"])
def test_endless_or_special_key_and_app_files_are_rejected(tmp_path, kind):
    """Key and app files that never end or are not regular files are rejected at once, with path and reason."""
    path = tmp_path / "given"
    if kind == "large":
        path.write_bytes(b" " * (1024 * 1024 + 1))
    else:
        PLANTED[kind](path)
    reason = r"it has more than 1,048,576 bytes" if kind == "large" else r"it is not a regular file"
    reads = (
        lambda: JWTAuth("id", None, "kid", private_key_file=path),
        lambda: JWTAuth.from_file(path),
        lambda: PKCEOAuth.from_file(path, redirect_uri="http://127.0.0.1:9/callback"),
    )
    for read in reads:
        with pytest.raises(InvalidArgumentError, match=rf"given'?:? cannot be read: {reason}"):
            read()


def test_app_file_may_be_a_link(tmp_path):
    """An app file may be a link, as mounted secrets are."""
    (tmp_path / "real").write_text('{"client_id": "i"}', encoding="utf-8")
    (tmp_path / "given").symlink_to("real")
    flow = PKCEOAuth.from_file(tmp_path / "given", redirect_uri="http://127.0.0.1:9/callback")
    assert flow.client_id == "i"


def test_links_are_rejected_without_o_nofollow(tmp_path, monkeypatch):
    """Links are rejected also where `open` has no O_NOFOLLOW flag, as on Windows."""
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
        monkeypatch.delattr(os, flag)
    _link(tmp_path / "k.lock")
    with pytest.raises(OSError, match="it is a symbolic link"):
        open_regular(tmp_path / "k.lock", os.O_RDWR)
    os.close(open_regular(tmp_path / "victim", os.O_RDWR))


def test_rejected_files_are_closed(tmp_path, plant, monkeypatch):
    """A file that is rejected after it was opened is closed."""
    plant(tmp_path / "k.lock")
    opened: list[int] = []
    closed: list[int] = []
    open_, close = os.open, os.close
    monkeypatch.setattr(os, "open", lambda *args: opened.append(open_(*args)) or opened[-1])
    monkeypatch.setattr(os, "close", lambda descriptor: closed.append(descriptor) or close(descriptor))
    for flags in (os.O_RDWR, os.O_RDONLY):
        with pytest.raises(OSError, match=r"symbolic link|not a regular file|Is a directory"):
            open_regular(tmp_path / "k.lock", flags)
    assert opened == closed


@pytest.mark.parametrize(
    ("mode", "warns"), [(0o700, False), (0o755, False), (0o770, True), (0o707, True), (0o1777, False)]
)
def test_folder_writable_by_others_warns_once(tmp_path, mode, warns):
    """A folder in which others can replace files causes one warning with a remedy; a sticky folder causes none."""
    folder = tmp_path / "tokens"
    folder.mkdir()
    folder.chmod(mode)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            FileStore(folder).save("k", TOKEN)
            Profiles(folder).ensure_dir()
    messages = [str(warning.message) for warning in caught if warning.category is InsecureFolderWarning]
    assert len(messages) == int(warns)
    assert not messages or f"chmod 700 {folder}" in messages[0]


def test_folder_of_another_user_warns(tmp_path, monkeypatch):
    """A folder that belongs to another user causes a warning, whatever its mode."""
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, 1, 1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.warns(InsecureFolderWarning, match="other users can replace the files"):
        ensure_dir(folder)


def test_fifo_in_place_of_lock_and_token_does_not_block(tmp_path):
    """A program that finds a FIFO in place of its lock or its token does not block, although nobody writes into it."""
    os.mkfifo(tmp_path / "k.json")
    os.mkfifo(tmp_path / "k.lock")
    code = (
        "import sys; from cozekit.auth import FileStore; from cozekit.errors import TokenStoreError\n"
        "for call in (FileStore(sys.argv[1]).load, FileStore(sys.argv[1]).try_lock):\n"
        "    try: call('k')\n"
        "    except TokenStoreError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.count("it is not a regular file") == 2
