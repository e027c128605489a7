"""Tokens in files that only their owner can read."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .._private_files import ensure_dir, read_regular, try_lock
from ..errors import InvalidArgumentError, TokenStoreError
from ._token import Token

__all__ = ["FileStore"]

_PLAIN = re.compile(r"(?!.*-[0-9a-f]{16}$)[a-z0-9][a-z0-9_.-]{0,63}")
"""Names that are names of files. Not those that look like what is made of other names: they would meet in one file."""
_ABANDONED = 60
"""Seconds after which the half-written file of a process that was killed is removed."""


class FileStore:
    """Keeps each token in a file of its own, which only its owner may read (mode 0600).

    A file is replaced as a whole, so that a process that is killed leaves either the old token or the new one. A lock
    makes the processes of one machine take turns; it ends with the process that holds it. The folder must be on a
    local file system. Links and other files that are not regular files are rejected, and `InsecureFolderWarning` warns
    of a folder in which other users can replace files.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Name the folder, which is made (mode 0700) when the first token is kept."""
        self.folder = Path(folder).expanduser()

    def __repr__(self) -> str:
        return f"FileStore({str(self.folder)!r})"

    def path_of(self, key: str) -> Path:
        """Return the file of a token.

        Raises:
            InvalidArgumentError: *key* is no text.
        """
        if not isinstance(key, str):
            raise InvalidArgumentError(f"the name of a token must be a str, not {type(key).__name__}")
        # Names that differ only in ways that file systems ignore must not meet in one file.
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        plain = (
            key if _PLAIN.fullmatch(key) else f"{re.sub(r'[^a-z0-9_.-]', '_', key.lower())[:64].strip('.')}-{digest}"
        )
        return self.folder / f"{plain}.json"

    def load(self, key: str) -> Token | None:
        """Return the token of that name, or None.

        Raises:
            TokenStoreError: The file cannot be read, or holds no token.
        """
        token, problem = _read(self.path_of(key))
        if problem:
            raise TokenStoreError(problem)
        return token

    def save(self, key: str, token: Token) -> None:
        """Keep a token under that name. It is on the disk once this returns.

        Raises:
            TokenStoreError: It cannot be kept. What was kept before stays.
        """
        path = self.path_of(key)
        problem = self._write(path, token)
        if problem:
            raise TokenStoreError(f"the token cannot be kept in {path}: {problem}")

    def delete(self, key: str) -> None:
        """Forget the token of that name.

        Raises:
            TokenStoreError: The file cannot be removed.
        """
        path = self.path_of(key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise TokenStoreError(f"{path} cannot be removed: {error.strerror}") from error

    def try_lock(self, key: str) -> Callable[[], None] | None:
        """Lock a name for all processes of this machine, without waiting.

        Raises:
            TokenStoreError: The file for the lock cannot be created.
        """
        path = self.path_of(key).with_suffix(".lock")  # stays: to remove it would let two processes lock two files
        try:
            ensure_dir(self.folder)
            return try_lock(path)
        except OSError as error:
            raise TokenStoreError(f"{path} cannot be created: {error.strerror}; pass a folder that you own") from error

    def _write(self, path: Path, token: Token) -> str:
        temporary = ""
        try:
            ensure_dir(self.folder)
            self._sweep(path)
            descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=self.folder)  # mode 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(token.to_dict(), file)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
            temporary = ""
            _sync_folder(self.folder)
        except OSError as error:
            return f"{error.strerror or type(error).__name__}"
        finally:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
        return ""

    def _sweep(self, path: Path) -> None:
        """Remove what processes that were killed while they wrote have left."""
        for left in self.folder.glob(f".{path.name}.*"):
            with suppress(OSError):
                if time.time() - left.lstat().st_mtime > _ABANDONED:
                    left.unlink()


def _read(path: Path) -> tuple[Token | None, str]:
    try:
        content = read_regular(path).decode()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror}; check whose file it is"
    except ValueError:
        content = ""
    try:
        token = Token.from_dict(json.loads(content))
    except ValueError:
        token = None
    return token, "" if token is not None else f"{path} holds no token; remove it and log in again"


def _sync_folder(folder: Path) -> None:
    """Put the new name of a file on the disk, too."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
