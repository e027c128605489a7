"""Files."""

from __future__ import annotations

import copy

import httpx
import pytest

from coze_sandbox import Sandbox

UPLOAD = "/v1/files/upload"


def test_upload_then_retrieve(api):
    """What was uploaded is known by name and size."""
    stored = api.ok("POST", UPLOAD, files={"file": ("a b.txt", b"hello", "text/plain")})
    assert (stored["bytes"], stored["file_name"]) == (5, "a b.txt")
    assert api.ok("GET", "/v1/files/retrieve", params={"file_id": stored["id"]}) == stored


def test_unknown_file(api):
    """A file that was never uploaded is answered with 4200."""
    assert api.refused("GET", "/v1/files/retrieve", params={"file_id": "9"}) == (404, 4200)


def test_empty_file(api):
    """An empty file is refused with 4300."""
    assert api.refused("POST", UPLOAD, files={"file": ("a", b"")}) == (400, 4300)


def test_two_files(api):
    """Two files at once are refused with 4301."""
    files = [("file", ("a", b"1")), ("file", ("b", b"2"))]
    assert api.refused("POST", UPLOAD, files=files) == (400, 4301)


@pytest.mark.parametrize("size", [101, 2 << 20])
def test_too_large_a_file(coze_sandbox, size):
    """A file over the described size is refused with 4302, also while it is still being sent."""
    document = copy.deepcopy(dict(coze_sandbox.description.document))
    request = document["components"]["schemas"]["FilesUploadRequest"]
    request["properties"]["file"]["x-coze-max-bytes"] = 100
    with Sandbox(document=document) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        files = {"file": ("a", b"x" * size)}
        response = httpx.post(sandbox.base_url + UPLOAD, headers=headers, files=files)
    assert response.json()["code"] == 4302


def test_no_form(api):
    """A body that is not a form is refused with 4300."""
    assert api.refused("POST", UPLOAD, content=b"hello") == (400, 4300)


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b"hello"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nno colon\r\n\r\n1\r\n--x--\r\n"),
    ],
)
def test_malformed_form(api, content_type, content):
    """A malformed form is refused with 4000."""
    headers = {"Content-Type": content_type}
    assert api.refused("POST", UPLOAD, content=content, headers=headers) == (400, 4000)


def test_field_in_place_of_a_file(api):
    """A plain field under the name of the file is refused."""
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert api.refused("POST", UPLOAD, content=body, headers=headers) == (400, 4000)


def test_log_shows_the_name_of_the_file(api):
    """The log of requests has the name of a file, not its content."""
    api.ok("POST", UPLOAD, files={"file": ("a.txt", b"hello")})
    assert api.sandbox.requests[-1].body == {"file": "a.txt"}
