"""What may be given as the content of a file."""

from __future__ import annotations

from typing import Protocol, TypeAlias

__all__ = ["BinaryFile", "FileContent"]


class BinaryFile(Protocol):
    """Anything that is read like a file in binary mode."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most *size* bytes, all for -1, none at the end."""
        ...


FileContent: TypeAlias = bytes | BinaryFile | tuple[str, bytes | BinaryFile] | tuple[str, bytes | BinaryFile, str]
"""Bytes, a binary file object, or a tuple of name, content and optionally media type."""
