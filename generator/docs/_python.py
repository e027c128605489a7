"""Writes the calls of an operation as Python programs, from the examples of the description."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

import attrs

from .. import ir
from ..output.ruff import format_tree
from ..spec.bundler import Bundle
from ._python_sockets import socket_body

__all__ = ["Sample", "Samples", "python_samples"]

_WIDTH = 80  # the samples' column of the reference page is narrow
#: Methods of the overlay that wait for the end of what an operation starts.
_WAITING = {
    "chat.create": "chat.create_and_poll",
    "copy_tasks.create": "copy_tasks.create_and_poll",
    "datasets.documents.create": "datasets.documents.create_and_poll",
}
#: Methods of the overlay that take a path as their first argument.
_UPLOADS = {"files.upload"}
_IMPORTS = {"Path(": "from pathlib import Path", "audio.PCM": "from cozekit import audio"}
_SYNC = "from cozekit import Coze\n{imports}\n\nwith Coze() as coze:\n{body}"
_ASYNC = """\
import asyncio

from cozekit import AsyncCoze
{imports}

async def main() -> None:
    async with AsyncCoze() as coze:
{body}

asyncio.run(main())
"""


@attrs.frozen
class Sample:
    """A program that calls one method.

    Attributes:
        method: The generated method. An operation that streams only on request has two.
        title: What sets it apart from other samples of the operation.
        source: The program.
    """

    method: str
    title: str
    source: str


#: Programs by the id of the operation.
Samples = Mapping[str, Sequence[Sample]]


def python_samples(bundled: Bundle) -> Samples:
    """Write a sync and an async program for each method."""
    from ..parser.openapi_python_client import parse  # takes most of a second to import
    from ..parser.operations import build_api

    api = build_api(bundled, parse(bundled))
    texts = {model.name: model.from_string for model in api.models if model.from_string}
    operations = bundled.operations()
    methods = [
        (operation, _Call(operation, operations[operation.described_id][2], texts)) for operation in api.operations
    ]
    sources = _formatted(
        {f"{operation.id}-{word}": call.program(word) for operation, call in methods for word in ("", "async ")}
    )
    samples: dict[str, list[Sample]] = {}
    for operation, _ in methods:
        names = ["Python", *(["stream"] if operation.constants and operation.stream else [])]
        for word in ("", "async "):
            title = ", ".join([*names, word.strip()] if word else names)
            sample = Sample(operation.id, title, sources[f"{operation.id}-{word}"])
            samples.setdefault(operation.described_id, []).append(sample)
    return samples


def _formatted(sources: Mapping[str, str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="cozekit-") as scratch:
        paths = {name: Path(scratch, f"{number}.py") for number, name in enumerate(sources)}
        for name, path in paths.items():
            path.write_text(sources[name], encoding="utf-8", newline="\n")
        format_tree(Path(scratch), _WIDTH)
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


@attrs.frozen
class _Call:
    """Writes the calls of one method."""

    operation: ir.Operation
    described: Mapping[str, Any]
    texts: Mapping[str, Mapping[str, Any]]

    def program(self, word: str) -> str:
        """Write the whole program; *word* is `async ` or empty."""
        body = self._body(word, "await " if word else "")
        imports = "".join(f"{line}\n" for mark, line in _IMPORTS.items() if mark in body)
        frame = _ASYNC if word else _SYNC
        return frame.format(imports=imports, body=indent(body, " " * (8 if word else 4)))

    def _body(self, word: str, wait: str) -> str:
        operation = self.operation
        if operation.socket:
            name = operation.id.removesuffix(".handshake")
            return socket_body(name, f"coze.{name}.connect", self._arguments(), word)
        name = _WAITING.get(operation.id, operation.id)
        call = f"coze.{name}({', '.join(self._arguments())})"
        if operation.paging:
            return f"{word}for item in {call}:\n    print(item)\n"
        if operation.stream:
            return f"{word}with {call} as stream:\n    {word}for event in stream:\n        print(event)\n"
        if operation.answer == "file":
            return f"content = {wait}{call}\n{wait}content.save({_literal('content' + self._suffix())})\n"
        if operation.result_type is None and operation.answer == "json":
            return f"{wait}{call}\n"
        shown = "result.location" if operation.answer == "redirect" else "result"
        return f"result = {wait}{call}\nprint({shown})\n"

    def _arguments(self) -> list[str]:
        values = self._values()
        arguments = []
        for argument in self.operation.arguments:
            if argument.wire not in values[argument.place or ""]:
                continue
            value = values[argument.place or ""][argument.wire]
            if self.operation.id in _UPLOADS and argument.place == "part":
                arguments.append(_literal(value))
            else:
                arguments.append(f"{argument.name}={self._value(value, argument.type)}")
        return arguments

    def _values(self) -> dict[str, dict[str, Any]]:
        """Collect the values of the examples by place: the required parameters and the members of the body."""
        values: dict[str, dict[str, Any]] = {place: {} for place in ("path", "query", "header", "body", "part")}
        for parameter in self.described.get("parameters", ()):
            if parameter["in"] == "path" or parameter.get("required"):
                values[parameter["in"]][parameter["name"]] = parameter.get("example")
        for media in self.described.get("requestBody", {}).get("content", {}).values():
            values["body"] = values["part"] = media.get("example") or {}
        return values

    def _value(self, value: Any, kind: ir.Type) -> str:
        """Write a value, objects as they are in JSON, but a message of text as its text."""
        match kind, value:
            case ir.Scalar("binary"), str():
                return f"({_literal(value)}, Path({_literal(value)}).read_bytes())"
            case ir.ModelRef(name), dict() if name in self.texts:
                text = value.get("content")
                sample_value = {
                    key: text if sample == "$string" else sample for key, sample in self.texts[name].items()
                }
                return _literal(text if value == sample_value else value)
            case ir.ListOf(item), list():
                return f"[{', '.join(self._value(part, item) for part in value)}]"
        return _literal(value)

    def _suffix(self) -> str:
        """Return the suffix of the files that are downloaded."""
        return ".mp3" if "audio/mpeg" in self.described["responses"]["200"]["content"] else ".bin"


def _literal(value: Any) -> str:
    """Write a JSON value as Python source: `repr` escapes what is not printable."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)
