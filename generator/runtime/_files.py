"""What may be given as the content of a file."""

from __future__ import annotations

from typing import IO, TypeAlias

__all__ = ["FileContent"]

FileContent: TypeAlias = bytes | IO[bytes] | tuple[str, bytes | IO[bytes]] | tuple[str, bytes | IO[bytes], str]
"""Bytes, a binary file object, or a tuple of name, content and optionally media type."""
