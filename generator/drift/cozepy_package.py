"""Reads which operations an installed cozepy calls, and with which arguments, from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .facts import Operation, address_of

__all__ = ["read_cozepy"]

_SENT = {"body", "params", "json", "data", "files"}
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def read_cozepy(folder: Path) -> Iterator[Operation]:
    """Yield what the methods of the package in *folder* send. What they leave out is not stated: it may exist."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for owner in ast.walk(tree):
            if isinstance(owner, ast.ClassDef) and not owner.name.startswith("Async"):
                for function in owner.body:
                    if isinstance(function, ast.FunctionDef):
                        yield from _calls(function, f"{path.relative_to(folder)}:{owner.name}.{function.name}")


def _calls(function: ast.FunctionDef, place: str) -> Iterator[Operation]:
    paths = [path for node in ast.walk(function) if isinstance(node, ast.JoinedStr) and (path := _path(node))]
    methods = [
        str(argument.value).upper()
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.endswith("request")
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and str(argument.value).upper() in _METHODS
    ]
    if paths and methods:  # others pass the address on, or build one for a browser
        members = {f"request.{name}": frozenset[str]() for name in _arguments(function)}
        for path in paths:
            yield Operation(place, address_of(methods[0], path), members, complete=frozenset(), place=place)


def _path(text: ast.JoinedStr) -> str:
    """Return the path that an f-string makes, or nothing where it does not begin with the address of the service."""
    first, *rest = text.values
    if not isinstance(first, ast.FormattedValue) or not ast.unparse(first.value).endswith("_base_url"):
        return ""
    parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in rest]
    return "".join(parts).partition("?")[0]


def _arguments(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the keys of what is sent: of dictionaries that are passed on, or were assigned to such a name before."""
    for node in ast.walk(function):
        values: list[ast.expr] = []
        if isinstance(node, ast.keyword) and node.arg in _SENT:
            values = [node.value]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id in _SENT for target in targets):
                values = [node.value]
            yield from (key for target in targets for key in _item(target))
        for value in values:
            yield from _keys(value)


def _item(target: ast.expr) -> Iterator[str]:
    """Yield the key of `body[key] = …`."""
    match target:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=key)) if name in _SENT:
            yield str(key)


def _keys(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Call):  # functions that drop what is None
        for argument in value.args:
            yield from _keys(argument)
    elif isinstance(value, ast.Dict):
        yield from (str(key.value) for key in value.keys if isinstance(key, ast.Constant))
