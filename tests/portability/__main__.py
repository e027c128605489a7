"""`python -m tests.portability`: run other tools on the bundle and on its portable form, and print a table of results.

It needs Node.js 22.18, Java 17, and the package registries of npm and Python.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from generator.spec.bundler import bundle, dump
from generator.spec.portable import portable
from tests.portability._tools import TOOLS, Outcome

_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Print the table, then what each tool reports on the portable form. The status is 1 if there is an error in it."""
    parser = argparse.ArgumentParser(prog="python -m tests.portability", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep what the tools write in this folder")
    parser.add_argument("--tool", action="append", help="run only the tools whose name contains this")
    arguments = parser.parse_args()
    chosen = [tool for tool in TOOLS if not arguments.tool or any(part in tool.name for part in arguments.tool)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        outcomes = {
            tool.name: (tool.run(*document("bundle", folder)), tool.run(*document("portable", folder)))
            for tool in chosen
        }
    print("| tool | version | bundle | portable form |\n|---|---|---|---|")
    for tool in chosen:
        print(f"| {tool.name} | {tool.version} | {' | '.join(map(summary, outcomes[tool.name]))} |")
    left = any(after.errors or after.warnings for _, after in outcomes.values())
    print(f"\nWhat is left in the portable form:{'' if left else ' nothing'}\n")
    for name, (_, outcome) in outcomes.items():
        for count, message in outcome.counted():
            print(f"- {name}: {count} x {message}")
    return int(any(after.errors for _, after in outcomes.values()))


def document(form: str, folder: Path) -> tuple[Path, Path]:
    """Write the description in a form. Return its file and an empty folder beside it."""
    bundled = bundle(_ROOT / "openapi" / "coze.yaml").document
    output = folder / form
    output.mkdir(parents=True, exist_ok=True)
    path = output / "coze.json"
    path.write_text(dump(portable(bundled) if form == "portable" else bundled), encoding="utf-8")
    return path, output


def summary(outcome: Outcome) -> str:
    """Return the cell of the table for an outcome."""
    counts = ((len(outcome.errors), "error"), (len(outcome.warnings), "warning"))
    return ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)


if __name__ == "__main__":
    sys.exit(main())
