"""Descriptions to generate from."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator._bundle import Bundle, bundle
from tests.generator._small import Small

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A small description of the test's own, to be changed."""
    return Small(tmp_path)


@pytest.fixture(scope="session")
def real() -> Bundle:
    """The description of this repository."""
    return bundle(ROOT / "openapi" / "coze.yaml")
