"""What other sources state about the API that the description lacks, and the reverse."""

from .comparison import Drift, compare_source
from .facts import described_operations
from .live_service import read_live
from .report import REPORTS
from .sources import read_source

__all__ = ["REPORTS", "Drift", "compare_source", "described_operations", "read_live", "read_source"]
