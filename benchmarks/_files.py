"""What the operating system counts for a process: files, threads and memory."""

from __future__ import annotations

import math
import sys
import threading
from pathlib import Path

__all__ = ["memory", "most_connections", "open_files", "peak_memory", "raise_file_limit", "threads"]

_SPARE = 200
"""Files that a process has open beside its connections."""


def most_connections() -> float:
    """Return how many connections a process may open here, once it has raised its limit."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, which has no such limit
        return math.inf
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if hard == resource.RLIM_INFINITY else hard - _SPARE


def raise_file_limit(connections: int) -> None:
    """Allow this process to open so many connections, if the hard limit does."""
    try:
        import resource
    except ModuleNotFoundError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(min(wanted, most_connections() + _SPARE)), hard))


def open_files() -> int:
    """Return how many files and connections this process has open."""
    return len(list(Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd").iterdir()))


def threads() -> int:
    """Return how many threads this process has, those of other languages included where the system lists them."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def memory() -> int:
    """Return the bytes of memory that this process has now, or had at most where the system does not report that."""
    return _status("VmRSS") or peak_memory()


def peak_memory() -> int:
    """Return the bytes of memory that this process had at most."""
    if peak := _status("VmHWM"):  # ru_maxrss of a child starts with the value of its parent
        return peak
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _status(name: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
