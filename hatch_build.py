"""Makes the README that package indexes show, where a link to a file of the repository leads nowhere.

The repository's address is known where a release is built: GitHub names it in the environment. There, links lead to the
files of the release. Elsewhere they become the names of the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]]+)\]\((?![a-z]+:|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Adds `readme` to the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README with its links as they work on a package index."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = _repository(os.environ)
        parts = [
            part if part.startswith("```") else _LINK.sub(lambda match: _outside(match, repository), part)
            for part in _FENCE.split(text)
        ]
        metadata["readme"] = {"content-type": "text/markdown", "text": "".join(parts)}


def _repository(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return address and revision of the repository; None where the environment does not name them."""
    try:
        address = f"{environment['GITHUB_SERVER_URL']}/{environment['GITHUB_REPOSITORY']}"
        return address, environment["GITHUB_SHA"]
    except KeyError:
        return None


def _outside(match: re.Match[str], repository: tuple[str, str] | None) -> str:
    image, label, target = match.groups()
    if repository:
        address, revision = repository
        return f"{image}[{label}]({address}/{'raw' if image else 'blob'}/{revision}/{target})"
    file = target.partition("#")[0]
    return label if image or label == file else f"{label} (`{file}`)"
