"""The values that can be passed as a file."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cozekit._uploads.upload import Upload, UploadSource, open_upload
from cozekit.errors import ExtensionMismatchWarning, InvalidArgumentError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20

CONTENTS = [
    (PNG, ".png", "image/png"),
    (b"\xff\xd8\xff\xe0 JFIF", ".jpg", "image/jpeg"),
    (b"GIF87a......", ".gif", "image/gif"),
    (b"GIF89a......", ".gif", "image/gif"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", ".webp", "image/webp"),
    (b"%PDF-1.7\n", ".pdf", "application/pdf"),
    (b"RIFF\x10\0\0\0WAVEfmt ", ".wav", "audio/"),
    (b"ID3\x04\0", ".mp3", "audio/mpeg"),
    (b"\xff\xfb\x90\x00", ".mp3", "audio/mpeg"),
    (b"\xff\xf3\x40\xc0", ".mp3", "audio/mpeg"),
    (b"OggS\0\x02", ".ogg", "audio/ogg"),
]


class Pipe(io.RawIOBase):
    """A binary stream that can neither be rewound nor measured."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read as BytesIO does."""
        return self._content.readinto(buffer)


class Tape:
    """A file that can only be read and rewound."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int = -1, /) -> bytes:
        """Read as BytesIO does."""
        return self._content.read(size)

    def seek(self, offset: int, /) -> int:
        """Seek as BytesIO does from the beginning."""
        return self._content.seek(offset)


def form(upload: Upload) -> httpx.Request:
    """Create the request that sends *upload*."""
    part: Any = upload.part
    return httpx.Request("POST", "https://api.coze.cn/v1/files/upload", files={"file": part})


def size_of(upload: Upload) -> int | None:
    """Return the number of bytes, as far as it is known before they are read."""
    content: Any = upload.content
    return len(content) if isinstance(content, bytes) else content.size


def can_be_resent(upload: Upload) -> bool:
    """Return whether the content can be sent a second time."""
    content: Any = upload.content
    return isinstance(content, bytes) or content.seekable()


def sent(source: UploadSource) -> tuple[str, bytes, str]:
    """Return name, content and type as they arrive at the server."""
    with open_upload(source) as upload:
        request = form(upload)
        body = request.read()
    head, _, rest = body.partition(b"\r\n\r\n")
    boundary = head.split(b"\r\n")[0]
    fields = head.decode().split("\r\n")
    name = fields[1].partition('filename="')[2].removesuffix('"')
    content_type = fields[2].removeprefix("Content-Type: ")
    return name, rest.removesuffix(b"\r\n" + boundary + b"--\r\n"), content_type


@pytest.fixture
def avatar(tmp_path: Path) -> Path:
    """Create a PNG file."""
    path = tmp_path / "avatar.png"
    path.write_bytes(PNG)
    return path


class TestSources:
    """Paths, content, tuples and open files."""

    def test_path_may_be_a_string_or_path_object(self, avatar: Path) -> None:
        """A path may be a string or a path object; its last part is the name."""
        expected = ("avatar.png", PNG, "image/png")
        assert sent(avatar) == expected
        assert sent(str(avatar)) == expected

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_content_may_be_any_bytes_like_object(self, kind: Any) -> None:
        """Content may be any bytes-like object."""
        assert sent(kind(PNG)) == ("file.png", PNG, "image/png")

    def test_tuple_sets_name_and_type(self) -> None:
        """A tuple sets the name, and optionally the type, of the content."""
        assert sent(("a.txt", b"a")) == ("a.txt", b"a", "text/plain")
        assert sent(("a.txt", b"a", None)) == ("a.txt", b"a", "text/plain")
        assert sent(("a.txt", b"a", "text/x-a")) == ("a.txt", b"a", "text/x-a")
        assert sent(("folder/a.txt", io.BytesIO(b"a"))) == ("a.txt", b"a", "text/plain")

    def test_open_file_keeps_its_name_and_stays_open(self, avatar: Path) -> None:
        """An open file is sent under its own name and stays open."""
        with avatar.open("rb") as file:
            assert sent(file) == ("avatar.png", PNG, "image/png")
            assert not file.closed

    def test_open_file_is_sent_from_its_start(self, avatar: Path) -> None:
        """A file that was read or just written is sent from its start."""
        with avatar.open("rb") as file:
            file.read()
            assert sent(file)[1] == PNG
        buffer = io.BytesIO()
        buffer.write(b"abc")
        assert sent(buffer)[1] == b"abc"

    def test_file_without_a_name_is_named_by_its_content(self) -> None:
        """Files that have no name, or no real one, are named by their content."""
        with tempfile.TemporaryFile() as file:
            file.write(PNG)
            assert sent(file) == ("file.png", PNG, "image/png")
        stdin = io.BytesIO(b"?")
        stdin.name = "<stdin>"
        assert sent(stdin) == ("file", b"?", "application/octet-stream")

    def test_unflushed_data_is_counted_and_sent(self, tmp_path: Path) -> None:
        """Data that is written but not flushed is counted and sent."""
        with (tmp_path / "a.txt").open("w+b") as file:
            file.write(b"xyz")  # no hexadecimal digits, which a random boundary could contain
            with open_upload(file) as upload:
                assert size_of(upload) == 3
                assert form(upload).read().count(b"xyz") == 1

    def test_gzip_file_is_sent_decompressed(self, tmp_path: Path) -> None:
        """A gzip file is measured and sent decompressed."""
        path = tmp_path / "a.txt.gz"
        path.write_bytes(gzip.compress(b"abc" * 1000))
        with gzip.open(path) as file, open_upload(("a.txt", file)) as upload:
            assert size_of(upload) == 3000
            request = form(upload)
            assert int(request.headers["Content-Length"]) == len(request.read())

    def test_file_of_unknown_size_is_sent_in_chunks_repeatedly(self) -> None:
        """A file that can only be rewound is sent in chunks, any number of times."""
        with open_upload(("a.png", Tape(PNG))) as upload:
            assert size_of(upload) is None
            assert can_be_resent(upload)
            request = form(upload)
            assert request.headers["Transfer-Encoding"] == "chunked"
            stream: Any = request.stream
            assert b"".join(stream).count(PNG) == b"".join(stream).count(PNG) == 1

    def test_pipe_is_sent_in_chunks(self) -> None:
        """A pipe is sent in chunks, since its size is unknown."""
        with open_upload(Pipe(b"abc")) as upload:
            request = form(upload)
            assert size_of(upload) is None
            assert not can_be_resent(upload)
            assert request.headers["Transfer-Encoding"] == "chunked"
            assert b"\r\n\r\nabc\r\n" in request.read()

    def test_file_opened_by_path_is_closed_after_the_block(self, avatar: Path) -> None:
        """A file that was opened by its path is closed at the end of the block, also after an error."""
        with pytest.raises(KeyError), open_upload(avatar) as upload:
            raise KeyError
        content: Any = upload.content
        with pytest.raises(ValueError, match="closed"):
            content.read()


class TestNames:
    """Names, extensions and types."""

    @pytest.mark.parametrize(("content", "extension", "content_type"), CONTENTS)
    def test_content_gets_the_extension_of_its_type(self, content: bytes, extension: str, content_type: str) -> None:
        """Content without a name gets the extension of its type."""
        name, _, guessed = sent(content)
        assert name == "file" + extension
        assert guessed.startswith(content_type)

    @pytest.mark.parametrize(("content", "extension", "content_type"), CONTENTS)
    def test_matching_extension_causes_no_warning(self, content: bytes, extension: str, content_type: str) -> None:
        """A matching extension, in upper or lower case, causes no warning."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _, _, guessed = sent(("a" + extension.upper(), content))
        assert guessed.startswith(content_type)

    @pytest.mark.parametrize("content", [b"", b"\xff", b"\xff\xfe", b"\xff\xf1", b"RIFF", b"text"])
    def test_unknown_content_gets_a_neutral_name(self, content: bytes) -> None:
        """Content of unknown type gets a neutral name and type, and no extension."""
        assert sent(content) == ("file", content, "application/octet-stream")

    @pytest.mark.parametrize("name", ["a.jpg", "a.txt", "a.pdf", "A.GIF"])
    def test_mismatching_extension_warns_and_is_kept(self, name: str) -> None:
        """An extension of another type than the content's causes a warning, and is kept."""
        with pytest.warns(ExtensionMismatchWarning, match=r"is image/png: .* extension \.png"):
            assert sent((name, PNG))[0] == name

    def test_warning_has_the_callers_line(self) -> None:
        """The warning has the line that opens the upload."""
        with pytest.warns(ExtensionMismatchWarning) as caught, open_upload(("a.jpg", PNG)):
            pass
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("name", ["a.jpeg", "a.mp3", "a.flac", "a.opus", "a.unknown"])
    def test_every_extension_of_a_type_matches_it(self, name: str) -> None:
        """Every extension in use for a type matches it, and unknown extensions are not checked."""
        magic = {"a.jpeg": b"\xff\xd8\xff", "a.opus": b"OggS", "a.unknown": PNG}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert sent((name, magic.get(name, b"ID3")))[0] == name

    def test_file_name_without_extension_gets_one(self, tmp_path: Path) -> None:
        """A file name without an extension gets one; an explicit name is kept."""
        path = tmp_path / "avatar"
        path.write_bytes(PNG)
        assert sent(path) == ("avatar.png", PNG, "image/png")
        assert sent(("avatar", PNG)) == ("avatar", PNG, "image/png")


class TestSize:
    """The size before anything is sent."""

    @pytest.mark.parametrize("source", [b"abc", io.BytesIO(b"abc"), ("a.txt", b"abc")])
    def test_size_of_content_and_files_is_known(self, source: UploadSource) -> None:
        """The size of content and of open files is known, and the content may be sent twice."""
        with open_upload(source) as upload:
            assert size_of(upload) == 3
            assert can_be_resent(upload)
            assert "Content-Length" in form(upload).headers

    def test_size_of_a_path_is_known(self, avatar: Path) -> None:
        """The size of a file at a path is known."""
        with open_upload(avatar) as upload:
            assert size_of(upload) == len(PNG)

    def test_repr_does_not_show_the_content(self) -> None:
        """The repr does not show the content."""
        with open_upload(b"secret") as upload:
            assert "secret" not in repr(upload)


class TestProgress:
    """Progress reports during the upload."""

    @pytest.mark.parametrize("as_file", [True, False])
    def test_each_piece_is_reported_up_to_the_total(self, as_file: bool) -> None:
        """Each piece is reported once it is read, up to the total size."""
        content = b"x" * 150_000
        calls: list[tuple[int, int | None]] = []
        source = io.BytesIO(content) if as_file else content
        with open_upload(source, progress=lambda *call: calls.append(call)) as upload:
            request = form(upload)
            assert calls == []
            assert content in request.read()
        assert calls == [(65536, 150_000), (131072, 150_000), (150_000, 150_000)]

    def test_progress_of_unknown_size_has_no_total(self) -> None:
        """For an unknown size only the sent bytes are reported."""
        calls: list[tuple[int, int | None]] = []
        with open_upload(Pipe(b"abc"), progress=lambda *call: calls.append(call)) as upload:
            form(upload).read()
        assert calls == [(3, None)]

    def test_retry_restarts_content_and_reports(self) -> None:
        """When a request is sent again, content and reports restart."""
        calls: list[tuple[int, int | None]] = []
        with open_upload(b"abc", progress=lambda *call: calls.append(call)) as upload:
            request = form(upload)
            stream: Any = request.stream
            first, second = b"".join(stream), b"".join(stream)
        assert first == second
        assert int(request.headers["Content-Length"]) == len(first)
        assert calls == [(3, 3), (3, 3)]

    def test_consumed_pipe_fails_instead_of_sending_nothing(self) -> None:
        """A pipe that was read raises an error at the second attempt instead of sending nothing."""
        with open_upload(Pipe(b"abc")) as upload:
            stream: Any = form(upload).stream
            assert b"abc" in b"".join(stream)
            with pytest.raises(OSError, match="cannot be sent again"):
                b"".join(stream)

    def test_exception_of_the_callback_is_raised(self) -> None:
        """An exception of the progress callback reaches the caller."""

        def stop(_sent: int, _total: int | None) -> None:
            raise KeyboardInterrupt

        with open_upload(b"abc", progress=stop) as upload, pytest.raises(KeyboardInterrupt):
            form(upload).read()

    def test_async_client_sends_the_same_content(self, avatar: Path) -> None:
        """An async client sends the same content in the same way."""

        async def read(stream: AsyncIterator[bytes]) -> bytes:
            return b"".join([chunk async for chunk in stream])

        calls: list[tuple[int, int | None]] = []
        with open_upload(avatar, progress=lambda *call: calls.append(call)) as upload:
            stream: Any = form(upload).stream
            assert PNG in run(read(stream))
        assert calls == [(len(PNG), len(PNG))]


def run(coroutine: Any) -> Any:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


class AsyncFile:
    """A file of an async library."""

    async def read(self, size: int = -1) -> bytes:
        """Return nothing."""
        return b""[:size]


# Values that cannot be uploaded, with a part of the error message.
WRONG_SOURCES: list[Any] = [
    pytest.param(None, "NoneType", id="none"),
    pytest.param(7, "int", id="int"),
    pytest.param(["a.txt", b"a"], "list", id="list"),
    pytest.param({"a.txt": b"a"}, "dict", id="dict"),
    pytest.param(io.StringIO("a"), "mode 'rb'", id="text file"),
    pytest.param(AsyncFile(), "async", id="async file"),
    pytest.param(("a.txt", "text"), "not str$", id="text content"),
    pytest.param(("a.txt", io.StringIO("a")), "mode 'rb'", id="text file in tuple"),
    pytest.param(("a.txt",), r"not \(str\)", id="short tuple"),
    pytest.param((b"a", "a.txt"), r"not \(bytes, str\)", id="swapped tuple"),
    pytest.param(("a", b"a", 1), r"not \(str, bytes, int\)", id="wrong type"),
    pytest.param(("a", b"a", "b", {}), r"not \(str, bytes, str, dict\)", id="long tuple"),
]


class TestErrors:
    """Values that are rejected."""

    @pytest.mark.parametrize(("source", "match"), WRONG_SOURCES)
    def test_value_that_is_no_file_is_rejected_with_its_type(self, source: Any, match: str) -> None:
        """A value that is not a file is rejected, and the error describes it."""
        with pytest.raises(InvalidArgumentError, match=match), open_upload(source):
            pass

    def test_text_mode_is_rejected(self, avatar: Path) -> None:
        """A file in text mode is rejected, even if a wrapper hides its class."""
        with avatar.open(encoding="latin-1") as file:
            source: Any = file
            with pytest.raises(InvalidArgumentError, match="mode 'rb'"), open_upload(source):
                pass
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as temporary:
            source = temporary
            with pytest.raises(InvalidArgumentError, match="mode 'rb'"), open_upload(source):
                pass

    def test_closed_file_is_rejected(self) -> None:
        """A closed file is rejected."""
        file = io.BytesIO(b"a")
        file.close()
        with pytest.raises(InvalidArgumentError, match="file is closed"), open_upload(file):
            pass

    @pytest.mark.parametrize("name", ["", "/", "."])
    def test_empty_name_is_rejected(self, name: str) -> None:
        """An empty name is rejected, since Coze needs the extension."""
        with pytest.raises(InvalidArgumentError, match="must not be empty"), open_upload((name, b"a")):
            pass

    @pytest.mark.parametrize("path", ["missing.png", ""])
    def test_missing_file_error_shows_the_current_folder(self, path: str) -> None:
        """The error for a missing file shows the current folder and how to send a text."""
        with pytest.raises(FileNotFoundError, match=r"text\.encode") as caught, open_upload(path):
            pass
        assert caught.value.filename == path
        assert str(Path.cwd()) in str(caught.value)

    def test_folder_is_rejected(self, tmp_path: Path) -> None:
        """A folder is rejected."""
        with pytest.raises(IsADirectoryError, match="Is a folder"), open_upload(tmp_path):
            pass

    @pytest.mark.skipif(os.name == "nt", reason="needs a device that reads as a file")
    def test_device_file_is_streamed(self) -> None:
        """A device at a path is read as a stream of unknown size."""
        assert sent("/dev/null") == ("null", b"", "application/octet-stream")
