"""Uploads from all kinds of sources, up to the server."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_sandbox import Sandbox
from cozekit.errors import APITimeoutError, ExtensionMismatchWarning, InvalidArgumentError
from tests.overlay._clients import Counter

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000


def stored(sandbox: Sandbox, key: str) -> tuple[str, str]:
    """Return name and digest of the uploaded file."""
    file = sandbox._state.find("file", key)
    assert file is not None
    return file["file_name"], file["_sha256"]


class Pipe:
    """A file without a name that can be read only once."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def at_end(path: Path) -> Any:
    """Open a file and read it, so that its position is at its end."""
    file = path.open("rb")
    file.read()
    return file


SOURCES = {
    "path": (lambda path: path, "picture.png"),
    "text": (str, "picture.png"),
    "bytes": (lambda path: path.read_bytes(), "file.png"),
    "bytearray": (lambda path: bytearray(path.read_bytes()), "file.png"),
    "memoryview": (lambda path: memoryview(path.read_bytes()), "file.png"),
    "open file": (lambda path: path.open("rb"), "picture.png"),
    "open file at its end": (at_end, "picture.png"),
    "BytesIO": (lambda path: io.BytesIO(path.read_bytes()), "file.png"),
    "pipe": (lambda path: Pipe(path.read_bytes()), "file"),
    "name and bytes": (lambda path: ("日本 1.png", path.read_bytes()), "日本 1.png"),
    "name and file": (lambda path: ("a.png", path.open("rb")), "a.png"),
    "name, bytes and type": (lambda path: ("a.png", path.read_bytes(), "image/png"), "a.png"),
}  # fmt: skip


@pytest.mark.parametrize("progress", [False, True])
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_arrives_complete(coze, coze_sandbox, tmp_path, source, progress):
    """Each kind of source arrives byte for byte, under a name with the right extension."""
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    make, name = SOURCES[source]
    source_file = make(path)
    reports: list[tuple[int, int | None]] = []
    file = coze.files.upload(source_file, progress=(lambda *numbers: reports.append(numbers)) if progress else None)
    assert stored(coze_sandbox, file.id) == (name, hashlib.sha256(PNG).hexdigest())
    assert (file.bytes, file.file_name) == (len(PNG), name)
    assert file.logid
    if progress:
        total = None if source == "pipe" else len(PNG)
        assert reports[-1] == (len(PNG), total)
        assert [done for done, _ in reports] == sorted({done for done, _ in reports})
    for opened in (source_file, *(source_file if isinstance(source_file, tuple) else ())):
        if hasattr(opened, "closed"):
            assert not opened.closed, "what the caller opened stays open"
            opened.close()


def test_content_with_a_boundary_arrives_complete(coze, coze_sandbox):
    """Content that resembles the end of a form arrives complete."""
    content = b'x\r\n--+++--\r\n--boundary\r\nContent-Disposition: form-data; name="file"\r\n\r\ny\r\n--'
    file = coze.files.upload(("a.txt", content))
    assert stored(coze_sandbox, file.id)[1] == hashlib.sha256(content).hexdigest()


def test_large_file_is_read_in_pieces(coze, coze_sandbox):
    """A large file is read in pieces."""
    largest = 0

    class Counting(io.FileIO):
        def read(self, size: int | None = -1, /) -> Any:
            nonlocal largest
            largest = max(largest, size if size is not None and size >= 0 else 1 << 40)
            return super().read(size)

    with tempfile.NamedTemporaryFile(suffix=".bin") as temporary:
        temporary.truncate(5_000_000)
        with Counting(temporary.name, "rb") as file:
            assert coze.files.upload(("a.bin", file)).bytes == 5_000_000
    assert largest <= 1 << 20


def test_exception_of_the_progress_function_ends_the_upload(coze, coze_sandbox):
    """An exception of the progress function ends the upload and reaches the caller."""

    def cancel(done: int, total: int | None) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        coze.files.upload(PNG, progress=cancel)
    assert coze.files.upload(PNG).bytes == len(PNG)


def test_file_opened_by_path_is_closed(connect, tmp_path):
    """A file that the client opened by its path is closed, also when the upload fails."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    connect(handler=Counter({"code": 0, "data": {"id": "1"}})).files.upload(path)
    with pytest.raises(APITimeoutError):
        connect(handler=Counter(httpx.ReadTimeout)).files.upload(path)
    # An unclosed file would cause a ResourceWarning, which is an error here.


def test_missing_file_and_folder_have_different_errors(coze, coze_sandbox, tmp_path):
    """A missing file and a folder raise different errors, with the path."""
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        coze.files.upload(tmp_path / "nothing.png")
    with pytest.raises(IsADirectoryError, match="Is a folder"):
        coze.files.upload(tmp_path)
    assert not coze_sandbox.requests


@pytest.mark.parametrize("source", [None, 7, ["a.txt"], ("a.txt",), (b"a.txt", b"a")])
def test_invalid_source_is_a_type_error_with_the_valid_kinds(coze, coze_sandbox, source):
    """An invalid source raises a TypeError that lists the valid kinds."""
    with pytest.raises(InvalidArgumentError, match=r"must be a path, bytes|is \(name, content\)"):
        coze.files.upload(source)
    assert not coze_sandbox.requests


def test_file_in_text_mode_is_rejected_with_a_remedy(coze, coze_sandbox, tmp_path):
    """A file in text mode is rejected with the remedy."""
    path = tmp_path / "a.txt"
    path.write_text("a", encoding="utf-8")
    with path.open() as file, pytest.raises(InvalidArgumentError, match="open it with mode 'rb'"):
        coze.files.upload(file)
    assert not coze_sandbox.requests


def test_media_type_that_breaks_the_form_is_rejected(coze, coze_sandbox):
    """A media type that would break the form is rejected."""
    with pytest.raises(InvalidArgumentError, match="media type"):
        coze.files.upload(("a.txt", b"a", "text/plain\r\nX: y"))
    assert not coze_sandbox.requests


def test_extension_mismatch_warns(coze):
    """A name whose extension contradicts its content causes a warning before the server rejects it."""
    with pytest.warns(ExtensionMismatchWarning, match=r"the content of 'a\.jpg' is image/png"):
        coze.files.upload(("a.jpg", PNG))


def test_uploads_take_request_options(coze, coze_sandbox):
    """Uploads take extra headers, query, body and timeout, like every call."""
    coze.files.upload(("a.txt", b"a"), extra_headers={"X-Trace": "1"}, extra_query={"q": "2"}, extra_body={"n": 3})
    record = coze_sandbox.requests[-1]
    assert (record.headers["x-trace"], record.query) == ("1", "q=2")
    assert record.headers["content-type"].startswith("multipart/form-data; boundary=")


def test_uploaded_file_can_be_retrieved(coze):
    """An uploaded file can be retrieved."""
    file = coze.files.upload(("a.txt", b"abc"))
    assert coze.files.retrieve(file_id=file.id).bytes == 3
