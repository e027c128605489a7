"""Digests of what generated code was made from, which name the files that changed since."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..spec.bundler import Bundle
from ..spec.diagnostics import Diagnostic

__all__ = ["NAME", "changed_files", "provenance"]

NAME = "provenance.toml"
_FILES = "description_files"
_NOT_INPUT = {"docs", "lint", "__pycache__"}  # none of them writes generated code


def provenance(bundled: Bundle, document: str, summary: Mapping[str, int]) -> str:
    """Write the provenance of what is made from *bundled*, which is *document* as JSON."""
    rows = {
        "description_sha256": hashlib.sha256(document.encode()).hexdigest(),
        "generator_sha256": _generator_digest(),
        "openapi_python_client": version("openapi-python-client"),
        "ruff": version("ruff"),
        **summary,
    }
    head = "# What this directory was made from. Written by `python -m generator generate`.\n"
    files = "# Digest of each file without comments and layout.\n"
    return f"{head}{_toml(rows)}\n{files}[{_FILES}]\n{_toml(bundled.digests)}"


def changed_files(bundled: Bundle, target: Path) -> list[Diagnostic]:
    """List the files of the description that changed since *target* was made."""
    try:
        before = tomllib.loads((target / NAME).read_text(encoding="utf-8")).get(_FILES)
    except (OSError, ValueError):
        before = None
    if not isinstance(before, dict):
        return []  # the file itself is reported as missing or different
    kinds = {
        "is new since {} was made": bundled.digests.keys() - before.keys(),
        "is gone since {} was made": before.keys() - bundled.digests.keys(),
        "changed since {} was made": {
            name for name in bundled.digests.keys() & before.keys() if bundled.digests[name] != before[name]
        },
    }
    return [
        Diagnostic(name, 1, "stale", f"{kind.format(f'{target.name}/')}; run `python -m generator generate`")
        for kind, names in kinds.items()
        for name in sorted(names)
    ]


def _toml(rows: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {json.dumps(value)}\n" for key, value in rows.items())


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else json.dumps(name)


def _generator_digest() -> str:
    """Digest the generator itself, so that a change of a template is seen in the provenance."""
    digest = hashlib.sha256()
    here = Path(__file__).parents[1]
    for path in sorted(here.rglob("*")):
        name = path.relative_to(here)
        if path.suffix in {".py", ".jinja"} and not _NOT_INPUT.intersection(name.parts):
            # As text: a checkout may have other line ends.
            digest.update(f"{name.as_posix()}\0{path.read_text(encoding='utf-8')}\0".encode())
    return digest.hexdigest()
