"""The description that the pages are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.spec.bundler import Bundle, bundle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def real() -> Bundle:
    """The description of this repository."""
    return bundle(ROOT / "openapi" / "coze.yaml")
