"""Rules for the keys of what follows a request: result, pages, stream, poll."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import suggestion
from ..spec.yaml_loader import LocatedMapping
from ._context import EMPTY_RESPONSE, Description, Operation, Rule, Violation, mapping, strings, violation
from ._keys import check_keys
from ._properties import answer_member, body_member, member, request_member, result

__all__ = ["PROTOCOL_RULES"]

_PAGINATION = ("style", "param", "size", "items", "total", "has_more", "next")
_WITH_NEXT = ("token", "cursor")
_STREAM = ("method", "flag", "protocol")
_POLL = ("operation", "flag", "items", "status", "waiting", "pending", "terminal", "failed")
_POLLED = ("operation", "status", "pending", "terminal")
_PROTOCOL = ("description", "event", "ids", "events")
_EVENT = ("class", "description", "data", "ends", "fails", "counter")
_COUNTER = ("member", "within", "until")
_EVENT_STREAM = "text/event-stream"


def result_member(description: Description) -> Iterator[Violation]:
    """`x-coze-result` names a member of the response, or `.`; without it the response has `data`, or is empty."""
    for operation, name in _with(description, "x-coze-result"):
        if name != "." and ("." in str(name) or answer_member(description, operation, str(name)) is None):
            yield violation(
                operation.body,
                f"the response has no member {name}; name one, or write '.'",
                "x-coze-result",
            )
    for operation in description.operations.values():
        responses = mapping(operation.body.get("responses"))
        returns_nothing = mapping(responses.get("200")).get("$ref") == EMPTY_RESPONSE
        if "x-coze-result" in operation.body or returns_nothing or not description.answer(operation):
            continue
        if answer_member(description, operation, "data") is None:
            remedy = "name the member that the method returns in x-coze-result, or '.' for the whole response"
            message = f"the response has no data: {remedy}; if it returns nothing, make it shared/responses.yaml#/Empty"
            yield violation(responses, message, "200")


def pagination(description: Description) -> Iterator[Violation]:
    """`x-coze-pagination` has a known style, and its paths exist in the request and the response."""
    for operation, value in _with(description, "x-coze-pagination"):
        rule = mapping(value)
        required = (
            "style",
            "param",
            "size",
            "items",
            *(("next",) if rule.get("style") in _WITH_NEXT else ()),
        )
        yield from check_keys(rule, operation.body, "x-coze-pagination", _PAGINATION, required)
        if rule.get("style") not in ("page", *_WITH_NEXT):
            yield violation(rule or operation.body, "style is page, token or cursor", "style")
        for key in ("param", "size"):
            if key in rule and request_member(description, operation, str(rule[key])) is None:
                yield violation(rule, f"{key}: the request has no parameter or field {rule[key]}", key)
        for key in ("items", "total", "has_more", "next"):
            found_member = answer_member(description, operation, str(rule.get(key)))
            if key in rule and found_member is None:
                yield violation(rule, f"{key}: the response has no member {rule[key]}", key)
            elif key == "items" and key in rule and description.resolve(found_member).get("type") != "array":
                yield violation(rule, f"items: {rule[key]} is not an array", key)


def stream(description: Description) -> Iterator[Violation]:
    """`x-coze-stream` fits the body and the response, and every response that is a stream has it."""
    for operation in description.operations.values():
        answer = description.resolve(mapping(operation.body.get("responses")).get("200"))
        types = set(mapping(answer.get("content")))
        if "x-coze-stream" not in operation.body:
            if _EVENT_STREAM in types:
                yield violation(operation.body, "the 200 response is a stream: add x-coze-stream")
            continue
        rule = mapping(operation.body["x-coze-stream"])
        yield from check_keys(rule, operation.body, "x-coze-stream", _STREAM, ("protocol",))
        if _EVENT_STREAM not in types:
            yield violation(
                operation.body,
                f"add {_EVENT_STREAM} to the 200 response, or drop the key",
                "x-coze-stream",
            )
        if ("method" in rule) != bool(types - {_EVENT_STREAM}):
            message = "name the method if and only if the operation also responds without a stream"
            yield violation(operation.body, message, "x-coze-stream")
        if "method" in rule and "flag" not in rule:
            yield violation(rule, "add flag: the body's field that requests the stream")
        if "flag" in rule:
            yield from _flag(description, operation, rule)


def stream_protocol(description: Description) -> Iterator[Violation]:
    """A stream protocol has the shape that extensions.md shows."""
    for name, protocol in description.components("x-coze-streams").items():
        body = mapping(protocol)
        yield from check_keys(body, description.document, name, _PROTOCOL, ("description", "event", "ids", "events"))
        for event, value in mapping(body.get("events")).items():
            kind = mapping(value)
            yield from check_keys(kind, body, f"event {event}", _EVENT, ("class", "description"))
            if kind.get("ends", "always") not in {"always", "maybe"}:
                yield violation(kind, "ends is always or maybe; omit it if the stream continues", "ends")
            if kind.get("fails", True) is not True:
                yield violation(kind, "fails is true; omit it otherwise", "fails")
            if "counter" in kind:
                yield from _counter(description, kind)


def _counter(description: Description, event: LocatedMapping) -> Iterator[Violation]:
    """Look at what counts the events of one kind."""
    rule = mapping(event["counter"])
    yield from check_keys(rule, event, "counter", _COUNTER, ("member",))
    names = [rule.get("member"), *strings(rule.get("within")), *([rule["until"]] if "until" in rule else [])]
    for name in names:
        if member(description, mapping(event.get("data")), str(name)) is None:
            yield violation(rule, f"the data of the event has no member {name}", "member")


def poll(description: Description) -> Iterator[Violation]:
    """`x-coze-poll` names an operation, a member of its result, and values of that member."""
    for operation, value in _with(description, "x-coze-poll"):
        rule = mapping(value)
        yield from check_keys(rule, operation.body, "x-coze-poll", _POLL, _POLLED)
        polled = description.operations.get(str(rule.get("operation")))
        if polled is None:
            near = suggestion(str(rule.get("operation")), description.operations)
            yield violation(rule, f"there is no operation {rule.get('operation')}{near}", "operation")
            continue
        if "flag" in rule:
            yield from _flag(description, operation, rule)
        thing: LocatedMapping | None = result(description, polled)
        if "items" in rule:
            listed = thing if rule["items"] == "." else member(description, mapping(thing), str(rule["items"]))
            if listed is None or description.resolve(listed).get("type") != "array":
                yield violation(rule, f"items: the result of {polled.id} has no array {rule['items']}", "items")
                continue
            thing = mapping(description.resolve(listed).get("items"))
        for key in ("status", "waiting"):
            if key in rule and member(description, mapping(thing), str(rule[key])) is None:
                yield violation(rule, f"{key}: the result of {polled.id} has no member {rule[key]}", key)
        status = member(description, mapping(thing), str(rule.get("status")))
        if status is not None:
            yield from _states(rule, description.resolve(status).get("enum"))


def _flag(description: Description, operation: Operation, rule: LocatedMapping) -> Iterator[Violation]:
    flag = body_member(description, operation, str(rule["flag"]))
    if flag is None or description.resolve(flag).get("type") != "boolean":
        yield violation(rule, f"the body has no boolean field {rule['flag']}", "flag")


def _states(rule: LocatedMapping, known: object) -> Iterator[Violation]:
    states = {key: _listed(rule.get(key)) for key in ("pending", "terminal", "failed")}
    for key, values in states.items():
        for state in values:
            if state not in _listed(known):
                yield violation(rule, f"{state} is not in the enum of {rule.get('status')}", key)
    for state in states["pending"]:
        if state in states["terminal"]:
            yield violation(rule, f"{state} is both pending and terminal; choose one", "terminal")
    for state in states["failed"]:
        if state not in states["terminal"]:
            yield violation(rule, f"failed: {state} is not terminal", "failed")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _with(description: Description, key: str) -> Iterator[tuple[Operation, object]]:
    for operation in description.operations.values():
        if key in operation.body:
            yield operation, operation.body[key]


PROTOCOL_RULES: dict[str, Rule] = {
    "result-member": result_member,
    "pagination": pagination,
    "stream": stream,
    "stream-protocol": stream_protocol,
    "poll": poll,
}
