"""What Coze publishes as requests and responses passes through the client without loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coze_api.errors import DecodeError, InvalidArgumentError
from tests.contract._calls import MODES, Call, Mode, calls, perform, resolve, same, wire
from tests.contract._decoded import misread
from tests.contract._facts import exceptions, excuses, skip_without_samples
from tests.contract._facts_samples import Sample, sample_differences, samples
from tests.contract._urls import text_of, typed

skip_without_samples()
SAMPLES = samples()


def of_folder(folder: str, *, query: bool = False, form: bool = False) -> list[Any]:
    """Pick the JSON samples of a folder, each with the call that it belongs to."""
    chosen = [sample for sample in SAMPLES if sample.path.match(f"{folder}/*.json") and is_form(sample) is form]
    return [
        pytest.param(sample, id=f"{sample.operation}:{sample.path.stem}")
        for sample in chosen
        if sample.path.name.endswith(".query.json") is query
    ]


def is_form(sample: Sample) -> bool:
    """Return whether a sample has the fields of a form. It names the file, and does not show what is in it."""
    return ".form" in sample.path.suffixes


def call_of(sample: Sample, *, streams: bool = False) -> Call:
    """Find the method that a sample is about."""
    candidates = [call for call in calls() if call.operation == sample.operation]
    return next((call for call in candidates if call.streams is streams), candidates[0])


def is_listed(sample: Sample) -> bool:
    """Return whether openapi/exceptions.yaml lists a sample as wrong."""
    wrong = [difference for difference in sample_differences(sample) if not difference.tolerated]
    return any(excuses(entry, difference) for entry in exceptions() for difference in wrong)


def read(path: Path) -> Any:
    """Read a sample."""
    return json.loads(path.read_text(encoding="utf-8"))


def fillers(call: Call) -> dict[str, Any]:
    """Make values for the parameters that a call needs but its sample does not show."""
    return {item["name"]: item["example"] for item in call.parameters if item.get("required")}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sample", of_folder("responses"))
def test_answer_is_kept(sample: Sample, mode: Mode) -> None:
    """A published response, decoded and encoded again, is the same, nulls and moments written as text included.

    One of another operation on the same page is refused where no JSON is described.
    """
    call, answer = call_of(sample), read(sample.path)
    arguments = call.arguments(*call.example())
    if call.answer is None and is_listed(sample):
        with pytest.raises(DecodeError):
            perform(call, mode, answer, arguments)
        return
    result = perform(call, mode, answer, arguments).result
    same(wire(result), call.payload(answer))
    assert is_listed(sample) or not list(misread(result))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sample", of_folder("requests"))
def test_body_is_sent(sample: Sample, mode: Mode) -> None:
    """The arguments that a published request body consists of make the same body again.

    A sample that lacks what is required cannot be sent, and is listed.
    """
    body = read(sample.path)
    call = call_of(sample, streams=body.get("stream") is True)
    arguments = call.arguments(fillers(call), body)
    required = resolve(call.body["schema"]).get("required", ()) if call.body is not None else ()
    if set(required) - body.keys() - call.constants.keys():
        assert is_listed(sample)
        with pytest.raises(TypeError, match=r"missing \d required keyword-only argument"):
            perform(call, mode, call.example_answer(), arguments)
        return
    same(perform(call, mode, call.example_answer(), arguments).body, {**body, **call.constants} or None)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sample", of_folder("requests", form=True))
def test_form_is_sent(sample: Sample, mode: Mode) -> None:
    """The fields of a published form are parts again; its file is any file, since the sample only names it."""
    call, form = call_of(sample), read(sample.path)
    outcome = perform(call, mode, call.example_answer(), call.arguments(fillers(call), form))
    assert outcome.parts.keys() == form.keys()
    assert call.files <= form.keys()
    for name in form.keys() - call.files:
        assert outcome.parts[name].content == text_of(form[name]).encode()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sample", of_folder("requests", query=True))
def test_query_is_sent(sample: Sample, mode: Mode) -> None:
    """The arguments that a published query consists of make the same query again, unless the sample is wrong."""
    call, texts = call_of(sample), read(sample.path)
    described = {item["name"]: resolve(item["schema"]) for item in call.parameters if item["in"] == "query"}
    values = {name: typed(text, described[name]) for name, text in texts.items() if name in described}
    if not described:
        assert is_listed(sample), "a query of another operation on the same page"
        return
    _, body = call.example()
    try:
        outcome = perform(call, mode, call.example_answer(), call.arguments({**fillers(call), **values}, body))
    except InvalidArgumentError:
        assert is_listed(sample)
    else:
        assert {name: outcome.query[name] for name in texts} == {name: str(text) for name, text in texts.items()}
