"""What all state machines share: a sandbox whose clock they move, a client, and ways to look at responses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import attrs
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from coze_sandbox import Clock, Sandbox
from cozekit.errors import APIError
from tests.overlay._clients import Connect

__all__ = ["MANY", "SECONDS", "SIZES", "TEXTS", "Machine", "Stage", "explore", "items", "stage"]

T = TypeVar("T")

SECONDS = 10.0  # what takes time takes this long, on a clock that only the machine moves
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
MANY = 4  # things are enough: each is listed after every step
SIZES = st.integers(1, 3)  # small, so that few things make many pages

_MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "8"))
_MOST_ITEMS = 200
_START = 1_800_000_000.0


@attrs.frozen
class Stage:
    """What a machine acts on.

    Attributes:
        sandbox: A running sandbox, which every run of a machine begins anew.
        coze: A client of it; an async one looks as if it were sync.
    """

    sandbox: Sandbox
    coze: Any


class Machine(RuleBasedStateMachine):
    """Calls in any order, next to a model of what they must do.

    Args:
        stage: What it acts on.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.sandbox, self.coze = stage.sandbox, stage.coze
        self.sandbox.reset()
        self.begin()

    def begin(self) -> None:
        """Set the model up. Subclasses implement it: each has a model of its own."""
        raise NotImplementedError

    @property
    def now(self) -> int:
        """The sandbox's time."""
        return self.sandbox.clock.seconds()

    def later(self, seconds: float = 1) -> int:
        """Let time go by, and return the time then: so no two changes happen at the same time."""
        return int(self.sandbox.clock.advance(seconds))

    def refused(self, code: int, call: Callable[..., Any], **arguments: Any) -> APIError:
        """Check that a call is refused for the right reason, and return the error."""
        with pytest.raises(APIError) as caught:
            call(**arguments)
        assert caught.value.code == code, caught.value
        return caught.value

    def teardown(self) -> None:
        """Check that all responses were as described."""
        assert self.sandbox.violations == []


def items(page: Iterable[T], total: int | None = None) -> list[T]:
    """Read all pages of a list, and check the total in the first one."""
    if total is not None:
        assert page.total == total  # type: ignore[attr-defined]  # of pages
    result = list(islice(page, _MOST_ITEMS))
    assert len(result) < _MOST_ITEMS, "the pages do not end"
    return result


@contextmanager
def stage(*, is_async: bool = False) -> Iterator[Stage]:
    """Start a sandbox, and make a client of it."""
    with Sandbox(answer_seconds=SECONDS, clock=Clock(lambda: _START)) as sandbox:
        if not is_async:
            connect = Connect(None)
            yield Stage(sandbox, connect(sandbox.token, base_url=sandbox.base_url, retry=0))
            connect.close()
            return
        with start_blocking_portal() as portal:
            connect = Connect(portal)
            yield Stage(sandbox, connect(sandbox.token, base_url=sandbox.base_url, retry=0))
            connect.close()


def explore(machine: type[Machine], on: Stage, *, examples: int | None = None, steps: int = 20) -> None:
    """Run a machine: so many examples of so many calls each, the same ones every time.

    Raises:
        Exception: Model and responses differ.
    """
    run_state_machine_as_test(
        lambda: machine(on),
        settings=settings(
            max_examples=_MAX_EXAMPLES if examples is None else examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],  # shrinking takes long, and the calls show enough
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
