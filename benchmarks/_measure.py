"""Cases that are measured in turn, and the statistics of the measurements."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BASE", "Case", "Figure", "Table", "in_process", "measure"]

BASE = "cozepy"
"""The case that every other one is compared with."""


@dataclass(frozen=True)
class Case:
    """A case to measure.

    Attributes:
        name: Name in the table.
        sample: Measures once and returns the cost of one unit: seconds, or bytes for memory.
        aim: Promised factor over the base, if any.
    """

    name: str
    sample: Callable[[], float]
    aim: float | None = None


@dataclass(frozen=True)
class Table:
    """Cases that do the same work.

    Attributes:
        part: Name on the command line.
        title: What the work is.
        unit: Unit of the cost: ``s``, ``ms``, ``us`` or ``MiB``.
        per: Unit of the work, such as ``event``.
        cases: The cases.
        notes: Notes for the reader, such as why a case is missing.
    """

    part: str
    title: str
    unit: str
    per: str
    cases: Sequence[Case]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Figure:
    """Result of one case.

    Attributes:
        case: Name of the case.
        cost: Median cost of one unit.
        ratio: Median of the base's cost divided by this cost over the rounds; None without a base.
        spread: The quartiles of that ratio.
        aim: See `Case`.
        samples: Every measurement.
    """

    case: str
    cost: float
    ratio: float | None
    spread: tuple[float, float] | None
    aim: float | None
    samples: Sequence[float] = field(repr=False)

    @property
    def met(self) -> bool | None:
        """Whether the aim was reached; None without an aim."""
        return None if self.aim is None or self.ratio is None else self.ratio >= self.aim


def measure(table: Table, rounds: int) -> list[Figure]:
    """Run all cases of *table* in turn, *rounds* times, after one warm-up."""
    for case in table.cases:
        case.sample()
    samples: dict[str, list[float]] = {case.name: [] for case in table.cases}
    for number in range(rounds):
        # Each round starts with another case, so that no case always runs after the same one.
        shift = number % len(table.cases)
        for case in (*table.cases[shift:], *table.cases[:shift]):
            samples[case.name].append(case.sample())
    return [_figure(case, samples) for case in table.cases]


def _figure(case: Case, samples: Mapping[str, Sequence[float]]) -> Figure:
    own = samples[case.name]
    ratio = spread = None
    if BASE in samples:
        ratios = [base / cost for base, cost in zip(samples[BASE], own, strict=True)]
        ratio = statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        spread = (low, high)
    return Figure(case.name, statistics.median(own), ratio, spread, case.aim, own)


def in_process(
    name: str, run: Callable[[], Any], expected: Any, units: int = 1, *, aim: float | None = None, seconds: float = 0.06
) -> Case:
    """Return a case for a function that does *units* units of work.

    Args:
        name: See `Case`.
        run: The work. Its result shows that the work was done.
        expected: What *run* must return.
        units: See above.
        aim: See `Case`.
        seconds: Minimum duration of one measurement.

    Raises:
        AssertionError: *run* returned something else.
    """
    result = run()
    assert result == expected, f"{name} returned {result!r:.200}, not {expected!r:.200}"
    start = time.process_time()
    run()
    repeat = max(1, round(seconds / max(time.process_time() - start, 1e-6)))

    def sample() -> float:
        gc.collect()
        begin = time.process_time()
        for _ in range(repeat):
            run()
        return (time.process_time() - begin) / (repeat * units)

    return Case(name, sample, aim)
