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
"""Keys that are file names as they are. A key that ends like a digest is not: another key could have the same file."""
_ABANDONED = 60
"""Seconds after which the half-written file of a process that was killed is removed."""


class FileStore:
    """Stores each token in a file of its own, which only its owner may read (mode 0600).

    A file is replaced as a whole: if a process is killed, the file has either the old token or the new one. A lock
    lets one process of the machine at a time refresh a token; it ends with the process that holds it. The folder must
    be on a local file system. Links and other files that are not regular files are rejected, and
    `InsecureFolderWarning` warns of a folder in which other users can replace files.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Create a store for a folder. The folder is created (mode 0700) when the first token is saved."""
        self.folder = Path(folder).expanduser()

    def __repr__(self) -> str:
        return f"FileStore({str(self.folder)!r})"

    def path_of(self, key: str) -> Path:
        """Return the file of a token.

        Raises:
            InvalidArgumentError: *key* is not a string.
        """
        if not isinstance(key, str):
            raise InvalidArgumentError(f"the name of a token must be a str, not {type(key).__name__}")
        # Keys that differ only in ways that file systems ignore, such as case, must not have the same file.
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        plain = (
            key if _PLAIN.fullmatch(key) else f"{re.sub(r'[^a-z0-9_.-]', '_', key.lower())[:64].strip('.')}-{digest}"
        )
        return self.folder / f"{plain}.json"

    def load(self, key: str) -> Token | None:
        """Return the token with the name *key*, or None.

        Raises:
            TokenStoreError: The file cannot be read, or contains no token.
        """
        token, problem = _read(self.path_of(key))
        if problem:
            raise TokenStoreError(problem)
        return token

    def save(self, key: str, token: Token) -> None:
        """Store a token under the name *key*. It is on the disk when this returns.

        Raises:
            TokenStoreError: The token cannot be stored. The previous token of that name stays.
        """
        path = self.path_of(key)
        problem = self._write(path, token)
        if problem:
            raise TokenStoreError(f"the token cannot be stored in {path}: {problem}")

    def delete(self, key: str) -> None:
        """Delete the token with the name *key*, if there is one.

        Raises:
            TokenStoreError: The file cannot be removed.
        """
        path = self.path_of(key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise TokenStoreError(f"{path} cannot be removed: {error.strerror}") from error

    def try_lock(self, key: str) -> Callable[[], None] | None:
        """Lock the name *key* for all processes of this machine, without waiting.

        Returns:
            A function that releases the lock; None if it is held.

        Raises:
            TokenStoreError: The file for the lock cannot be created.
        """
        path = self.path_of(key).with_suffix(".lock")  # never removed: otherwise two processes could lock two files
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
        """Remove half-written files of processes that were killed."""
        for temporary in self.folder.glob(f".{path.name}.*"):
            with suppress(OSError):
                if time.time() - temporary.lstat().st_mtime > _ABANDONED:
                    temporary.unlink()


def _read(path: Path) -> tuple[Token | None, str]:
    try:
        content = read_regular(path).decode()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror}; check its owner and mode"
    except ValueError:
        content = ""
    try:
        token = Token.from_dict(json.loads(content))
    except ValueError:
        token = None
    return token, "" if token is not None else f"{path} contains no token; remove it and log in again"


def _sync_folder(folder: Path) -> None:
    """Write the folder's entries to the disk, so that a renamed file has its new name after a crash."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
