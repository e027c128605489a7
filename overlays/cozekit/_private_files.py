"""Files that hold secrets, opened so that other users cannot redirect or block the access."""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from .errors import InsecureFolderWarning

__all__ = ["ensure_dir", "open_regular", "read_regular", "try_lock"]

_LARGEST = 1024 * 1024
"""Maximum size in bytes of a file that is read. Tokens, keys and profiles have a few thousand bytes."""
_warned: set[tuple[int, int]] = set()
_guard = threading.Lock()


def open_regular(path: str | os.PathLike[str], flags: int, *, follow: bool = False) -> int:
    """Open a regular file; if *flags* create it, its mode is 0600. Never blocks, not even on a FIFO.

    Args:
        path: The file.
        flags: As for `os.open`.
        follow: Whether *path* may be a symbolic link.

    Returns:
        The descriptor.

    Raises:
        OSError: It cannot be opened, or is not a regular file. `strerror` has the reason.
    """
    if not follow:
        if not hasattr(os, "O_NOFOLLOW") and Path(path).is_symlink():
            raise _rejected(path, "it is a symbolic link")
        flags |= getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise _rejected(path, "it is a symbolic link") from None
        if error.errno == errno.ENXIO:  # a FIFO without a reader, or a socket
            raise _rejected(path, "it is not a regular file") from None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _rejected(path, "it is not a regular file")


def _rejected(path: str | os.PathLike[str], reason: str) -> OSError:
    return OSError(errno.EINVAL, reason, os.fspath(path))


def read_regular(path: str | os.PathLike[str], *, follow: bool = False) -> bytes:
    """Read a regular file.

    Raises:
        OSError: It cannot be opened, is not a regular file, or is larger than 1 MiB. `strerror` has the reason.
    """
    with os.fdopen(open_regular(path, os.O_RDONLY, follow=follow), "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {_LARGEST:,} bytes", os.fspath(path))
    return content


def ensure_dir(folder: Path) -> None:
    """Create a folder that only its owner can use. Warns once about a folder in which other users can replace files.

    Raises:
        OSError: It cannot be created.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return  # mode bits do not describe access there
    status = folder.stat()
    is_shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
    if not is_shared and status.st_uid in {os.geteuid(), 0}:
        return
    with _guard:
        known = (status.st_dev, status.st_ino) in _warned
        _warned.add((status.st_dev, status.st_ino))
    if not known:
        warnings.warn(
            f"other users can replace the files in {folder}, which hold tokens: run `chmod 700 {folder}`, or use"
            " another folder",
            InsecureFolderWarning,
            stacklevel=4,
        )


def try_lock(path: Path) -> Callable[[], None] | None:
    """Try to lock a file for all processes of this machine, without waiting.

    Returns:
        A function that unlocks it; None if it is locked already.

    Raises:
        OSError: It cannot be opened or created.
    """
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
    if _locked(descriptor):
        return lambda: _unlock(descriptor)
    os.close(descriptor)
    return None


def _unlock(descriptor: int) -> None:
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing is not enough: forked processes have the descriptor, too
    os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
