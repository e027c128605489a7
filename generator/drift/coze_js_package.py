"""Reads which operations an unpacked `@coze/api` calls, and with which arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from .facts import Operation, address_of

__all__ = ["read_coze_js"]

_CODE = Path("dist", "esm", "index.mjs")
_TYPES = Path("dist", "types", "resources")
_METHOD = re.compile(r"(?:^    |\*/ )(?:async )?\*?(?P<name>[a-zA-Z]\w*)\([^()]*\) ?\{$", re.MULTILINE)
_ADDRESS = re.compile(r"""const apiUrl = (['"`])(?P<path>/.*?)\1;\n""")
_CLASS = re.compile(r"(?:^|\*/ )(?:const \w+ = )?class (\w+)", re.MULTILINE)
_CALL = re.compile(r"_client\.(?P<method>get|post|put|patch|delete)\(apiUrl")
_DECLARED = re.compile(r"^    (?P<name>\w+)\(params\??: (?P<type>\w+)", re.MULTILINE)
_INTERFACE = re.compile(r"export interface (?P<name>\w+)(?: extends [^{]+)? \{\n(?P<body>.*?)\n\}", re.DOTALL)
_MEMBER = re.compile(r"^    (?P<name>\w+)\??: ", re.MULTILINE)
_TEMPLATE = re.compile(r"\$\{[^{}`]*\}")
_CONDITIONAL_QUERY = re.compile(r"\$\{\w+ \? `(\?[^`]*)` : ''\}")
# What chooses between operations or is not an argument of the service.
_NOT_SENT = {"options"}


def read_coze_js(folder: Path) -> Iterator[Operation]:
    """Yield what the methods of the package in *folder* send. What they leave out is not stated: it may exist."""
    code = (folder / _CODE).read_text(encoding="utf-8")
    arguments = _arguments_by_method(folder / _TYPES)
    starts = [*_METHOD.finditer(code)]
    for start, end in zip(starts, [*(match.start() for match in starts[1:]), len(code)], strict=True):
        body = code[start.end() : end]
        address, call = _ADDRESS.search(body), _CALL.search(body)
        if address is None or call is None:
            continue
        path, _, query = _CONDITIONAL_QUERY.sub(r"\1", address["path"]).partition("?")
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        path = _TEMPLATE.sub("{}", path)
        owner = _class_before(code[: start.start()])
        interface = arguments.get((start["name"], owner), set())
        members = {f"request.{name}": frozenset[str]() for name in names | interface - _NOT_SENT}
        name = f"{owner}.{start['name']}"
        yield Operation(name, address_of(call["method"], path), members, complete=frozenset(), place=name)


def _class_before(code: str) -> str:
    """Return the name of the last class that begins in *code*."""
    names = _CLASS.findall(code)
    return str(names[-1]) if names else ""


def _arguments_by_method(folder: Path) -> dict[tuple[str, str], set[str]]:
    """Map method and class to the members of the interface that its `params` have."""
    arguments: dict[tuple[str, str], set[str]] = {}
    for path in sorted(folder.rglob("*.d.ts")):
        text = path.read_text(encoding="utf-8")
        interfaces = {match["name"]: set(_MEMBER.findall(match["body"])) for match in _INTERFACE.finditer(text)}
        for owner in re.finditer(r"export declare class (\w+) .*?\n\}", text, re.DOTALL):
            for method in _DECLARED.finditer(owner[0]):
                arguments[method["name"], owner[1]] = interfaces.get(method["type"], set())
    return arguments
