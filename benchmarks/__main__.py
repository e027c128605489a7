"""The command `python -m benchmarks`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from . import __doc__ as description
from ._answers import page_tables, request_tables
from ._clients import LAYERS, Layer
from ._imports import tables as import_tables
from ._measure import Figure, Table, measure
from ._report import environment, show, write
from ._stock import Stock, generated
from ._streams import tables as stream_tables

_PARTS = ("import", "stream", "page", "request")
_RESULTS = Path(__file__).parent / "results"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one or more of {', '.join(_PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=9, help="rounds per table (default: %(default)s)")
    parser.add_argument(
        "--layer", choices=LAYERS, default="cozekit", help="which package of ours (default: %(default)s)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="where to write the samples (default: benchmarks/results/)"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(_PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def _tables(parts: list[str], layer: Layer, stock: Stock | None) -> Iterator[Table]:
    if "import" in parts:
        yield from import_tables(layer, stock)
    if "stream" in parts:
        yield from stream_tables(layer)
    if "page" in parts:
        yield from page_tables(layer, stock)
    if "request" in parts:
        yield from request_tables(layer, stock)


def main() -> None:
    """Measure, print each table as soon as it is done, and write the samples."""
    arguments = _arguments()
    facts = environment(arguments.rounds, arguments.layer)
    print(f"Python {facts['python']}, {facts['system']}, {facts['processors']} processors, {arguments.rounds} rounds\n")
    results: list[tuple[Table, list[Figure]]] = []
    with generated() as stock:
        for table in _tables(arguments.parts or list(_PARTS), LAYERS[arguments.layer], stock):
            figures = measure(table, arguments.rounds)
            results.append((table, figures))
            print(show(table, figures), flush=True)
    path = arguments.json or _RESULTS / f"{facts['time'].replace(':', '')}.json"
    write(path, facts, results)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
