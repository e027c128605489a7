"""Derives the sync half of the client from its async half.

A module `x_async.py` is written by hand, its sibling `x.py` is derived from it: without `async` and `await`, and with
other names. Comments, docstrings and layout are kept. Definitions that would come out the same are imported from the
async module, so that each exists once. Where threads and tasks really differ, both modules are written by hand, and the
async one gives the reason in a line that begins with `# Not derived:`.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import token
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from .output.ruff import format_text
from .spec.diagnostics import DescriptionError, Diagnostic

__all__ = ["FOLDERS", "derive_all", "stale_modules"]

FOLDERS = ("overlays/cozekit", "generator/runtime")
"""Folders that hold async modules, below the root of the repository."""

_SUFFIX = "_async"
_NOT_DERIVED = re.compile(r"^# Not derived: \S", re.MULTILINE)

# Names that the general rules (no prefix `Async`, no suffix `_async`, `__next__` for `__anext__`) do not cover.
_NAMES = {
    "StopAsyncIteration": "StopIteration",
    "acancel_chat": "cancel_chat",
    "aclose": "close",
    "aclosing": "closing",
    "aiter": "iter",
    "aiter_bytes": "iter_bytes",
    "aiter_items": "iter_items",
    "anext": "next",
    "aread_body": "read_body",
    "asend": "send",
    "async_auth_flow": "sync_auth_flow",
    "call_tool_async": "call_tool",
    "exchange_async": "exchange",
    "handle_async_request": "handle_request",
    "open_websocket_async": "open_websocket",
    "run_all_async": "run_all",
    "sleep_async": "sleep",
    "within_async": "within",
}
_WORD = re.compile(r"\b[A-Za-z_]\w*")
_PROSE = re.compile(r"\basync (?=with\b|for\b|def\b)|\bawait (?=\S)")
_ALL = re.compile(r"^__all__ = \[([^]]*)\](?:  # fmt: skip)?", re.MULTILINE)
_CLASS = re.compile(r"Async(?=[A-Z])")
_DUNDER = re.compile(r"__a(enter|exit|iter|next)__")
# What may stand around a token that becomes nothing.
_OPENS, _CLOSES = {"(", "[", "{"}, {")", "]", "}"}


@attrs.define
class _Names:
    """Renames, and remembers which rows of the table were used."""

    modules: frozenset[str] = frozenset()
    used: set[str] = attrs.field(factory=set)

    def of(self, name: str) -> str:
        if name in _NAMES:
            self.used.add(name)
            return _NAMES[name]
        if match := _DUNDER.fullmatch(name):
            return f"__{match[1]}__"
        name = _CLASS.sub("", name, count=1) if name.lstrip("_").startswith("Async") else name
        return name.removesuffix(_SUFFIX) if name in self.modules else name

    def in_text(self, text: str) -> str:
        return _PROSE.sub("", _WORD.sub(lambda match: self.of(match[0]), text))


def derive_all(root: Path) -> list[Path]:
    """Write each derived module beside its async one, and return the paths of those that changed.

    Raises:
        DescriptionError: A row of the table of names is used by no module.
    """
    stale = list(_stale(root))
    for path, text in stale:
        path.write_text(text, encoding="utf-8", newline="\n")
    return [path for path, _ in stale]


def stale_modules(root: Path) -> list[Diagnostic]:
    """List the derived modules that are not what would be written now.

    Raises:
        DescriptionError: A row of the table of names is used by no module.
    """
    return [
        Diagnostic(
            path.relative_to(root).as_posix(),
            1,
            "stale",
            f"differs from what {path.stem}{_SUFFIX}.py makes; run `python -m generator sync`",
        )
        for path, _ in _stale(root)
    ]


def _stale(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each derived module that is missing or differs, with what it should hold."""
    for path, text in _derived(root):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path, text


def _derived(root: Path) -> Iterator[tuple[Path, str]]:
    sources = list(_sources(root))
    names = _Names(frozenset(source.stem for source in sources))
    results = []
    for source in sources:
        if _NOT_DERIVED.search(source.read_text(encoding="utf-8")):
            continue
        target = source.with_name(f"{source.stem.removesuffix(_SUFFIX)}.py")
        text = _without_shared(source.read_text(encoding="utf-8"), names, source.stem)
        header = f"# @generated from {source.name} by `python -m generator sync`; do not edit.\n"
        results.append((target, format_text(header + text, target.relative_to(root), root)))
    unused = sorted(_NAMES.keys() - names.used)
    if unused:
        message = f"no async module uses {', '.join(unused)}; remove the rows from the table of names"
        raise DescriptionError([Diagnostic("generator/sync.py", 1, "unused-name", message)])
    yield from results


def _sources(root: Path) -> Iterable[Path]:
    for folder in FOLDERS:
        yield from sorted(root.joinpath(folder).rglob(f"*{_SUFFIX}.py"))


def _without_shared(text: str, names: _Names, module: str) -> str:
    """Return the derived text, which imports from *module* what derivation would leave as it is."""
    derived = _derive(text, names)
    before, after = ast.parse(text).body, ast.parse(derived).body
    lines, old_lines = derived.splitlines(keepends=True), text.splitlines(keepends=True)
    definitions = {index: defined for index, node in enumerate(after) if (defined := _defined(node))}
    own = {index for index in definitions if _source(before[index], old_lines) != _source(after[index], lines)}
    # What mentions a definition that differs must not be shared: it would call the async one.
    while more := {index for index in definitions.keys() - own if _mentioned(before[index]) & _names(before, own)}:
        own |= more
    shared = definitions.keys() - own
    if not shared:
        return derived
    remaining, end = [], 0
    for index, node in enumerate(after):
        last = node.end_lineno or node.lineno
        # The text below an assignment that explains it belongs to it.
        explains = index - 1 in shared and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if index not in shared and not explains:
            remaining += lines[end:last]
        end = last
    imported = sorted(name for index in shared for name in definitions[index])
    position = max(index for index, node in enumerate(after) if isinstance(node, ast.ImportFrom | ast.Import))
    statement = f"from .{module} import {', '.join(imported)}\n"
    place = after[position].end_lineno or 0
    return "".join([*lines[:place], statement, *remaining[place:], *lines[end:]])


def _defined(node: ast.stmt) -> tuple[str, ...]:
    """Return the names that a top-level statement defines; none for imports, `__all__` and whatever runs code."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return (node.name,)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if name != "__all__":
            return (name,)
    return ()


def _names(nodes: list[ast.stmt], chosen: set[int]) -> set[str]:
    return {name for index in chosen for name in _defined(nodes[index])}


def _mentioned(node: ast.AST) -> set[str]:
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    texts = [
        inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    ]
    return names.union(*map(_WORD.findall, texts))  # annotations may be texts


def _source(node: ast.stmt, lines: list[str]) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return "".join("".join(lines[first - 1 : node.end_lineno]).split())


def _derive(text: str, names: _Names) -> str:
    """Return *text* without `async` and `await`, with the names of the sync half."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def offset(position: tuple[int, int]) -> int:
        return starts[position[0] - 1] + position[1]

    edits: dict[int, tuple[int, str]] = {}
    for number, current in enumerate(tokens):
        begin, end = offset(current.start), offset(current.end)
        if current.type == token.NAME and current.string in {"async", "await"}:
            edits[begin] = (offset(tokens[number + 1].start), "")
            if current.string == "await":
                for bracket in _needless(tokens, number):
                    edits[offset(bracket.start)] = (offset(bracket.end), "")
        elif current.type == token.NAME and current.string == "Awaitable" and tokens[number + 1].string == "[":
            closing = tokens[_closing(tokens, number + 1)]
            edits[begin] = (offset(tokens[number + 1].end), "")
            edits[offset(closing.start)] = (offset(closing.end), "")
        elif current.type == token.NAME:
            renamed = names.of(current.string)
            if renamed != current.string:
                edits[begin] = (end, renamed)
        elif current.type in {token.STRING, tokenize.COMMENT, getattr(token, "FSTRING_MIDDLE", -1)}:
            renamed = names.in_text(text[begin:end])
            if renamed != text[begin:end]:
                edits[begin] = (end, renamed)
    pieces, position = [], 0
    for begin, (end, replacement) in sorted(edits.items()):
        if begin >= position:
            pieces += [text[position:begin], replacement]
            position = end
    return _ALL.sub(_each_once, "".join([*pieces, text[position:]]))


def _each_once(match: re.Match[str]) -> str:
    names = dict.fromkeys(re.findall(r'"[^"]+"', match[1]))
    return f"__all__ = [{', '.join(names)}]"


def _needless(tokens: list[tokenize.TokenInfo], number: int) -> list[tokenize.TokenInfo]:
    """Return the brackets around an `await` that hold nothing else, and so are needless without it: `(await x).y`."""
    opening, before = tokens[number - 1], tokens[number - 2]
    calls = before.string in _CLOSES or (before.type == token.NAME and not keyword.iskeyword(before.string))
    if opening.string != "(" or calls:
        return []
    end, depth = _closing(tokens, number - 1), 0
    for item in tokens[number + 1 : end]:
        depth += (item.string in _OPENS) - (item.string in _CLOSES)
        is_name = item.type == token.NAME and not keyword.iskeyword(item.string)
        if depth == 0 and not is_name and item.string not in {".", *_CLOSES}:
            return []
    return [opening, tokens[end]]


def _closing(tokens: list[tokenize.TokenInfo], number: int) -> int:
    depth = 0
    for position in range(number, len(tokens)):
        depth += (tokens[position].string in _OPENS) - (tokens[position].string in _CLOSES)
        if depth == 0:
            return position
    raise AssertionError("the tokenizer refuses brackets that are not closed")
