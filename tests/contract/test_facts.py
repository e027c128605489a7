"""The description matches the facts catalog, unless `openapi/exceptions.yaml` gives a reason not to."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.contract._facts import (
    FACTS,
    Difference,
    Listed,
    description,
    exceptions,
    excuses,
    is_mentioned,
    needs_samples,
    records,
    unlisted,
    with_samples,
)
from tests.contract._facts_compare import Comparison
from tests.contract._facts_samples import Sample, sample_differences, samples

ALL = sorted(description().operations())
NAMES = [name for name in ALL if name in records()]
SAMPLES = samples() if FACTS.is_dir() else ()
EXCEPTIONS = [entry for entry in exceptions() if not entry.is_about_messages]


@cache
def comparison(name: str) -> Comparison:
    """Compare one operation with the catalog."""
    document, (_, _, operation) = description().document, description().operations()[name]
    return Comparison(document, name, operation, records()[name])


@cache
def differences() -> tuple[Difference, ...]:
    """Return all differences of all operations."""
    return tuple(difference for name in NAMES for difference in comparison(name).differences)


@pytest.mark.parametrize("name", ALL)
def test_operation_is_known(name: str) -> None:
    """An operation that is described is in the catalog under the same id, method and path."""
    path, method, _ = description().operations()[name]
    assert name in records(), "the catalog has no such operation, so nothing holds it to the official page"
    record = records()[name]
    assert (record["method"], record["path"]) == (method.upper(), path)


@pytest.mark.parametrize("name", NAMES)
def test_operation_equals_the_catalog(name: str) -> None:
    """Fields, types, requiredness, enums, defaults, limits, permission and page are those of the catalog."""
    wrong = unlisted(comparison(name).differences)
    assert not wrong, f"correct the description, or list in openapi/exceptions.yaml:\n{wrong}"


@needs_samples
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.operation}:{sample.file}")
def test_sample_obeys_the_description(sample: Sample) -> None:
    """Published requests, responses and stream events obey the description and hold nothing that it lacks."""
    wrong = unlisted(sample_differences(sample))
    assert not wrong, f"correct the description, or list in openapi/exceptions.yaml:\n{wrong}"


@pytest.mark.parametrize(
    "entry", [entry for entry in EXCEPTIONS if not entry.is_about_samples], ids=lambda entry: entry.pointer
)
def test_exception_still_applies(entry: Listed) -> None:
    """An exception is about a difference that is still there.

    A member about which the catalog itself notes a conflict may keep its exception: the catalog may
    have settled the conflict in the same way, while the official page has not.
    """
    applies = any(excuses(entry, difference) for difference in differences())
    noted = any(is_mentioned(entry, records()[name]) for name in NAMES if entry.is_about(name))
    assert applies or noted, f"exceptions.yaml:{entry.line}: nothing differs there any more; remove the entry"


@needs_samples
@pytest.mark.parametrize(
    "entry",
    with_samples(entry for entry in EXCEPTIONS if entry.is_about_samples),
    ids=lambda entry: entry.pointer,
)
def test_exception_of_a_sample_still_applies(entry: Listed) -> None:
    """An exception about a published sample is about one that still breaks the description."""
    applies = any(excuses(entry, difference) for sample in SAMPLES for difference in sample_differences(sample))
    assert applies, f"exceptions.yaml:{entry.line}: no such sample differs any more; remove the entry"


def test_exceptions_are_about_described_operations() -> None:
    """Each exception is about an operation that is described."""
    unknown = [entry for entry in EXCEPTIONS if not any(map(entry.is_about, NAMES))]
    assert not unknown, "\n".join(f"exceptions.yaml:{entry.line}: no such operation" for entry in unknown)


def test_exceptions_are_listed_once() -> None:
    """No two exceptions are about the same place, and they are sorted by it."""
    pointers = [entry.pointer for entry in exceptions()]
    assert pointers == sorted(set(pointers))


def test_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Every operation that has fields was compared. Prints how much, by resource."""
    operations, fields, held, listed = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for name in NAMES:
        resource = name.partition(".")[0]
        operations[resource] += 1
        fields[resource] += comparison(name).fields
        held[resource] += sum(sample.operation == name for sample in SAMPLES)
    for entry in exceptions():
        listed[entry.pointer.partition(".")[0]] += 1
    columns = {"operations": operations, "fields": fields, "samples": held, "exceptions": listed}
    with capsys.disabled():
        print("\n" + "".join(f"{head:>14}" for head in ("resource", *columns)))
        for resource in sorted(operations):
            print(f"{resource:>14}" + "".join(f"{counter[resource]:14}" for counter in columns.values()))
        print(f"{'all':>14}" + "".join(f"{counter.total():14}" for counter in columns.values()))
    assert operations.total() == len(NAMES)
    assert all(comparison(name).fields for name in NAMES if records()[name]["transport"] == "http")
