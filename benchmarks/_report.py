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

from ._measure import BASE, Figure, Result

__all__ = ["environment", "read", "show", "write"]

_FACTORS = {"s": 1.0, "ms": 1e3, "us": 1e6, "MiB": 1 / 2**20, "KiB": 1 / 2**10}
_BYTES = ("MiB", "KiB")
_PACKAGES = (
    "cozepy", "httpx", "httpx2", "aiohttp", "pyreqwest", "httpx-sse", "websockets", "openapi-python-client", "orjson",
    "pydantic", "attrs",
)  # fmt: skip


def show(result: Result) -> str:
    """Render a table as text."""
    rate = f"{result.per}s/s" if result.unit == "us" else ""
    title = f"{result.part}: {result.title}"
    lines = [f"{title:48}{f'{result.unit}/{result.per}':>14}{rate:>12}{f'{result.base}/this':>14}  quartiles      aim"]
    for figure in result.figures:
        line = f"  {figure.case:46}{figure.cost * _FACTORS[result.unit]:14.1f}"
        line += f"{1 / figure.cost:12,.0f}" if rate else " " * 12
        if figure.ratio is not None and figure.spread is not None:
            spread = "{:.2f} - {:.2f}".format(*figure.spread)
            line += f"{figure.ratio:13.2f}x  {spread:15}"
        if figure.met is not None:
            line += f"{figure.aim:g}x {'met' if figure.met else 'MISSED'}"
        lines.append(line.rstrip())
        if figure.facts:
            lines.append("    " + ", ".join(f"{name} {value:,g}" for name, value in figure.facts.items()))
    lines += [f"  note: {note}" for note in result.notes]
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


def write(path: Path, facts: dict[str, Any], results: Sequence[Result]) -> None:
    """Write everything, with every sample, as JSON."""
    tables = [
        {
            "part": result.part,
            "title": result.title,
            "per": result.per,
            "unit": "bytes" if result.unit in _BYTES else "seconds",
            "shown_in": result.unit,
            "base": result.base,
            "notes": list(result.notes),
            "cases": [
                {
                    "case": figure.case,
                    "median": figure.cost,
                    "ratio": figure.ratio,
                    "quartiles": figure.spread,
                    "aim": figure.aim,
                    "met": figure.met,
                    "facts": dict(figure.facts),
                    "samples": list(figure.samples),
                }
                for figure in result.figures
            ],
        }
        for result in results
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"environment": facts, "tables": tables}, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> tuple[dict[str, Any], list[Result]]:
    """Read what `write` wrote, now or before it had all of these members.

    Raises:
        ValueError: The file does not hold results.
        OSError: It cannot be read.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    try:
        return content["environment"], [_result(table) for table in content["tables"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not written by --json: {error!r}") from error


def _result(table: dict[str, Any]) -> Result:
    unit = table.get("shown_in") or ("MiB" if table["unit"] == "bytes" else "ms")
    figures = [
        Figure(
            case["case"],
            case["median"],
            case["ratio"],
            None if case["quartiles"] is None else (case["quartiles"][0], case["quartiles"][1]),
            case["aim"],
            case["samples"],
            case.get("facts", {}),
        )
        for case in table["cases"]
    ]
    return Result(table["part"], table["title"], unit, table["per"], table.get("base", BASE), figures, table["notes"])
