"""The list of deviations matches the requests of cozepy."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from coze_sandbox import Sandbox
from coze_sandbox._spec.spec import Spec
from tests.interop._judge import judge
from tests.interop.deviations import DEVIATIONS

NULLS = [(name, fault) for name, faults in DEVIATIONS.items() for fault in faults if fault.endswith(": null")]


@pytest.fixture(scope="module")
def description() -> Spec:
    """Give the description."""
    sandbox = Sandbox()
    sandbox.close()
    return sandbox.description


@pytest.mark.parametrize(("name", "fault"), NULLS)
def test_null_is_not_described(description: Spec, name: str, fault: str) -> None:
    """No member that cozepy sends as null may be null by the description, or it is not described at all."""
    schema: Any = description.operations[name].bodies["application/json"].schema
    for step in fault.removesuffix(": null").split(".")[1:]:
        schema, _ = description.follow(schema, "")
        if step not in schema["properties"] and "[]" not in step:
            return
        schema = schema["properties"][step.removesuffix("[]")]
        if step.endswith("[]"):
            schema, _ = description.follow(schema, "")
            schema = schema["items"]
    schema, _ = description.follow(schema, "")
    assert "null" not in schema.get("type", ())


def users() -> Iterator[Callable[[Any], None]]:
    """Find the tests that use the client of cozepy and nothing else."""
    for path in sorted(Path(__file__).parent.glob("test_cozepy_*.py")):
        for name, function in vars(importlib.import_module(f"{__package__}.{path.stem}")).items():
            if name.startswith("test_") and [*inspect.signature(function).parameters] == ["official"]:
                yield function


def test_every_deviation_is_sent(official: Any) -> None:
    """cozepy sends each deviation of the list, and the sandbox accepts and records it.

    An entry that is no longer needed fails here. The test makes all calls itself, so that the result is the same whichever tests
    run, and in which process.
    """
    noted: dict[str, set[str]] = {}
    for use in users():
        official.sandbox.reset()
        official.sandbox.requests.clear()
        use(official)
        for record in official.sandbox.requests:
            places = {re.sub(r"\.\d+(?=\.)", "[]", note.partition(": ")[0]) for note in record.tolerated}
            noted.setdefault(record.operation or "", set()).update(places)
    faults_by_operation = anyio.run(judge, official.sent)
    stale = {name: set(faults) - faults_by_operation.get(name, set()) for name, faults in DEVIATIONS.items()}
    assert {name: faults for name, faults in stale.items() if faults} == {}
    assert "POST" in noted["chat.retrieve"]
    described = {name: faults for name, faults in DEVIATIONS.items() if not name.startswith("POST ")}
    silent = {name: {place.partition(": ")[0] for place in faults} - noted[name] for name, faults in described.items()}
    assert {name: places for name, places in silent.items() if places} == {}


def test_every_deviation_has_a_reason() -> None:
    """Each deviation of the list has a reason."""
    assert all(reason.endswith(".") for faults in DEVIATIONS.values() for reason in faults.values())
