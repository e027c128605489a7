"""Cases that are measured in turn, and the statistics of the measurements."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BASE", "Case", "Figure", "Result", "Runs", "Table", "UnavailableError", "in_process", "measure", "ratios"]

BASE = "cozepy"
"""The case that every other one is compared with."""


class UnavailableError(Exception):
    """A case cannot be measured here. The message, such as ``did not finish in 60 s``, becomes a note of the table."""


@dataclass(frozen=True)
class Case:
    """A case to measure.

    Attributes:
        name: Name in the table.
        sample: Measures once and returns the cost of one unit: seconds, or bytes for memory. Raises
            `UnavailableError` where it cannot.
        aim: Promised factor over the base, if any.
        facts: Returns other numbers to show beside the cost, such as the number of failures. Called once, after all
            rounds.
    """

    name: str
    sample: Callable[[], float]
    aim: float | None = None
    facts: Callable[[], Mapping[str, float]] | None = None


@dataclass(frozen=True)
class Table:
    """Cases that do the same work.

    Attributes:
        part: Name on the command line.
        title: What the work is.
        unit: Unit of the cost: ``s``, ``ms``, ``us``, ``MiB`` or ``KiB``.
        per: Unit of the work, such as ``event``.
        cases: The cases.
        notes: Notes for the reader, such as why a case is missing.
        base: Name of the case that the others are compared with.
        rounds: Maximum of rounds, without a warm-up, where one measurement takes seconds. Default: as many as the
            command line requests, after a warm-up.
    """

    part: str
    title: str
    unit: str
    per: str
    cases: Sequence[Case]
    notes: Sequence[str] = ()
    base: str = BASE
    rounds: int | None = None


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
        facts: See `Case`.
    """

    case: str
    cost: float
    ratio: float | None
    spread: tuple[float, float] | None
    aim: float | None
    samples: Sequence[float] = field(repr=False)
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the aim was reached; None without an aim."""
        return None if self.aim is None or self.ratio is None else self.ratio >= self.aim


@dataclass(frozen=True)
class Result:
    """Result of a table.

    Attributes:
        part: See `Table`.
        title: See `Table`.
        unit: See `Table`.
        per: See `Table`.
        base: See `Table`.
        figures: One per case that could be measured.
        notes: Those of the table, and why cases could not be measured.
    """

    part: str
    title: str
    unit: str
    per: str
    base: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()


class Runs:
    """Runs of which each gives several numbers, one table for each number.

    Args:
        run: Runs once and returns the numbers by name, and the facts.
    """

    def __init__(self, run: Callable[[], tuple[Mapping[str, float], Mapping[str, float]]]) -> None:
        self._run = run
        self._runs: list[Mapping[str, float]] = []
        self._facts: dict[str, float] = {}
        self._failure: UnavailableError | None = None

    def sample(self, name: str) -> Callable[[], float]:
        """Return the function that samples the number *name*. Each function reads all runs, which are made once."""
        taken = 0

        def sample() -> float:
            nonlocal taken
            if taken == len(self._runs):
                self._runs.append(self._once())
            taken += 1
            return self._runs[taken - 1][name]

        return sample

    def _once(self) -> Mapping[str, float]:
        if self._failure is None:
            try:
                numbers, facts = self._run()
            except UnavailableError as error:
                self._failure = error
            else:
                self._facts |= {name: max(value, self._facts.get(name, value)) for name, value in facts.items()}
                return numbers
        raise self._failure

    @property
    def failed(self) -> bool:
        """Whether a run was unavailable."""
        return self._failure is not None

    def facts(self) -> Mapping[str, float]:
        """Return the facts, of each the largest of all runs."""
        return self._facts


def measure(table: Table, rounds: int) -> Result:
    """Run all cases of *table* in turn, *rounds* times, after one warm-up."""
    cases = list(table.cases)
    notes = list(table.notes)
    samples: dict[str, list[float]] = {case.name: [] for case in cases}

    def take(case: Case) -> float | None:
        try:
            return case.sample()
        except UnavailableError as error:
            notes.append(f"{case.name}: {error}")
            cases.remove(case)
            del samples[case.name]
            return None

    if table.rounds is None:
        for case in table.cases:
            take(case)
    else:
        rounds = min(rounds, table.rounds)
    for number in range(rounds):
        # Each round starts with another case, so that no case always runs after the same one.
        shift = number % max(len(cases), 1)
        for case in (*cases[shift:], *cases[:shift]):
            if (cost := take(case)) is not None:
                samples[case.name].append(cost)
    figures = [_figure(case, samples[case.name], samples.get(table.base)) for case in cases]
    return Result(table.part, table.title, table.unit, table.per, table.base, figures, notes)


def _figure(case: Case, own: Sequence[float], base: Sequence[float] | None) -> Figure:
    ratio = spread = None
    if base is not None:
        each = ratios(base, own)
        ratio = statistics.median(each)
        low, _, high = statistics.quantiles(each, n=4) if len(each) > 1 else each * 3
        spread = (low, high)
    facts = {} if case.facts is None else dict(case.facts())
    return Figure(case.name, statistics.median(own), ratio, spread, case.aim, own, facts)


def ratios(base: Sequence[float], own: Sequence[float]) -> list[float]:
    """Return the base's cost divided by this cost, round by round."""
    return [of_base / cost for of_base, cost in zip(base, own, strict=True)]


def in_process(
    name: str,
    run: Callable[[], Any],
    expected: Any,
    units: int = 1,
    *,
    aim: float | None = None,
    seconds: float = 0.06,
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
