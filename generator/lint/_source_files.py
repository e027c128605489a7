"""Rules for the files as text, which the bundled document does not show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..spec.diagnostics import relative
from ._context import Description, Rule, Violation, mapping

__all__ = ["SOURCE_RULES"]

_MOST = 120
_TOP_LEVEL = re.compile(r"([^\s#:-][^\s:]*):")
_NEVER_UNUSED = {"errors.yaml", "types.yaml"}  # a list, and the vocabulary of openapi/README.md


def line_length(description: Description) -> Iterator[Violation]:
    """No line is longer than 120 characters."""
    for file, lines in _files(description):
        for number, line in enumerate(lines, start=1):
            if len(line) > _MOST:
                yield Violation(
                    file,
                    number,
                    f"break the line: it has {len(line)} characters, {_MOST} are allowed",
                )


def unused_component(description: Description) -> Iterator[Violation]:
    """Every schema, response, protocol and signature in a shared file is used."""
    used = {
        (mapping(component).file, name)
        for kind in mapping(description.document.get("components"))
        for name, component in description.components(kind).items()
    }
    for callback in description.callbacks.values():
        signature = mapping(mapping(callback.body.get("x-coze-callback")).get("signature"))
        used.add((signature.file, "Signature"))  # stands in place of the reference, so its name is gone
    for file, lines in _files(description):
        path = Path(file)
        is_shared = path.parts[1:2] == ("shared",) and path.name not in _NEVER_UNUSED
        if not is_shared and path.name not in {"schemas.yaml", "events.yaml"}:
            continue
        for number, line in enumerate(lines, start=1):
            match = _TOP_LEVEL.match(line)
            if match and (file, match[1]) not in used:
                yield Violation(file, number, f"remove {match[1]}, or refer to it")


def _files(description: Description) -> Iterator[tuple[str, list[str]]]:
    root = description.bundle.root
    for path in sorted(filter(Path.is_file, (root / "openapi").rglob("*.yaml"))):
        yield relative(path, root), path.read_text(encoding="utf-8", errors="replace").splitlines()


SOURCE_RULES: dict[str, Rule] = {"line-length": line_length, "unused-component": unused_component}
