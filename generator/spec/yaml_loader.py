"""YAML that remembers where each mapping and key was written."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from .diagnostics import DescriptionError, Diagnostic, relative

__all__ = ["LocatedMapping", "load"]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is 10 times faster
_TAG = "tag:yaml.org,2002:"
_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 64
_LONGEST = 64  # of the text of a number
_SWITCHES = {"yes", "no", "on", "off"}
_INDENTED_BY_TAB = re.compile(r"[ \t]*\t")
_SCALARS = {_TAG + name for name in ("bool", "float", "int", "null")}


class LocatedMapping(dict[str, Any]):
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

    def problem(self, rule: str, message: str, key: str | None = None) -> Diagnostic:
        """Make a problem that points at *key*, or at the mapping."""
        return Diagnostic(self.file, self.line if key is None else self.line_of(key), rule, message)

    def twin(self) -> LocatedMapping:
        """Make an empty mapping for the same place, to be filled with a rewritten content."""
        twin = LocatedMapping(self.file, self.line)
        twin.lines = dict(self.lines)
        return twin


def load(path: Path, root: Path) -> Any:
    """Read one YAML file.

    Args:
        path: The file.
        root: Directory against which file names are reported.

    Returns:
        Scalars, lists and `LocatedMapping`s. Dates stay strings: JSON has none.

    Raises:
        DescriptionError: The file is missing, is not YAML, repeats parts by aliases, has too many levels, or holds what
            JSON cannot express: a key that is not a string or stands twice, a number that is not finite, another tag.
    """
    name = relative(path, root)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptionError([Diagnostic(name, 1, "yaml", f"cannot be read: {error}")]) from error
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return None if node is None else _Builder(loader, name).build(node)
        finally:
            loader.dispose()
    except _Aliased:
        # Aliases of aliases grow without bound, and what a place refers to has to have a name.
        alias, line = _first_alias(text)
        message = f"*{alias:.60} repeats what &{alias:.60} marks; write it out, or refer to a component by $ref"
        raise DescriptionError([Diagnostic(name, line, "yaml", message)]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        has_tab = _INDENTED_BY_TAB.match("".join(text.split("\n")[line - 1 : line])) is not None
        message = "replace the tab by spaces: YAML is indented by spaces only" if has_tab else str(error.problem)
        raise DescriptionError([Diagnostic(name, line, "yaml", message)]) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise DescriptionError([Diagnostic(name, line, "yaml", str(error.reason))]) from error
    except RecursionError as error:
        raise DescriptionError([Diagnostic(name, 1, "yaml", "is nested too deeply")]) from error


class _Builder:
    """Makes values of the nodes of one file."""

    def __init__(self, loader: Any, file: str) -> None:
        self._loader = loader
        self._file = file
        self._seen: set[int] = set()

    def build(self, node: yaml.Node, depth: int = 0) -> Any:
        if id(node) in self._seen:
            raise _Aliased
        self._seen.add(id(node))
        if depth > _DEEPEST:
            raise self._refused(node, f"is nested more than {_DEEPEST} levels deep; give its parts names of their own")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> LocatedMapping:
        mapping = LocatedMapping(self._file, _line(node))
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                raise self._refused(key_node, "write out what << merges, or refer to a component by $ref")
            # Response codes are the one place where people forget the quotes.
            if key_node.tag != f"{_TAG}str":
                raise self._refused(key_node, f"put the key {key_node.value!s:.60} in quotes")
            key = self._text(key_node)
            if key in mapping:
                raise self._refused(key_node, f"key {key:.60} stands here twice")
            mapping.lines[key] = _line(key_node)
            mapping[key] = self.build(value_node, depth + 1)
        return mapping

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag in {f"{_TAG}str", f"{_TAG}timestamp"}:
            return self._text(node)
        if node.tag == f"{_TAG}bool" and node.value.lower() in _SWITCHES:
            raise self._refused(node, f"put {node.value} in quotes, or write true or false: YAML reads it as a boolean")
        try:
            value = (
                self._loader.construct_object(node) if node.tag in _SCALARS and len(node.value) <= _LONGEST else None
            )
        except (ValueError, KeyError, IndexError):  # such as !!int x
            value = float("nan")
        if (value is None and node.tag != f"{_TAG}null") or (isinstance(value, float) and not math.isfinite(value)):
            raise self._refused(node, f"JSON has nothing like {node.tag:.60} {node.value:.60}")
        return value

    def _text(self, node: yaml.Node) -> str:
        text: str = node.value
        if _SURROGATE.search(text):  # from escapes, where libyaml is missing
            raise self._refused(node, "a surrogate is not a character")
        return text

    def _refused(self, node: yaml.Node, message: str) -> DescriptionError:
        return DescriptionError([Diagnostic(self._file, _line(node), "yaml", message)])


class _Aliased(Exception):
    """A node stands in several places."""


def _line(marked: Any) -> int:
    return int(marked.start_mark.line) + 1


def _first_alias(text: str) -> tuple[str, int]:
    """Return name and line of the first alias. Nodes know neither."""
    events = yaml.parse(text, Loader=_Loader)
    return next((str(event.anchor), _line(event)) for event in events if isinstance(event, yaml.AliasEvent))
