"""Files as httpx reads them to send them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TypeAlias

from coze_api._core._files import BinaryFile

from ..errors import InvalidArgumentError
from .media_types import HEAD_SIZE

__all__ = ["Progress", "Reader", "checked_file"]

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes sent so far and in all. The latter is None for a file of unknown size."""


def checked_file(source: object) -> BinaryFile:
    """Make sure that bytes can be read from something.

    Raises:
        InvalidArgumentError: They cannot, or it is closed.
    """
    read = getattr(source, "read", None)
    if not callable(read):
        msg = (
            "files.upload: file is given as a path, bytes, a file opened with mode 'rb', or (name, bytes or "
            f"such a file), not as {type(source).__name__}"
        )
        raise InvalidArgumentError(msg)
    if getattr(source, "closed", False):
        msg = "files.upload: file is closed; upload it within its `with` block"
        raise InvalidArgumentError(msg)
    # No class or mode tells reliably whether a file is a binary one, an empty read does.
    nothing = read(0)
    if isinstance(nothing, str):
        msg = "files.upload: file is opened in text mode; open it with mode 'rb'"
        raise InvalidArgumentError(msg)
    if not isinstance(nothing, bytes):
        if hasattr(nothing, "close"):
            nothing.close()  # a coroutine would warn that nobody awaited it
        msg = f"files.upload: file: {type(source).__name__}.read() gives no bytes; async files are not supported"
        raise InvalidArgumentError(msg)
    file: BinaryFile = source  # type: ignore[assignment]  # checked above
    return file


class Reader:
    """
    A file as httpx reads it: `tell` and `seek` for the length, ``seek(0)`` before each sending.

    It has no ``fileno``, since httpx would take that file's size for the length, which is wrong
    for gzip files and for what is not flushed yet.
    """

    __slots__ = ("_file", "_position", "_progress", "head", "rewindable", "size")

    def __init__(self, file: BinaryFile, progress: Progress | None) -> None:
        self._file = file
        self._progress = progress
        self._position = 0
        self.size: int | None = None
        self.head = b""
        self.rewindable = self._try_seek(0)
        if self.rewindable:
            self.head = file.read(HEAD_SIZE)
            if self._try_seek(0, os.SEEK_END):
                self.size = int(file.tell())  # type: ignore[attr-defined]  # it could seek
            self._try_seek(0)

    def read(self, size: int = -1, /) -> bytes:
        """Read, and report it."""
        data = self._file.read(size)
        self._position += len(data)
        if data and self._progress is not None:
            self._progress(self._position, self.size)
        return data

    def seekable(self) -> bool:
        """Tell whether the file can be sent a second time."""
        return self.rewindable

    def tell(self) -> int:
        """Return the position, if the file has a known end."""
        self._known_size()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to *offset* from the beginning or the end, as far as the file allows."""
        if not self.rewindable:
            if self._position == 0:
                msg = "the file cannot be rewound"
                raise io.UnsupportedOperation(msg)  # which httpx takes for: read what there is
            msg = "The file cannot be sent again: it cannot be rewound. Give its content as bytes."
            raise OSError(msg)
        if whence == os.SEEK_END:
            offset += self._known_size()
        self._file.seek(offset)  # type: ignore[attr-defined]  # it is rewindable
        self._position = offset
        return offset

    def _known_size(self) -> int:
        if self.size is None:
            msg = "the size of the file is not known"
            raise io.UnsupportedOperation(msg)
        return self.size

    def _try_seek(self, *where: int) -> bool:
        try:
            self._file.seek(*where)  # type: ignore[attr-defined]  # not all can: see below
        except (AttributeError, OSError, TypeError, ValueError):  # seek may know fewer arguments
            return False
        return True
