# @generated from _download_async.py by `python -m generator sync`; do not edit.
"""Downloads: responses that are audio or other files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from ._download_async import MAX_ERROR_BYTES, BaseBinary, is_binary, may_be_error
from ._errors import DownloadInterrupted
from ._http import HTTPError, map_exceptions

__all__ = ["MAX_ERROR_BYTES", "BaseBinary", "Binary", "is_binary", "may_be_error"]


class Binary(BaseBinary):
    """Content that is read once: as it arrives by iterating, at once by `read`, or into a file by `save`.

    Reading to the end releases the connection; so does `close`, or the end of `with`.
    """

    def __iter__(self) -> Iterator[bytes]:
        if self._content is not None:
            yield self._content
            return
        received = 0
        peeked, self._peeked = self._peeked, None
        start, rest = peeked or (b"", self._http.iter_bytes())
        try:
            with map_exceptions:
                if start:
                    received = len(start)
                    yield start
                for chunk in rest:
                    received += len(chunk)
                    yield chunk
        except HTTPError as error:
            raise self._interrupted(error, received) from error
        finally:
            self.close()

    def _peek(self, limit: int) -> bytes | None:
        """Return all of the content if it has at most *limit* bytes, else None. It can be read afterwards.

        Raises:
            HTTPError: It broke off.
        """
        start = bytearray()
        rest = self._http.iter_bytes()
        try:
            with map_exceptions:
                for chunk in rest:
                    start += chunk
                    if len(start) > limit:
                        self._peeked = (bytes(start), rest)
                        return None
        except BaseException:
            self.close()
            raise
        self.close()
        self._content = bytes(start)
        return self._content

    def read(self) -> bytes:
        """Return all of the content, also when called again. It is held in memory, whatever its size.

        Raises:
            DownloadInterrupted: It broke off; `content` of the error is what arrived.
        """
        if self._content is None:
            content = bytearray()
            try:
                for chunk in self:
                    content += chunk
            except DownloadInterrupted as error:
                error.content = bytes(content)
                raise
            self._content = bytes(content)
        return self._content

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the content to a file as it arrives. The thread of the caller, or of its event loop, writes the file.

        Returns:
            The number of bytes written.

        Raises:
            DownloadInterrupted: It broke off; the file holds what arrived.
        """
        chunks = iter(self)
        first = next(chunks, b"")  # before the file is emptied: there may be nothing left to read
        with Path(path).open("wb") as file:
            written = file.write(first)
            for chunk in chunks:
                written += file.write(chunk)
        return written

    def close(self) -> None:
        """Release the connection. Safe to call at any time."""
        peeked, self._peeked = self._peeked, None
        if peeked is not None:
            peeked[1].close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
