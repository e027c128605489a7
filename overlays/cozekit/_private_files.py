"""Files that hold secrets: opened such that nobody else can choose what is read, written or waited for."""

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
"""Bytes of a file that is read. Tokens, keys and profiles have a few thousand."""
_warned: set[tuple[int, int]] = set()
_guard = threading.Lock()


def open_regular(path: str | os.PathLike[str], flags: int, *, follow: bool = False) -> int:
    """Open a regular file, made with mode 0600 where *flags* say so. Never waits, as for who writes into a FIFO.

    Args:
        path: The file.
        flags: As of `os.open`.
        follow: Whether it may be a symbolic link to one.

    Returns:
        The descriptor.

    Raises:
        OSError: It cannot be opened, or is no regular file. `strerror` says why.
    """
    if not follow:
        if not hasattr(os, "O_NOFOLLOW") and Path(path).is_symlink():
            raise _refused(path, "it is a symbolic link")
        flags |= getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise _refused(path, "it is a symbolic link") from None
        if error.errno == errno.ENXIO:  # a FIFO that nobody reads, or a socket
            raise _refused(path, "it is no regular file") from None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _refused(path, "it is no regular file")


def _refused(path: str | os.PathLike[str], reason: str) -> OSError:
    return OSError(errno.EINVAL, reason, os.fspath(path))


def read_regular(path: str | os.PathLike[str], *, follow: bool = False) -> bytes:
    """Read a regular file.

    Raises:
        OSError: See `open_regular`; or it is larger than 1 MiB.
    """
    with os.fdopen(open_regular(path, os.O_RDONLY, follow=follow), "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {_LARGEST:,} bytes", os.fspath(path))
    return content


def ensure_dir(folder: Path) -> None:
    """Make a folder for its owner alone. Warns once of one in which others can replace files.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return  # where mode bits say nothing about others
    found = folder.stat()
    is_shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    if not is_shared and found.st_uid in {os.geteuid(), 0}:
        return
    with _guard:
        known = (found.st_dev, found.st_ino) in _warned
        _warned.add((found.st_dev, found.st_ino))
    if not known:
        warnings.warn(
            f"other users can replace the files in {folder}, which hold tokens: make it yours alone, by"
            f" `chmod 700 {folder}`, or use another folder",
            InsecureFolderWarning,
            stacklevel=4,
        )


def try_lock(path: Path) -> Callable[[], None] | None:
    """Lock a file for all processes of this machine, without waiting.

    Returns:
        What unlocks it; None where it is locked.

    Raises:
        OSError: It cannot be opened or made.
    """
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
    if _locked(descriptor):
        return lambda: _unlock(descriptor)
    os.close(descriptor)
    return None


def _unlock(descriptor: int) -> None:
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)  # to close it is not enough: a process that was forked has it, too
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
