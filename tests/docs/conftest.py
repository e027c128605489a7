"""The description that the pages are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.docs._python import Samples, python_samples
from generator.spec.bundler import Bundle, bundle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def real() -> Bundle:
    """The description of this repository."""
    return bundle(ROOT / "openapi" / "coze.yaml")


@pytest.fixture(scope="session")
def samples(real: Bundle) -> Samples:
    """The Python samples of all operations."""
    return python_samples(real)
