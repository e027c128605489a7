"""Seeded faults are found by the contract tests. `make mutation` tries all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation._mutants import KINDS, Kind, Mutant, mutants
from tests.mutation._runner import Runner

ROOT = Path(__file__).resolve().parents[2]
SAMPLE: dict[Kind, tuple[str, str, str]] = {
    "description": ("body member name renamed", "requests", "arguments_are_described"),
    "client": ("an argument has another name", "requests", "test_full_request"),
    "sandbox": ("pages overlap", "machines", "test_machine and Datasets"),
}


def test_same_seed_gives_same_faults() -> None:
    """A seed gives the same twenty faults each time, of all kinds, and each fault changes one file."""
    seeded = mutants(ROOT)
    assert seeded == mutants(ROOT)
    assert len(seeded) == 20
    assert {mutant.kind for mutant in seeded} == set(KINDS)
    assert all((ROOT / mutant.file).read_text(encoding="utf-8") != mutant.text for mutant in seeded)
    assert len({mutant.what for mutant in mutants(ROOT, seed=6)}) == 20  # some kinds appear twice
    assert [mutant.what for mutant in mutants(ROOT, seed=1)] != [mutant.what for mutant in seeded]


@pytest.mark.parametrize("kind", KINDS)
def test_contract_tests_find_seeded_fault(kind: Kind, tmp_path: Path) -> None:
    """The contract tests find a fault of each kind, and pass on the copy without it."""
    what, tests, only = SAMPLE[kind]
    runner = Runner(ROOT, tmp_path, examples=2)
    assert runner.run(tests, only=only).caught_by is None
    caught_by = runner.try_(mutant_of(what), tests, only=only).caught_by
    assert caught_by is not None
    assert f"test_{tests}.py" in caught_by


def mutant_of(what: str) -> Mutant:
    """Return a fault with this effect, of any seed."""
    return next(mutant for seed in range(100) for mutant in mutants(ROOT, seed) if what in mutant.what)
