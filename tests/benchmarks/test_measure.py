"""How the benchmarks measure: rounds, ratios, cases that are missing, and the file of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks._measure import Case, Runs, Table, UnavailableError, measure
from benchmarks._report import environment, read, show, write


def _table(*cases: Case, base: str = "cozepy", rounds: int | None = None) -> Table:
    return Table("page", "page of messages", "ms", "page", cases, base=base, rounds=rounds)


def test_a_ratio_is_the_cost_of_the_base_divided_by_the_cost() -> None:
    """A case that costs a third of the base has the ratio 3, whichever case the table names as its base."""
    cases = Case("cozepy", lambda: 0.006), Case("cozekit", lambda: 0.002, aim=2.5)
    ours = measure(_table(*cases), 3).figures[1]
    assert (ours.ratio, ours.met) == (pytest.approx(3.0), True)
    theirs = measure(_table(*cases, base="cozekit"), 3).figures[0]
    assert theirs.ratio == pytest.approx(1 / 3)


def test_a_case_that_is_unavailable_becomes_a_note() -> None:
    """A case that cannot be measured is left out with its reason; without the base there are costs, but no ratios."""

    def unavailable() -> float:
        raise UnavailableError("did not finish in 60 s")

    result = measure(_table(Case("cozepy", unavailable), Case("cozekit", lambda: 0.002)), 3)
    assert [(figure.case, figure.cost, figure.ratio) for figure in result.figures] == [("cozekit", 0.002, None)]
    assert "note: cozepy: did not finish in 60 s" in show(result)


def test_rounds_of_a_table_limit_those_of_the_command() -> None:
    """A table with its own rounds measures at most that often, and has no warm-up."""
    samples: list[float] = []

    def sample() -> float:
        samples.append(1.0)
        return 1.0

    measure(_table(Case("cozekit", sample), rounds=2), 9)
    assert len(samples) == 2
    measure(_table(Case("cozekit", sample)), 3)
    assert len(samples) == 2 + 1 + 3


def test_one_run_serves_several_tables() -> None:
    """Tables of two numbers of the same runs read each run once; facts are the worst of all runs."""
    made = iter(
        [({"wall": 3.0, "cpu": 1.0}, {"failed": 5.0}), ({"wall": 4.0, "cpu": 2.0}, {"failed": 0.0, "cut": 1.0})]
    )
    runs = Runs(lambda: next(made))
    cases = [Case("cozekit", runs.sample("wall")), Case("cozekit", runs.sample("cpu"), facts=runs.facts)]
    wall, cpu = [measure(_table(case, rounds=2), 2) for case in cases]
    assert [result.figures[0].samples for result in (wall, cpu)] == [[3.0, 4.0], [1.0, 2.0]]
    assert cpu.figures[0].facts == {"failed": 5.0, "cut": 1.0}


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    """A file of results holds every sample, unit, note and fact."""
    cases = Case("cozepy", lambda: 0.006), Case("cozekit", lambda: 0.002, 2.0, lambda: {"failed": 1})
    results = [measure(Table("page", "a page", "KiB", "page", cases, ["a note"]), 2)]
    facts = environment(2, "cozekit")
    write(tmp_path / "folder" / "results.json", facts, results)
    found_facts, found = read(tmp_path / "folder" / "results.json")
    assert found_facts == facts
    assert found == results


def test_other_json_is_not_read_as_results(tmp_path: Path) -> None:
    """JSON that does not hold results raises ValueError."""
    (tmp_path / "other.json").write_text('{"tables": [1]}', encoding="utf-8")
    with pytest.raises(ValueError, match="not written by --json"):
        read(tmp_path / "other.json")
