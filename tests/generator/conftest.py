"""Descriptions to generate from."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.spec.bundler import Bundle, bundle
from tests.generator._small import Small

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Return a small description that the test may change."""
    return Small(tmp_path)


@pytest.fixture(scope="session")
def real() -> Bundle:
    """Return the description of this repository."""
    return bundle(ROOT / "openapi" / "coze.yaml")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Small], Any]]:
    """Generate a description and import the package, all of its modules loaded, under a name of its own."""
    name = "small_api"

    def load(small: Small) -> Any:
        small.generate()
        (small.root / "generated" / "coze_api").rename(small.root / "generated" / name)
        monkeypatch.syspath_prepend(str(small.root / "generated"))
        package = importlib.import_module(name)
        for module_info in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module_info.name)
        return package

    yield load
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]
