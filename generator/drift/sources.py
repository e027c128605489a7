"""Finds out what kind of source a path is, and reads it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from ..spec.diagnostics import DescriptionError, Diagnostic
from .coze_js_package import read_coze_js
from .cozepy_package import read_cozepy
from .facts import Address, Operation
from .har_file import read_har
from .openapi_pages import read_pages

__all__ = ["read_source"]

_PAGES = Path("docs", "api-swagger")


def read_source(source: str, addresses: Mapping[Address, str]) -> tuple[str, list[Operation]]:
    """Return the kind of a source, as `exceptions.yaml` calls it, and the operations that it states.

    Args:
        source: `cozepy` for the installed package; otherwise a path: of a HAR file (`*.har`), of an unpacked
            `@coze/api`, of a checkout of coze-dev/coze-sdk-gen, or of a folder with OpenAPI files of single pages.
        addresses: The addresses of the described operations, with their ids.

    Raises:
        DescriptionError: There is no such source, or it cannot be read.
    """
    path = Path(source)
    if source == "cozepy":
        package = importlib.util.find_spec("cozepy")
        if package is None or package.origin is None:
            raise DescriptionError([Diagnostic(source, 1, "source", "is not installed: pip install cozepy")])
        return "cozepy", list(read_cozepy(Path(package.origin).parent))
    if path.suffix == ".har" and path.is_file():
        return "har", list(read_har(path, addresses))
    if (path / "dist" / "esm" / "index.mjs").is_file():
        return "coze-js", list(read_coze_js(path))
    folder = path / _PAGES if (path / _PAGES).is_dir() else path
    if folder.is_dir() and any(folder.glob("*.yaml")):
        return "pages", list(read_pages(folder))
    message = (
        "is not a source: expected live, cozepy, a *.har file, an unpacked @coze/api, or a folder with docs/api-swagger"
    )
    raise DescriptionError([Diagnostic(source, 1, "source", message)])
