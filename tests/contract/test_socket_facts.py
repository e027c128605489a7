"""The description has every message and callback of the facts catalog, unless an exception gives a reason not to."""

from __future__ import annotations

import hashlib
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
    needs_samples,
    unlisted,
    with_samples,
)
from tests.contract._facts_messages import (
    Callback,
    Message,
    callbacks,
    catalog,
    messages,
    protocol,
    recordings,
)

MESSAGES = messages()
CALLBACKS = callbacks()
RECORDED = list(recordings()) if FACTS.is_dir() else []
OWNERS = sorted({message.owner for message in MESSAGES})


@cache
def differences() -> tuple[Difference, ...]:
    """Return all differences of all messages and callbacks."""
    result = [difference for message in MESSAGES for difference in message.differences()[0]]
    return (*result, *(difference for callback in CALLBACKS for difference in callback.differences()[0]))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.place.replace(" ", ":"))
def test_message_equals_the_catalog(message: Message) -> None:
    """Members, types, requiredness, enums, defaults and limits are those of the catalog, and all of them."""
    differences_found, seen = message.differences()
    wrong = unlisted(differences_found)
    assert not wrong, f"correct the description, or list in openapi/exceptions.yaml:\n{wrong}"
    fields = {field["path"] for field in message.fact["fields"]} - {"id", "event_type"}
    assert seen >= fields, f"not compared: {sorted(fields - seen)}"


@needs_samples
@pytest.mark.parametrize("message", with_samples(MESSAGES), ids=lambda message: message.place.replace(" ", ":"))
def test_example_of_a_message_obeys_the_description(message: Message) -> None:
    """The catalog's example of each message obeys its description, and holds nothing that it lacks."""
    wrong = unlisted(message.frame_differences(message.example))
    assert not wrong, wrong


@pytest.mark.parametrize("owner", OWNERS)
def test_no_message_is_made_up(owner: str) -> None:
    """Every message that is described is in the catalog, and responses are those that it names."""
    for side in ("uplink", "downlink"):
        known = {message.event: message for message in MESSAGES if (message.owner, message.side) == (owner, side)}
        described = protocol(owner)[side]["messages"]
        assert set(described) == set(known)
        for event, message in described.items():
            named = {text.partition(" ")[0].rstrip(".") for text in known[event].fact.get("answered_by", ())} - {""}
            if side == "uplink" and named:
                assert set(message.get("answers", ())) == named


@needs_samples
def test_recorded_frames_obey_the_description() -> None:
    """Every recorded frame, of both sides, obeys its description, and holds nothing that it lacks."""
    wrong = {
        f"{file}:{line}: {unlisted(frame_differences)}"
        for file, line, frame_differences in RECORDED
        if unlisted(frame_differences)
    }
    assert not wrong, "\n".join(sorted(wrong))
    assert len(RECORDED) > 100


@pytest.mark.parametrize("name", [owner for owner in OWNERS if owner != "websockets.rtc"])
def test_operation_opens_the_socket_that_the_catalog_knows(name: str) -> None:
    """Address, permission and query are those of the catalog. The token in the query is described in words."""
    facts = catalog("websocket_events.json")
    path, method, operation = description().operations()[name]
    api = next(api for api in facts["apis"].values() if api["path"] == path)
    assert method == "get"
    assert {server["url"] for server in operation["servers"]} == set(facts["transport"]["host"].values())
    assert operation.get("x-coze-permission") == api.get("scope")
    described = {parameter["name"]: parameter.get("required", False) for parameter in operation.get("parameters", ())}
    assert described == {
        parameter["name"]: parameter["required"]
        for parameter in api.get("query", ())
        if parameter["name"] != "authorization"
    }


def test_codes_of_rooms_are_listed() -> None:
    """The error codes of rooms are among all error codes."""
    listed = {error["code"]: error for error in description().document["components"]["x-coze-errors"]}
    for error in catalog("rtc_events.json")["error_codes"]:
        assert listed[error["code"]]["retryable"] == error["retryable"]


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.name)
def test_callback_equals_the_catalog(callback: Callback) -> None:
    """Members of message and response, and the time for the response, are those of the catalog."""
    differences_found, seen = callback.differences()
    wrong = unlisted(differences_found)
    assert not wrong, f"correct the description, or list in openapi/exceptions.yaml:\n{wrong}"
    assert seen >= {field["path"] for field in callback.fact["fields"]}
    path, method, operation = description().callbacks()[callback.name]
    assert (path, method) == (callback.fact["event_type"], "post")
    assert operation["x-coze-callback"]["answer_within_seconds"] == callback.fact["response"]["deadline_s"]
    assert operation["externalDocs"]["url"].rpartition("/")[2] == callback.fact["sources"]["docs"][0]


@needs_samples
@pytest.mark.parametrize("callback", with_samples(CALLBACKS), ids=lambda callback: callback.name)
def test_example_of_a_callback_obeys_the_description(callback: Callback) -> None:
    """The published example of each callback, and of the response to it, obeys its description."""
    wrong = unlisted(callback.sample_differences())
    assert not wrong, wrong


def test_no_callback_is_made_up() -> None:
    """Every callback that is described is in the catalog."""
    assert set(description().callbacks()) == {callback.name for callback in CALLBACKS}


def test_signature_is_that_of_the_catalog() -> None:
    """Parts, headers and digest of the signature are those of the catalog, also by its test vector."""
    facts = catalog("webhooks.json")
    vector = facts["signature"]["test_vector"]
    for _, _, operation in description().callbacks().values():
        signature = operation["x-coze-callback"]["signature"]
        headers = signature["header_names"]
        parts = {"token": "token", "body": "raw request body"} | headers
        assert set(headers.values()) == {header["name"] for header in facts["request"]["headers"]}
        assert [parts[part] for part in signature["input"]] == facts["signature"]["input_order"]
        text = "".join(vector[part] for part in signature["input"])
        assert hashlib.new(signature["algorithm"], text.encode()).hexdigest() == vector["signature"]


@pytest.mark.parametrize(
    "entry",
    [difference for difference in exceptions() if difference.is_about_messages],
    ids=lambda entry: entry.pointer,
)
def test_exception_still_applies(entry: Listed) -> None:
    """An exception is about a difference that is still there."""
    assert any(excuses(entry, difference) for difference in differences()), (
        f"exceptions.yaml:{entry.line}: remove the entry"
    )


def test_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints how many messages, members and recorded frames were compared."""
    counts, members = Counter[str](), Counter[str]()
    for message in MESSAGES:
        counts[f"{message.owner} {message.side}"] += 1
        members[f"{message.owner} {message.side}"] += len(message.differences()[1])
    counts["webhooks"] = len(CALLBACKS)
    members["webhooks"] = sum(len(callback.differences()[1]) for callback in CALLBACKS)
    with capsys.disabled():
        print()
        for name in sorted(counts):
            print(f"{name:>46}{counts[name]:6} messages{members[name]:6} members")
        print(f"{'recorded':>46}{len(RECORDED):6} frames")
    assert all(counts.values())
