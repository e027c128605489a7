"""What a caller gives for a file, made into one part of a multipart request.

Coze decides by the extension of the name what a file is, and answers 4000 if the content is
something else. So a name that is only guessed gets the extension of its content, and one that
contradicts its content causes an `ExtensionMismatchWarning` before anything is sent.

Files are read synchronously, 64 KiB at a time, for async clients too: httpx does not await files.
"""

from __future__ import annotations

import io
import mimetypes
import os
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs

from coze_api._core._files import BinaryFile

from .errors import ExtensionMismatchWarning

__all__ = [
    "BinaryFile",
    "Progress",
    "Upload",
    "UploadSource",
    "open_upload",
]


UploadSource: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryFile
    | tuple[str, bytes | bytearray | memoryview | BinaryFile]
    | tuple[str, bytes | bytearray | memoryview | BinaryFile, str | None]
)
"""A path, the content, an open binary file, or (name, content or file[, content type])."""

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes sent so far and in all. The latter is None for a file of unknown size."""

_DEFAULT_NAME = "file"
_DEFAULT_TYPE = "application/octet-stream"

# What each recognised type may be called; the first extension is the one to give.
# Tags in the form of ID3 also stand before AAC and FLAC.
_EXTENSIONS = {
    "image/png": (".png", ".apng"),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "audio/wav": (".wav", ".wave"),
    "audio/mpeg": (".mp3", ".mpga", ".aac", ".flac"),
    "audio/ogg": (".ogg", ".oga", ".ogv", ".ogx", ".opus", ".spx"),
}
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
    b"ID3": "audio/mpeg",
    b"OggS": "audio/ogg",
}
_RIFF_FORMS = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_HEAD_SIZE = 12


@attrs.frozen(kw_only=True)
class Upload:
    """
    A file that is ready to be sent.

    Attributes:
        name: The file name, without folders.
        content: The bytes, or an object that httpx reads them from.
        content_type: The media type.
        size: The number of bytes, None if it is not known before they are read.
        replayable: Whether the content can be sent a second time.
    """

    name: str
    content: bytes | BinaryFile = attrs.field(repr=False)
    content_type: str
    size: int | None
    replayable: bool

    @property
    def part(self) -> tuple[str, bytes | BinaryFile, str]:
        """The upload as httpx takes it in *files*."""
        return self.name, self.content, self.content_type


@contextmanager
def open_upload(
    source: UploadSource,
    *,
    progress: Progress | None = None,
) -> Generator[Upload, None, None]:
    """
    Open what a caller gives for a file.

    A path is opened on entry and closed on exit. An open file stays open, and is sent whole: from
    its beginning if it can be rewound, no matter where it stands.

    Args:
        source: A path, the content, an open binary file, or (name, content or file[, type]).
        progress: Called after each piece that is read to be sent. When a request is sent again,
            it starts anew. What it raises ends the upload.

    Yields:
        The upload, valid until exit.

    Raises:
        FileNotFoundError: There is no file at the path.
        IsADirectoryError: The path is a folder.
        TypeError: *source* is nothing of the above, such as a file in text mode.
        ValueError: The file is closed, or a name is empty.

    Warns:
        ExtensionMismatchWarning: The extension does not fit the content.
    """
    if isinstance(source, str | os.PathLike):
        with _open_path(source) as file:
            yield _prepare(Path(source).name, file, None, progress)
    elif isinstance(source, tuple):
        name, content, content_type = _unpack(source)
        yield _prepare(name, content, content_type, progress, named=True)
    else:
        yield _prepare(_name_of(source), source, None, progress)


def _open_path(path: str | os.PathLike[str]) -> io.BufferedReader:
    try:
        return open(path, "rb")  # noqa: PTH123  (Path("") would be this folder)
    except FileNotFoundError as error:
        message = f"No such file (in {Path.cwd()}); to upload text, give (name, text.encode())"
        raise FileNotFoundError(error.errno, message, error.filename) from None
    except (IsADirectoryError, PermissionError) as error:  # the latter is what Windows raises
        if not Path(path).is_dir():
            raise
        message = "Is a folder; upload its files one by one"
        raise IsADirectoryError(error.errno, message, error.filename) from None


def _unpack(source: tuple[object, ...]) -> tuple[str, object, str | None]:
    """Return name, content and type from the tuple that a caller gives."""
    content_type: str | None = None
    match source:
        case (str() as name, content):
            pass
        case (str() as name, content, (str() | None) as content_type):
            pass
        case _:
            shape = ", ".join(type(item).__name__ for item in source)
            msg = f"An upload is (name, content) or (name, content, content type), not ({shape})."
            raise TypeError(msg)
    if not Path(name).name:
        msg = "The name of an upload must not be empty: Coze tells the kind of file by it."
        raise ValueError(msg)
    return Path(name).name, content, content_type


def _name_of(source: object) -> str:
    """Return the name that an open file has, the empty one if it has none."""
    name = getattr(source, "name", None)
    if isinstance(name, os.PathLike):
        name = os.fspath(name)
    # A file made from a descriptor has a number for a name, and standard input is "<stdin>".
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else ""


def _prepare(
    name: str,
    source: object,
    content_type: str | None,
    progress: Progress | None,
    *,
    named: bool = False,
) -> Upload:
    """
    Settle name, type and size.

    Args:
        name: The name so far, may be empty.
        source: Bytes or a file.
        content_type: The type that the caller gives, if any.
        progress: What to call while the content is read.
        named: Whether the caller gave the name and nothing is to be added to it.
    """
    content: bytes | _Reader
    size: int | None
    if isinstance(source, bytes | bytearray | memoryview):
        content = data = bytes(source)
        head, size, replayable = data[:_HEAD_SIZE], len(data), True
        if progress is not None:
            content = _Reader(io.BytesIO(data), progress)
    else:
        content = _Reader(_check_file(source), progress)
        head, size, replayable = content.head, content.size, content.rewindable
    sniffed = _sniff(head)
    extension = Path(name).suffix.lower()
    guessed = mimetypes.guess_type(name)[0]
    if sniffed is not None:
        if extension in _EXTENSIONS[sniffed]:
            guessed = guessed or sniffed
        elif extension and guessed is not None:
            msg = f"{name!r} is {sniffed} by its content: Coze expects {_EXTENSIONS[sniffed][0]}."
            warnings.warn(msg, ExtensionMismatchWarning, stacklevel=4)
        elif not extension and not named:
            name = (name or _DEFAULT_NAME) + _EXTENSIONS[sniffed][0]
    return Upload(
        name=name or _DEFAULT_NAME,
        content=content,
        content_type=content_type or guessed or sniffed or _DEFAULT_TYPE,
        size=size,
        replayable=replayable,
    )


def _check_file(source: object) -> BinaryFile:
    read = getattr(source, "read", None)
    if not callable(read):
        msg = (
            "A file is given as a path, bytes, a file opened with mode 'rb', or (name, bytes or "
            f"such a file), not as {type(source).__name__}."
        )
        raise TypeError(msg)
    if getattr(source, "closed", False):
        msg = "The file is closed; upload it within its `with` block."
        raise ValueError(msg)
    # No class or mode tells reliably whether a file is a binary one, an empty read does.
    nothing = read(0)
    if isinstance(nothing, str):
        msg = "The file is opened in text mode; open it with mode 'rb'."
        raise TypeError(msg)
    if not isinstance(nothing, bytes):
        if hasattr(nothing, "close"):
            nothing.close()  # a coroutine would warn that nobody awaited it
        msg = f"{type(source).__name__}.read() gives no bytes; async files are not supported."
        raise TypeError(msg)
    file: BinaryFile = source  # type: ignore[assignment]  # checked above
    return file


def _sniff(head: bytes) -> str | None:
    """Return the media type of content that begins with *head*, None if it is not recognised."""
    for magic, media_type in _MAGIC.items():
        if head.startswith(magic):
            return media_type
    if head.startswith(b"RIFF"):
        return _RIFF_FORMS.get(head[8:12])
    # An MPEG audio frame: eleven set bits, then any version, then layer III.
    if head[:1] == b"\xff" and head[1:2] and head[1] & 0b11100110 == 0b11100010:
        return "audio/mpeg"
    return None


class _Reader:
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
            self.head = file.read(_HEAD_SIZE)
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
