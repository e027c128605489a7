"""The Python samples of the docs are programs: they have the right types, and they run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from coze_sandbox import Sandbox
from cozekit import Coze, audio
from generator.docs._curl import curl
from generator.docs._markdown import fence
from generator.docs._python import _WAITING, Sample, Samples
from generator.docs._python_sockets import socket_body
from generator.spec.bundler import Bundle, bundle

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = sorted(bundle(ROOT / "openapi" / "coze.yaml").operations())
#: Names of files that samples read.
FILES = re.compile(r"\b[a-z_]+\.(?:mp3|wav|png|pdf)\b")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that returns the described examples, and the environment and folder that the samples run in."""
    folder = tmp_path_factory.mktemp("samples")
    sound = audio.PCM(16000)
    with Sandbox(examples=True) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COZE_API_TOKEN", sandbox.token)
        patch.setenv("COZE_API_BASE", sandbox.base_url)
        patch.chdir(folder)
        (folder / "hello.wav").write_bytes(sound.to_wav(bytes(32000)))
        yield sandbox


def run(sample: Sample) -> None:
    """Run a sample in the folder of this moment, beside the files that it reads."""
    for name in FILES.findall(sample.source):
        if not Path(name).exists():
            Path(name).write_bytes(b"content")
    exec(compile(sample.source, f"<{sample.method}, {sample.title}>", "exec"), {"__name__": "__main__"})


def sent_by_curl(command: str) -> tuple[str, dict[str, str], dict[str, str], Any]:
    """Return path, query, headers and body of a curl command."""
    words = shlex.split(command.replace("\\\n", ""))
    [url] = [word for word in words if word.startswith("https://")]
    options = list(pairwise(words))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    bodies = [json.loads(value) for option, value in options if option == "-d"]
    form = dict(value.split("=", 1) for option, value in options if option == "-F")
    body = bodies[0] if bodies else {name: value.removeprefix("@") for name, value in form.items()}
    return unquote(urlsplit(url).path), dict(parse_qsl(urlsplit(url).query)), headers, body


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_samples_run(real: Bundle, samples: Samples, sandbox: Sandbox, operation_id: str) -> None:
    """Sync and async samples of an operation run without an error, and send the values of the sample with curl."""
    path, method, operation = real.operations()[operation_id]
    assert [sample.title for sample in samples[operation_id]][:2] == ["Python", "Python, async"]
    for sample in samples[operation_id]:
        before = len(sandbox.scenario.requests())
        run(sample)
        record = sandbox.scenario.requests()[before]
        assert record.operation == operation_id
        if "x-coze-websocket" in operation:
            continue
        curl_path, query, headers, body = sent_by_curl(curl(real.document, path, method, operation))
        flag = operation.get("x-coze-stream", {}).get("flag")
        if flag in body:
            body[flag] = "stream" in sample.title
        assert unquote(record.path) == curl_path
        assert query.items() <= dict(parse_qsl(record.query)).items()
        expected = {name.lower(): value for name, value in headers.items() if name != "Authorization"}
        assert record.headers.items() >= expected.items()
        is_form = record.headers.get("content-type", "").startswith("multipart/")  # its values were parsed
        sent = {name: str(value) if is_form else value for name, value in (record.body or {}).items()}
        assert {name: sent.get(name) for name in body} == body
    assert sandbox.violations == []


def test_samples_have_the_right_types(samples: Samples, tmp_path: Path) -> None:
    """`mypy --strict` reports nothing in any sample but that an operation is deprecated."""
    operations = bundle(ROOT / "openapi" / "coze.yaml").operations()
    deprecated = []
    for operation, of_operation in samples.items():
        for sample in of_operation:
            name = re.sub(r"\W+", "_", f"{sample.method} {sample.title}")
            (tmp_path / f"{name}.py").write_text(sample.source, encoding="utf-8")
            deprecated += [name] if operations[operation][2].get("deprecated") else []
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(tmp_path)],
        cwd=ROOT, check=False, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    reported = re.findall(
        r"(\w+)\.py:\d+: error: .* is deprecated: .* instead +\[deprecated\]$", checked.stdout, flags=re.MULTILINE
    )
    assert sorted(reported) == sorted(deprecated), checked.stdout + checked.stderr
    assert checked.stdout.count(": error: ") == len(deprecated), checked.stdout
    assert "source files" in checked.stdout


def test_samples_wait_by_the_overlay_where_it_can() -> None:
    """Samples use exactly the `…_and_poll` methods of operations that always end after their response."""
    polled = {
        name
        for name, (_, _, operation) in bundle(ROOT / "openapi" / "coze.yaml").operations().items()
        if "x-coze-poll" in operation and "flag" not in operation["x-coze-poll"]
    }
    with Coze("token") as coze:
        assert {name: f"{name}_and_poll" for name in polled if has_method(coze, f"{name}_and_poll")} == _WAITING


def has_method(coze: Coze, name: str) -> bool:
    """Whether the client has a method."""
    *path, method = name.split(".")
    return hasattr(reduce(getattr, path, coze), method)


def test_every_link_to_samples_leads_to_one_heading() -> None:
    """The index of operations links each operation to its own heading of the page of samples."""
    index = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    links = re.findall(r"\(samples\.md#([^)]+)\)", index)
    headings = re.findall(
        r"^#+ `?([^`\n]+)`?$", (ROOT / "docs" / "samples.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    anchors = Counter(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)
    assert len(links) == len(set(links)) == len(OPERATIONS)
    assert [anchors[link] for link in links] == [1] * len(links)


def test_a_new_websocket_has_a_sample() -> None:
    """A WebSocket without a program of its own gets one that prints each message."""
    body = socket_body("websockets.later", "coze.websockets.later.connect", ['room="1"'], "async ")
    assert body == (
        'async with coze.websockets.later.connect(room="1") as session:\n'
        "    async for message in session:\n        print(message)\n"
    )


@pytest.mark.parametrize("text", ["```", "`````\n````", "plain", "```python\n~~~"])
def test_a_fence_is_longer_than_backticks_in_the_program(text: str) -> None:
    """No program can end its block of code early."""
    [token] = MarkdownIt("commonmark").parse(fence("python", text))
    assert (token.type, token.info, token.content) == ("fence", "python", f"{text}\n")
