"""What people read of the description: indexes, the reference page and the comparison in the README."""

from __future__ import annotations

from ._coverage import coverage
from ._files import stale_docs, write_docs

__all__ = ["coverage", "stale_docs", "write_docs"]
