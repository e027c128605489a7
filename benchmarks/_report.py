"""Output of the measurements: on the terminal and as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ._measure import BASE, Figure, Table

__all__ = ["environment", "show", "write"]

_FACTORS = {"s": 1.0, "ms": 1e3, "us": 1e6, "MiB": 1 / 2**20}
_PACKAGES = ("cozepy", "httpx", "httpx-sse", "openapi-python-client", "orjson", "pydantic", "attrs")


def show(table: Table, figures: Sequence[Figure]) -> str:
    """Render a table as text."""
    rate = f"{table.per}s/s" if table.unit == "us" else ""
    title = f"{table.part}: {table.title}"
    lines = [f"{title:48}{f'{table.unit}/{table.per}':>14}{rate:>12}{f'{BASE}/this':>14}  quartiles      aim"]
    for figure in figures:
        line = f"  {figure.case:46}{figure.cost * _FACTORS[table.unit]:14.1f}"
        line += f"{1 / figure.cost:12,.0f}" if rate else " " * 12
        if figure.ratio is not None and figure.spread is not None:
            spread = "{:.2f} - {:.2f}".format(*figure.spread)
            line += f"{figure.ratio:13.2f}x  {spread:15}"
        if figure.met is not None:
            line += f"{figure.aim}x {'met' if figure.met else 'MISSED'}"
        lines.append(line.rstrip())
    lines += [f"  note: {note}" for note in table.notes]
    return "\n".join(lines) + "\n"


def environment(rounds: int, layer: str) -> dict[str, Any]:
    """Return what the figures depend on."""
    versions: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "packages": versions,
        "layer": layer,
        "rounds": rounds,
    }


def write(path: Path, facts: dict[str, Any], results: Sequence[tuple[Table, Sequence[Figure]]]) -> None:
    """Write everything, with every sample, as JSON."""
    tables = [
        {
            "part": table.part,
            "title": table.title,
            "per": table.per,
            "unit": "bytes" if table.unit == "MiB" else "seconds",
            "notes": list(table.notes),
            "cases": [
                {
                    "case": figure.case,
                    "median": figure.cost,
                    "ratio": figure.ratio,
                    "quartiles": figure.spread,
                    "aim": figure.aim,
                    "met": figure.met,
                    "samples": list(figure.samples),
                }
                for figure in figures
            ],
        }
        for table, figures in results
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"environment": facts, "tables": tables}, indent=1) + "\n", encoding="utf-8")
