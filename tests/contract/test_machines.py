"""Calls in any order have the effects that they should have: what is made is there, what is deleted is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cozekit.errors import CozeError
from tests.contract.machines._base import Machine, Stage, explore, stage
from tests.contract.machines._conversations import Conversations
from tests.contract.machines._mutants import Mutant
from tests.contract.machines._seeded import SEEDED

MACHINES = [pytest.param(machine, id=machine.__name__) for machine in SEEDED]


@pytest.fixture(scope="module")
def on() -> Iterator[Stage]:
    """Give a sandbox and a client to all machines."""
    with stage() as stand:
        yield stand


@pytest.mark.parametrize("machine", MACHINES)
def test_machine(machine: type[Machine], on: Stage) -> None:
    """Whatever the order of calls, the responses are those of a model in plain Python."""
    explore(machine, on)


def test_machine_of_async_client() -> None:
    """The async client's responses are those of the model, too."""
    with stage(is_async=True) as on:
        explore(Conversations, on)


@pytest.mark.parametrize(
    ("machine", "mutant"),
    [pytest.param(machine, seed, id=f"{machine.__name__}-{seed}") for machine, many in SEEDED.items() for seed in many],
)
def test_seeded_fault_is_found(
    machine: type[Machine], mutant: Mutant, on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A create that is lost, a delete that does nothing, a wrong page or order: each makes its machine fail."""
    mutant.seed(monkeypatch)
    with pytest.raises((AssertionError, CozeError, pytest.fail.Exception)):
        explore(machine, on, examples=40)
