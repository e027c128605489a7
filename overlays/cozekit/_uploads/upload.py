"""Uploads: one part of a multipart request, made of a path, bytes or an open file.

Coze derives the type of a file from the extension of its name, and returns code 4000 if the content is of another type.
So names that the caller did not choose get the extension of the content, and a name whose extension does not match
causes an `ExtensionMismatchWarning` before anything is sent.

Async clients read files synchronously, too, 64 KiB at a time: httpx does not await files.
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
from .reader import Progress, Reader, validate_file

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
    """A file that is ready to be sent.

    Attributes:
        name: The file name, without folders.
        content: The bytes, or an object from which httpx reads them.
        content_type: The media type.
    """

    name: str
    content: bytes | BinaryFile = attrs.field(repr=False)
    content_type: str

    @property
    def part(self) -> tuple[str, bytes | BinaryFile, str]:
        """The upload in the form that httpx takes in *files*."""
        return self.name, self.content, self.content_type


@contextmanager
def open_upload(
    source: UploadSource,
    *,
    progress: Progress | None = None,
) -> Generator[Upload, None, None]:
    """Open the file to upload.

    A path is opened on entry and closed on exit. An open file stays open. It is sent from its beginning if it can be
    rewound, regardless of its position.

    Args:
        source: A path, the content, an open binary file, or (name, content or file[, type]).
        progress: Called after each read. It starts again at 0 when a request is retried. Its exceptions end the upload.

    Yields:
        The upload, valid until exit.

    Raises:
        FileNotFoundError: There is no file at the path.
        IsADirectoryError: The path is a folder.
        InvalidArgumentError: *source* has another type, such as a file in text mode, or is closed, or its name is
            empty.

    Warns:
        ExtensionMismatchWarning: The extension does not match the content.
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
        message = f"No such file (in {Path.cwd()}); to upload text, pass (name, text.encode())"
        raise FileNotFoundError(error.errno, message, error.filename) from None
    except (IsADirectoryError, PermissionError) as error:  # Windows raises the latter for folders
        if not Path(path).is_dir():
            raise
        message = "Is a folder; upload its files one by one"
        raise IsADirectoryError(error.errno, message, error.filename) from None
    except ValueError as error:  # a null character, or half of a surrogate pair
        raise InvalidArgumentError(f"files.upload: file {path!r:.80} is not a valid path: {error}") from None


def _parse_tuple(source: tuple[object, ...]) -> tuple[str, object, str | None]:
    """Return name, content and type of the tuple that the caller passed."""
    content_type: str | None = None
    match source:
        case (str() as name, content):
            pass
        case (str() as name, content, (str() | None) as content_type):
            pass
        case _:
            shape = ", ".join(type(item).__name__ for item in source)
            raise InvalidArgumentError(
                f"files.upload: file is (name, content) or (name, content, content type), not ({shape})"
            )
    if not Path(name).name:
        raise InvalidArgumentError(
            "files.upload: the name of the file must not be empty: Coze derives the type from its extension"
        )
    return Path(name).name, content, content_type


def _file_name(source: object) -> str:
    """Return the name of an open file; "" if it has none."""
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
    """Build an upload, with the name and type that fit the content.

    Args:
        name: The name, or "".
        source: Bytes or a file.
        content_type: The type that the caller passed, if any.
        progress: Called while the content is read.
        named: Whether the caller chose the name, so that no extension is added.
    """
    content: bytes | Reader
    if isinstance(source, bytes | bytearray | memoryview):
        content = data = bytes(source)
        head = data[:HEAD_SIZE]
        if progress is not None:
            content = Reader(io.BytesIO(data), progress)
    else:
        content = Reader(validate_file(source), progress)
        head = content.head
    sniffed = sniff(head)
    extension = Path(name).suffix.lower()
    guessed = mimetypes.guess_type(name)[0]
    if sniffed is not None:
        if extension in EXTENSIONS[sniffed]:
            guessed = guessed or sniffed
        elif extension and guessed is not None:
            message = f"the content of {name!r} is {sniffed}: Coze expects the extension {EXTENSIONS[sniffed][0]}."
            warnings.warn(message, ExtensionMismatchWarning, stacklevel=4)
        elif not extension and not named:
            name = (name or _DEFAULT_NAME) + EXTENSIONS[sniffed][0]
    return Upload(
        name=name or _DEFAULT_NAME,
        content=content,
        content_type=content_type or guessed or sniffed or _DEFAULT_TYPE,
    )
