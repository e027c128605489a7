"""Reads a folder of OpenAPI files, one for each page of the vendor's documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from ..spec.bundler import operations_of
from ..spec.yaml_loader import load
from .facts import Operation, from_openapi

__all__ = ["read_pages"]

# The pages set parameters off in bold; the conversion took the asterisks for a part of the path.
_MARKUP = re.compile(r"[*\s]")


def read_pages(folder: Path) -> Iterator[Operation]:
    """Yield what the pages in *folder* state, a file for each.

    Raises:
        DescriptionError: A file is not YAML.
    """
    for path in sorted(folder.glob("*.yaml")):
        document = load(path, folder)
        for written, method, operation in operations_of(document):
            address = _MARKUP.sub("", unquote(written))
            yield from_openapi(path.stem, address, method, operation, document, path.name)
