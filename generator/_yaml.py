"""YAML that remembers where each mapping and key was written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

from ._problems import DescriptionError, Problem, relative

__all__ = ["Mapping", "load"]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is 10 times faster
_TAG = "tag:yaml.org,2002:"
_SCALARS = {_TAG + name for name in ("bool", "float", "int", "null", "str")}


class Mapping(dict[str, Any]):
    """A mapping with its file and the line of each key."""

    __slots__ = ("file", "line", "lines")

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file = file
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """Return the line of *key*, or of the mapping where the key was not written."""
        return self.lines.get(key, self.line)

    def problem(self, rule: str, message: str, key: str | None = None) -> Problem:
        """Make a problem that points at *key*, or at the mapping."""
        return Problem(self.file, self.line if key is None else self.line_of(key), rule, message)

    def twin(self) -> Mapping:
        """Make an empty mapping for the same place, to be filled with a rewritten content."""
        twin = Mapping(self.file, self.line)
        twin.lines = dict(self.lines)
        return twin


def load(path: Path, root: Path) -> Any:
    """Read one YAML file.

    Args:
        path: The file.
        root: Directory against which file names are reported.

    Returns:
        Scalars, lists and `Mapping`s. Dates stay strings: JSON has none.

    Raises:
        DescriptionError: The file is missing, is not YAML, or holds what JSON cannot say: a key that is not a string
            or stands twice, a number that is not finite, a tag of another kind.
    """
    name = relative(path, root)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptionError([Problem(name, 1, "yaml", f"cannot be read: {error}")]) from error
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return None if node is None else _build(node, loader, name)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DescriptionError([Problem(name, line, "yaml", str(error.problem))]) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise DescriptionError([Problem(name, line, "yaml", str(error.reason))]) from error
    except RecursionError as error:
        raise DescriptionError([Problem(name, 1, "yaml", "is nested too deeply")]) from error


def _build(node: yaml.Node, loader: Any, file: str) -> Any:
    here = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        mapping = Mapping(file, here)
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            # Response codes are the one place where people forget the quotes.
            if key_node.tag != f"{_TAG}str":
                raise DescriptionError([Problem(file, line, "yaml", f"put the key {key_node.value} in quotes")])
            if key_node.value in mapping:
                raise DescriptionError([Problem(file, line, "yaml", f"key {key_node.value} stands here twice")])
            mapping.lines[key_node.value] = line
            mapping[key_node.value] = _build(value_node, loader, file)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, loader, file) for item in node.value]
    if node.tag == f"{_TAG}timestamp":
        return node.value
    try:
        value = loader.construct_object(node) if node.tag in _SCALARS else None
    except (ValueError, KeyError):  # such as !!int x
        value = float("nan")
    if (value is None and node.tag != f"{_TAG}null") or (isinstance(value, float) and not math.isfinite(value)):
        raise DescriptionError([Problem(file, here, "yaml", f"JSON has nothing like {node.tag} {node.value}")])
    return value
