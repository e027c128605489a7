"""`python -m tests.mutation`: check that the contract tests find seeded faults."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.mutation._mutants import mutants
from tests.mutation._runner import Runner

_MAY_SURVIVE = 1


def main() -> int:
    """Try every fault, print the test that found it, and fail if more than one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed that selects the places of the faults (default: 0)")
    parser.add_argument("--list", action="store_true", help="only list the faults")
    arguments = parser.parse_args()
    tree = Path(__file__).resolve().parents[2]
    seeded = mutants(tree, arguments.seed)
    if arguments.list:
        print(*(f"{mutant.kind:<12} {mutant.what}" for mutant in seeded), sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(tree, Path(folder))
        if (failing := runner.run_all().caught_by) is not None:
            print(f"Without any fault, {failing} fails.")
            return 2
        survivors = 0
        for number, mutant in enumerate(seeded, 1):
            caught_by = runner.try_(mutant).caught_by
            survivors += caught_by is None
            print(
                f"{number:>2} {mutant.kind:<12} {mutant.what}\n   {'SURVIVES' if caught_by is None else caught_by}",
                flush=True,
            )
    print(f"{len(seeded) - survivors} of {len(seeded)} found.")
    return int(survivors > _MAY_SURVIVE)


if __name__ == "__main__":
    sys.exit(main())
