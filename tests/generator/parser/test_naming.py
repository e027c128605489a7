"""Names that terminals cannot show or people cannot distinguish are reported where they are written."""

from __future__ import annotations

import re

import pytest

from generator.spec.diagnostics import Diagnostic
from tests.generator._small import Small
from tests.generator.render.test_code_injection import yaml_text

ODD = (
    "a\nb",
    "\n",
    "a\r\nb",
    "a\0b",
    "\x1b[31m",
    "\u202eab",
    "a\u200bb",
    "\ufeffa",
    "a\u2028b",
    "",
    " ",
    " a",
    "a ",
    "x" * 10_000,
)
#: File, text and its replacement, in which <0> is the place of the name.
PLACES = {
    "property": ("things/schemas.yaml", "    note: {type", "    <0>: {type: string}\n    note: {type"),
    "argument": ("things/schemas.yaml", "    weight: {type", "    <0>: {type: string}\n    weight: {type"),
    "parameter": ("things/list.yaml", "name: color", "name: <0>"),
    "header": ("things/list.yaml", "{name: color, in: query", "{name: <0>, in: header"),
    "header of an answer": ("things/delete.yaml", "  '200':", "  '201': {description: A., headers: {<0>: {schema: {type: string}}}}\n  '200':"),
    "media type": ("things/create.yaml", "application/json:\n      schema: {$ref: './schemas.yaml#/ThingsCreateR", "<application/0>:\n      schema: {$ref: './schemas.yaml#/ThingsCreateR"),
    "path": ("coze.yaml", "  /v1/things/{thing_id}:", "  </v1/things/{thing_id}/0>:"),
    "operation": ("things/delete.yaml", "operationId: things.delete", "operationId: <things.0>"),
    "enum value": ("things/schemas.yaml", "enum: [blue, dark-red]", "enum: [blue, dark-red, <0>]"),
    "event": ("things/events.yaml", "    thing.made:", "    <0>:"),
    "event class": ("things/events.yaml", "class: ThingDone", "class: <0>"),
    "error": ("shared/errors.yaml", "name: WRONG", "name: <0>"),
    "error category": ("shared/errors.yaml", "category: invalid_request", "category: <0>"),
    "address": ("things/delete.yaml", "url: https://www.coze.cn/delete", "url: <0>"),
}  # fmt: skip
#: Coze may send an empty text.
FREE = {("enum value", "")}


def damaged(small: Small, place: str, name: str) -> tuple[list[Diagnostic], str, set[int]]:
    """Put a name into the description, and return the problems and the place of the name."""
    file, old, new = PLACES[place]
    before, inside, after, rest = re.split("<(.*?)0(.*?)>", new, maxsplit=1)
    written = yaml_text(f"{inside}{name}{after}")
    small.replace(file, old, before + written + rest)
    lines = (small.folder / file).read_text(encoding="utf-8").splitlines()
    return small.problems(), file, {number for number, line in enumerate(lines, 1) if written in line}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ODD, ids=lambda name: ascii(name[:10]))
def test_unprintable_empty_or_long_names_are_reported_at_their_line(small: Small, place: str, name: str) -> None:
    """A name with control or direction characters, outer spaces, or an invalid length is reported at its line."""
    problems, file, lines = damaged(small, place, name)
    if (place, name) in FREE:
        assert problems == []
        return
    assert {(f"openapi/{file}", line) for line in lines} & {(problem.file, problem.line) for problem in problems}, (
        problems
    )
    assert all(str(problem).isprintable() and len(str(problem)) < 700 for problem in problems)


@pytest.mark.parametrize("place", ["property", "argument", "parameter"])
@pytest.mark.parametrize("name", ["a b", "a/b", "a~1b", "a%2Fb", "a#b", '"', "'", "\\", "{{ a }}", "<b>", "|", "`"])
def test_printable_names_are_accepted(small: Small, place: str, name: str) -> None:
    """A printable name is accepted if it makes a Python name, or is one already."""
    problems, file, lines = damaged(small, place, name)
    assert {(problem.file, problem.line) for problem in problems} <= {(f"openapi/{file}", line) for line in lines}


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "ftp://example.com", "//example.com", "https://", "https://a b"],
)
def test_links_start_with_https_http_or_wss(small: Small, address: str) -> None:
    """A URL that pages would link to starts with https://, http:// or wss://."""
    problems, file, lines = damaged(small, "address", address)
    assert [(problem.file, problem.line, problem.rule) for problem in problems] == [
        (f"openapi/{file}", *lines, "shape")
    ]
