"""Uploads from whatever is at hand, up to the server."""

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
    """Return name and digest of what arrived."""
    file = sandbox._state.find("file", key)
    assert file is not None
    return file["file_name"], file["_sha256"]


class Pipe:
    """A file that can be read once, and has no name."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def at_end(path: Path) -> Any:
    """Open a file and read it, so that it stands at its end."""
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
def test_arrives_whole(coze, coze_sandbox, tmp_path, source, progress):
    """Each kind of source arrives byte for byte, under a name with the right extension."""
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    make, name = SOURCES[source]
    given = make(path)
    reports: list[tuple[int, int | None]] = []
    file = coze.files.upload(given, progress=(lambda *numbers: reports.append(numbers)) if progress else None)
    assert stored(coze_sandbox, file.id) == (name, hashlib.sha256(PNG).hexdigest())
    assert (file.bytes, file.file_name) == (len(PNG), name)
    assert file.logid
    if progress:
        total = None if source == "pipe" else len(PNG)
        assert reports[-1] == (len(PNG), total)
        assert [done for done, _ in reports] == sorted({done for done, _ in reports})
    for opened in (given, *(given if isinstance(given, tuple) else ())):
        if hasattr(opened, "closed"):
            assert not opened.closed, "what the caller opened stays open"
            opened.close()


def test_boundary_in_the_content(coze, coze_sandbox):
    """Content that looks like the end of a form arrives whole, too."""
    content = b'x\r\n--+++--\r\n--boundary\r\nContent-Disposition: form-data; name="file"\r\n\r\ny\r\n--'
    file = coze.files.upload(("a.txt", content))
    assert stored(coze_sandbox, file.id)[1] == hashlib.sha256(content).hexdigest()


def test_large_file(coze, coze_sandbox):
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


def test_progress_that_raises(coze, coze_sandbox):
    """What the progress function raises ends the upload and reaches the caller."""

    def cancel(done: int, total: int | None) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        coze.files.upload(PNG, progress=cancel)
    assert coze.files.upload(PNG).bytes == len(PNG)


def test_path_is_closed(connect, tmp_path):
    """A file that was opened for the caller is closed, also when the upload fails."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    connect(handler=Counter({"code": 0, "data": {"id": "1"}})).files.upload(path)
    with pytest.raises(APITimeoutError):
        connect(handler=Counter(httpx.ReadTimeout)).files.upload(path)
    # An open file would warn when it is let go, and warnings are errors here.


def test_no_file(coze, coze_sandbox, tmp_path):
    """A path to nothing and a folder are told apart, with the path."""
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        coze.files.upload(tmp_path / "nothing.png")
    with pytest.raises(IsADirectoryError, match="Is a folder"):
        coze.files.upload(tmp_path)
    assert not coze_sandbox.requests


@pytest.mark.parametrize("source", [None, 7, ["a.txt"], ("a.txt",), (b"a.txt", b"a")])
def test_no_source(coze, coze_sandbox, source):
    """What is no source at all is a TypeError that lists what is."""
    with pytest.raises(InvalidArgumentError, match=r"given as a path, bytes|is \(name, content\)"):
        coze.files.upload(source)
    assert not coze_sandbox.requests


def test_text_mode(coze, coze_sandbox, tmp_path):
    """A file in text mode is refused with the remedy."""
    path = tmp_path / "a.txt"
    path.write_text("a", encoding="utf-8")
    with path.open() as file, pytest.raises(InvalidArgumentError, match="open it with mode 'rb'"):
        coze.files.upload(file)
    assert not coze_sandbox.requests


def test_bad_media_type(coze, coze_sandbox):
    """A media type that would break the form is refused."""
    with pytest.raises(InvalidArgumentError, match="media type"):
        coze.files.upload(("a.txt", b"a", "text/plain\r\nX: y"))
    assert not coze_sandbox.requests


def test_misleading_extension(coze):
    """A name that contradicts its content causes a warning before the server refuses it."""
    with pytest.warns(ExtensionMismatchWarning, match=r"'a\.jpg' is image/png by its content"):
        coze.files.upload(("a.jpg", PNG))


def test_options(coze, coze_sandbox):
    """Uploads take extra headers, query and body and a timeout, as every call does."""
    coze.files.upload(("a.txt", b"a"), extra_headers={"X-Trace": "1"}, extra_query={"q": "2"}, extra_body={"n": 3})
    record = coze_sandbox.requests[-1]
    assert (record.headers["x-trace"], record.query) == ("1", "q=2")
    assert record.headers["content-type"].startswith("multipart/form-data; boundary=")


def test_other_operations(coze):
    """What is uploaded can be asked for."""
    file = coze.files.upload(("a.txt", b"abc"))
    assert coze.files.retrieve(file_id=file.id).bytes == 3
