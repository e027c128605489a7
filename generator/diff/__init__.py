"""What changed between two descriptions, rated from the caller's side."""

from .changes import Change, Impact, merged
from .comparison import compare
from .python_surface import compare_python
from .report import REPORTS
from .revisions import load

__all__ = ["REPORTS", "Change", "Impact", "compare", "compare_python", "load", "merged"]
