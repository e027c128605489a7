"""Duration of the generation, and whether it grows linearly with the number of operations.

The real description is multiplied: each copy has its own folders, operation ids, schemas, events and paths.

    python -m benchmarks.generation --times 1 2 4 8 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator.output.ruff import format_tree
from generator.parser.openapi_python_client import parse
from generator.parser.operations import build_api
from generator.pipeline import generate
from generator.render.renderer import render
from generator.spec.bundler import Bundle, bundle, operations_of
from generator.spec.yaml_loader import load

__all__ = ["main", "multiply"]

_ROOT = Path(__file__).resolve().parents[1]
_SHARED = "shared"
_ONCE = "webhooks"  # the index has them by the types of their events, of which there are no others


def multiply(source: Path, target: Path, times: int) -> Path:
    """Write *times* copies of the description in *source* side by side as one, and return its index."""
    folders = sorted(path.name for path in source.iterdir() if path.is_dir() and path.name != _SHARED)
    index = load(source / "coze.yaml", source)
    paths: dict[str, Any] = {}
    for number in range(1, times + 1):
        mark = "" if number == 1 else str(number)
        for folder in folders if number == 1 else [folder for folder in folders if folder != _ONCE]:
            for path in sorted((source / folder).rglob("*.yaml")):
                inside = path.relative_to(source / folder)
                content = _renamed(load(path, source), mark, len(inside.parts))
                if path.name in {"schemas.yaml", "events.yaml", "responses.yaml"}:
                    content = {f"{name}{_words(mark)}": item for name, item in content.items()}
                _write(target / f"{folder}{mark}" / inside, content)
        for path, item in index["paths"].items():
            paths[f"/{number}{path}"] = {key: _renamed(value, mark, 0) for key, value in item.items()}
    for path in sorted((source / _SHARED).rglob("*.yaml")):
        _write(target / path.relative_to(source), load(path, source))
    _write(target / "coze.yaml", {**index, "paths": paths})
    return target / "coze.yaml"


def _words(mark: str) -> str:
    return f"Copy{mark}" if mark else ""


def _renamed(value: Any, mark: str, depth: int) -> Any:
    """Rename everything that has its own name, in a file that is *depth* folders deep."""
    if isinstance(value, list):
        return [_renamed(item, mark, depth) for item in value]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        if key == "$ref" and isinstance(item, str):
            result[key] = _reference(item, mark, depth)
        elif key in {"operationId", "operation"} and isinstance(item, str):
            result[key] = re.sub(r"^(\w+)", rf"\g<1>{mark}", item)
        elif key in {"class", "event", "union"} and isinstance(item, str) and item.isidentifier():
            result[key] = f"{item}{_words(mark)}"
        elif key == "schemas" and isinstance(item, dict):
            result[key] = {f"{name}{_words(mark)}": _renamed(schema, mark, depth) for name, schema in item.items()}
        else:
            result[key] = _renamed(item, mark, depth)
    return result


def _reference(text: str, mark: str, depth: int) -> str:
    file, _, pointer = text.partition("#")
    if f"{_SHARED}/" in file:
        return text
    steps = [step for step in file.split("/") if step != "."]
    if steps.count("..") == depth and len(steps) > depth:
        steps[depth] += mark  # a folder of the description itself
    return "/".join(steps) + (f"#{pointer}{_words(mark)}" if pointer else "")


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")  # JSON is YAML


def _timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure(index: Path, folder: Path) -> dict[str, float]:
    """Return the duration of each step in seconds."""
    bundled: Bundle = bundle(index)
    parsed = parse(bundled)
    files = render(build_api(bundled, parsed), parsed.deref, "")
    for name, text in files.items():
        path = folder / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {
        "read": _timed(lambda: bundle(index)),
        "parse": _timed(lambda: build_api(bundled, parse(bundled))),
        "render": _timed(lambda: render(build_api(bundled, parsed), parsed.deref, "")),
        "format": _timed(lambda: format_tree(folder / "package")),
        "all": _timed(lambda: generate(bundle(index), folder / "generated")),
    }


def main(arguments: list[str] | None = None) -> int:
    """Print a table of seconds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generation", description=__doc__)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 2, 4], help="how often to multiply the description")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is shown")
    options = parser.parse_args(arguments)
    print(f"{'x':>3} {'operations':>10} {'read':>6} {'parse':>6} {'render':>6} {'format':>6} {'all':>6}  ms/operation")
    for times in options.times:
        with tempfile.TemporaryDirectory() as scratch:
            index = multiply(_ROOT / "openapi", Path(scratch, "openapi"), times)
            count = len(list(operations_of(bundle(index).document)))
            rounds = [measure(index, Path(scratch, str(number))) for number in range(options.rounds)]
            seconds = {step: statistics.median(measured[step] for measured in rounds) for step in rounds[0]}
        columns = " ".join(f"{value:6.2f}" for value in seconds.values())
        print(f"{times:>3} {count:>10} {columns}  {1000 * seconds['all'] / count:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
