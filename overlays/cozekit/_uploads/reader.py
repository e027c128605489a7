"""Files in the form that httpx reads."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TypeAlias

from coze_api._core._files import BinaryFile

from ..errors import InvalidArgumentError
from .media_types import HEAD_SIZE

__all__ = ["Progress", "Reader", "validate_file"]

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes sent so far and the size of the file. The size is None if it is unknown."""


def validate_file(source: object) -> BinaryFile:
    """Return *source* as a binary file.

    Raises:
        InvalidArgumentError: It is not a binary file, or is closed.
    """
    read = getattr(source, "read", None)
    if not callable(read):
        raise InvalidArgumentError(
            "files.upload: file must be a path, bytes, a file opened with mode 'rb', or (name, bytes or such a file),"
            f" not {type(source).__name__}"
        )
    if getattr(source, "closed", False):
        raise InvalidArgumentError("files.upload: file is closed; upload it within its `with` block")
    # Neither class nor mode is a reliable sign of a binary file; an empty read is.
    empty = read(0)
    if isinstance(empty, str):
        raise InvalidArgumentError("files.upload: file is opened in text mode; open it with mode 'rb'")
    if not isinstance(empty, bytes):
        if hasattr(empty, "close"):
            empty.close()  # otherwise Python warns that a coroutine was never awaited
        raise InvalidArgumentError(
            f"files.upload: file: {type(source).__name__}.read() returns no bytes; async files are not supported"
        )
    file: BinaryFile = source  # type: ignore[assignment]  # checked above
    return file


class Reader:
    """A file as httpx reads it: `tell` and `seek` for the length, ``seek(0)`` before each attempt.

    It has no ``fileno``: httpx would use the size of that file as the length, which is wrong for gzip files and for
    data that is not flushed yet.
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
        """Read bytes and report the progress."""
        data = self._file.read(size)
        self._position += len(data)
        if data and self._progress is not None:
            self._progress(self._position, self.size)
        return data

    def seekable(self) -> bool:
        """Return whether the file can be sent a second time."""
        return self.rewindable

    def tell(self) -> int:
        """Return the position.

        Raises:
            UnsupportedOperation: The size of the file is unknown.
        """
        self._known_size()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to *offset* from the beginning or the end.

        Raises:
            UnsupportedOperation: The file cannot seek, and nothing was read yet.
            OSError: The file cannot seek.
        """
        if not self.rewindable:
            if self._position == 0:
                raise io.UnsupportedOperation("the file cannot be rewound")  # httpx then sends it in chunks
            raise OSError("The file cannot be sent again: it cannot be rewound. Pass its content as bytes.")
        if whence == os.SEEK_END:
            offset += self._known_size()
        self._file.seek(offset)  # type: ignore[attr-defined]  # it is rewindable
        self._position = offset
        return offset

    def _known_size(self) -> int:
        if self.size is None:
            raise io.UnsupportedOperation("the size of the file is unknown")
        return self.size

    def _try_seek(self, *where: int) -> bool:
        try:
            self._file.seek(*where)  # type: ignore[attr-defined]  # files that cannot raise AttributeError
        except (AttributeError, OSError, TypeError, ValueError):  # seek may accept fewer arguments
            return False
        return True
