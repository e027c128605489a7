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
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs

from coze_api._core._files import BinaryFile

from ..errors import ExtensionMismatchWarning, InvalidArgumentError
from .media_types import EXTENSIONS, HEAD_SIZE, sniff
from .reader import Progress, Reader, checked_file

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

_DEFAULT_NAME = "file"
_DEFAULT_TYPE = "application/octet-stream"


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
        InvalidArgumentError: *source* is nothing of the above, such as a file in text mode; the file is closed, or a
            name is empty.

    Warns:
        ExtensionMismatchWarning: The extension does not fit the content.
    """
    if isinstance(source, str | os.PathLike):
        with _open_path(source) as file:
            yield _build_upload(Path(source).name, file, None, progress)
    elif isinstance(source, tuple):
        name, content, content_type = _parse_tuple(source)
        yield _build_upload(name, content, content_type, progress, named=True)
    else:
        yield _build_upload(_file_name(source), source, None, progress)


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
    except ValueError as error:  # a null character, or half of a surrogate pair
        raise InvalidArgumentError(f"files.upload: file {path!r:.80} is no path of a file: {error}") from None


def _parse_tuple(source: tuple[object, ...]) -> tuple[str, object, str | None]:
    """Return name, content and type from the tuple that a caller gives."""
    content_type: str | None = None
    match source:
        case (str() as name, content):
            pass
        case (str() as name, content, (str() | None) as content_type):
            pass
        case _:
            shape = ", ".join(type(item).__name__ for item in source)
            msg = f"files.upload: file is (name, content) or (name, content, content type), not ({shape})"
            raise InvalidArgumentError(msg)
    if not Path(name).name:
        msg = "files.upload: file must not be empty in its name: Coze tells the kind of file by it"
        raise InvalidArgumentError(msg)
    return Path(name).name, content, content_type


def _file_name(source: object) -> str:
    """Return the name that an open file has, the empty one if it has none."""
    name = getattr(source, "name", None)
    if isinstance(name, os.PathLike):
        name = os.fspath(name)
    # A file made from a descriptor has a number for a name, and standard input is "<stdin>".
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else ""


def _build_upload(
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
    content: bytes | Reader
    size: int | None
    if isinstance(source, bytes | bytearray | memoryview):
        content = data = bytes(source)
        head, size, replayable = data[:HEAD_SIZE], len(data), True
        if progress is not None:
            content = Reader(io.BytesIO(data), progress)
    else:
        content = Reader(checked_file(source), progress)
        head, size, replayable = content.head, content.size, content.rewindable
    sniffed = sniff(head)
    extension = Path(name).suffix.lower()
    guessed = mimetypes.guess_type(name)[0]
    if sniffed is not None:
        if extension in EXTENSIONS[sniffed]:
            guessed = guessed or sniffed
        elif extension and guessed is not None:
            msg = f"{name!r} is {sniffed} by its content: Coze expects {EXTENSIONS[sniffed][0]}."
            warnings.warn(msg, ExtensionMismatchWarning, stacklevel=4)
        elif not extension and not named:
            name = (name or _DEFAULT_NAME) + EXTENSIONS[sniffed][0]
    return Upload(
        name=name or _DEFAULT_NAME,
        content=content,
        content_type=content_type or guessed or sniffed or _DEFAULT_TYPE,
        size=size,
        replayable=replayable,
    )
