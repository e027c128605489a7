"""The fuzzer finds no error in the client, and finds planted ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cozekit import AsyncCoze, Coze
from cozekit.errors import CozeError
from tests.fuzz._answers import TOKEN, Texts, answers, check_valid
from tests.fuzz._cases import Case, Finding, Runner, close_loop, report
from tests.fuzz._description import operations, streams
from tests.fuzz._logins import logins
from tests.fuzz._streams import streaming
from tests.fuzz._surroundings import surroundings

KINDS = {"answers": answers, "streams": streaming, "logins": logins, "surroundings": surroundings}
IN_TIME = {"surroundings"}
SEED = 20_261


@pytest.fixture(autouse=True)
def _no_loop_left() -> Iterator[None]:
    yield
    close_loop()


def run(kind: str, numbers: range) -> list[Finding]:
    return Runner(KINDS, in_time=kind in IN_TIME).run(Case(kind, SEED, number) for number in numbers)


def test_every_operation_has_a_result_without_mutations() -> None:
    """Without mutations each call of the fuzzer has a result, so that any finding is caused by a mutation."""
    assert check_valid() == []


def test_all_operations_and_streams_are_fuzzed() -> None:
    """The fuzzer reads all HTTP operations and both stream protocols from the description."""
    assert len(operations()) > 140
    assert {operation.protocol for operation in operations()} - {""} == set(streams())


@pytest.mark.parametrize(("kind", "count"), [("answers", 400), ("streams", 150), ("logins", 100), ("surroundings", 80)])
def test_some_mutations_of_each_kind_find_nothing(kind: str, count: int) -> None:
    """Mutated responses, streams, token responses and settings end in results or below CozeError; `make fuzz` runs
    more.
    """
    findings = run(kind, range(count))
    assert not findings, report(findings)


def test_case_depends_on_seed_and_number_only() -> None:
    """A case that runs a second time, after others, does the same and ends the same."""
    for kind in KINDS:
        cases = [Case(kind, SEED, number) for number in range(0, 60, 7)]
        again = [Case(kind, SEED, number) for number in range(0, 60, 7)]
        Runner(KINDS).run(cases)
        Runner(KINDS).run(reversed(again))
        assert [(case.done, case.outcome) for case in again] == [(case.done, case.outcome) for case in cases]


def _fail() -> None:
    raise KeyError("planted")


def _leak() -> None:
    error = CozeError("the token is wrong")
    error.args = (f"the token {TOKEN} is wrong",)  # its constructor would mask the secret
    raise error


def _sleep() -> None:
    time.sleep(10.0**9)


def _forget() -> None:
    Path(__file__).open()  # noqa: SIM115  (the unclosed file is planted)


@pytest.mark.parametrize(
    ("fault", "error"),
    [(_fail, "KeyError"), (_leak, "Leaked"), (_sleep, "Hang"), (_forget, "ResourceWarning")],
    ids=lambda value: getattr(value, "__name__", value).strip("_"),
)
def test_planted_faults_are_found(monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None], error: str) -> None:
    """An untyped error, a secret in a message, an endless sleep and an open file are found, sync and async.

    Each finding has the command of its case, and that case shows the error again when it runs alone.
    """
    place = next(number for number, finding in enumerate(operations()) if finding.id == "users.me")
    monkeypatch.setattr(Texts, "of", classmethod(lambda cls, case: cls(TOKEN, "a" * 40, "b" * 40, "c" * 40)))
    sync, async_ = Coze(TOKEN), AsyncCoze(TOKEN)

    def me(*_: Any, **__: Any) -> Any:
        fault()
        raise CozeError("after the fault")

    async def ame(*_: Any, **__: Any) -> Any:
        me()

    monkeypatch.setattr(type(sync.users), "me", me)
    monkeypatch.setattr(type(async_.users), "me", ame)
    sync.close()
    step = len(operations())
    findings = run("answers", range(place, place + 8 * step, step))
    assert len(findings) == 8
    assert {finding.error.rpartition(".")[2] for finding in findings} == {error}
    assert {mark for finding in findings for mark in ("[sync", "[async") if mark in " ".join(finding.case.done)} == {
        "[sync",
        "[async",
    }
    assert f"--seed {SEED} --case answers:{place}" in report(findings)
    again = run("answers", range(place, place + 1))
    assert [finding.error for finding in again] == [findings[0].error]
