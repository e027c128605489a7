"""The command `python -m benchmarks`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from . import __doc__ as description
from ._clients import LAYERS
from ._measure import Result, measure
from ._parts import PARTS, Context
from ._report import environment, show, write

_RESULTS = Path(__file__).parent / "results"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one or more of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=9, help="rounds per table (default: %(default)s)")
    parser.add_argument(
        "--layer", choices=LAYERS, default="cozekit", help="which package of ours (default: %(default)s)"
    )
    parser.add_argument(
        "--streams", type=int, action="append", default=[], metavar="N", help="paced streams at once; may be repeated"
    )
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="where to write the samples (default: benchmarks/results/)"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if any(count < 1 for count in arguments.streams):
        parser.error("--streams must be at least 1")
    return arguments


def main() -> None:
    """Measure, print each table as soon as it is done, and write the samples."""
    arguments = _arguments()
    facts = environment(arguments.rounds, arguments.layer)
    print(f"Python {facts['python']}, {facts['system']}, {facts['processors']} processors, {arguments.rounds} rounds\n")
    results: list[Result] = []
    with ExitStack() as stack:
        context = Context(LAYERS[arguments.layer], arguments.streams, stack)
        for part in arguments.parts or PARTS:
            for table in PARTS[part](context):
                results.append(measure(table, arguments.rounds))
                print(show(results[-1]), flush=True)
    path = arguments.json or _RESULTS / f"{facts['time'].replace(':', '')}.json"
    write(path, facts, results)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
