"""Comparing messages of WebSockets, rooms and callbacks with the facts catalog, member by member."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from tests.contract._facts import EVIDENCE, FACTS, Difference, description
from tests.contract._facts_samples import broken
from tests.contract._facts_view import View

__all__ = [
    "RECORDINGS",
    "Callback",
    "Message",
    "callbacks",
    "catalog",
    "messages",
    "protocol",
    "protocol_name",
    "recorded_messages",
    "recordings",
]

Fact = dict[str, Any]
_LIMITS = ("minimum", "maximum", "maxItems", "maxLength", "minLength")
RECORDINGS = {
    "coze-go.websocket_chat.ndjson": "websockets.chat",
    "coze-go.websocket_chat_generate_audio.ndjson": "websockets.chat",
    "coze-go.websocket_speech.ndjson": "websockets.audio.speech",
    "coze-go.websocket_transcriptions.ndjson": "websockets.audio.transcriptions",
}
"""Recorded sessions, with the operation that each is of."""
_ENVELOPE = {"id", "event_type"}  # the same for all messages; no protocol repeats them
_ROOM = "websockets.rtc"
_ROOMS = "rtc_events.json"


@cache
def catalog(file: str) -> Fact:
    """Return one file of the catalog, with references as OpenAPI writes them."""
    text = (EVIDENCE / file).read_text(encoding="utf-8")
    return json.loads(text.replace('"#/schemas/', '"#/components/schemas/'))


def protocol_name(owner: str) -> str:
    """Return the name of the protocol of an operation, or of rooms for `websockets.rtc`."""
    if owner == _ROOM:
        return "RtcRoom"
    _, _, operation = description().operations()[owner]
    name: str = operation["x-coze-websocket"]["protocol"]["$ref"].rpartition("/")[2]
    return name


def protocol(owner: str) -> Fact:
    """Return the described protocol of an operation, or of rooms for `websockets.rtc`."""
    described: Fact = description().document["components"]["x-coze-websockets"][protocol_name(owner)]
    return described


@attrs.frozen
class Message:
    """A message as the catalog has it.

    Attributes:
        owner: Id of the operation, or `websockets.rtc`.
        side: `uplink` or `downlink`.
        fact: The catalog's record.
        file: The file of the catalog that has it.
    """

    owner: str
    side: str
    fact: Fact = attrs.field(repr=False)
    file: str

    @property
    def event(self) -> str:
        """Its type."""
        return self.fact["event_type"]

    @property
    def described(self) -> Fact | None:
        """Its description, None if it is not described."""
        return protocol(self.owner)[self.side]["messages"].get(self.event)

    @property
    def place(self) -> str:
        """Its place in `openapi/exceptions.yaml`."""
        return f"{self.owner} {self.side}.{self.event}"

    def differences(self) -> tuple[list[Difference], set[str]]:
        """Compare. Returns what differs, and the path of every member that was looked at."""
        comparison = _Comparison(self.place, is_sent=self.side == "uplink")
        if self.described is None:
            comparison.differ("", "not described")
            return comparison.found, set()
        document = {"components": {"schemas": catalog(self.file)["schemas"]}}
        written = self.fact["schema"]
        members = {name: part for name, part in written["properties"].items() if name not in _ENVELOPE}
        required = [name for name in written["required"] if name not in _ENVELOPE]
        data = members.get("data", {})
        whole = document["components"]["schemas"].get(data.get("title") or data.get("$ref", "").rpartition("/")[2], {})
        comparison.also["data"] = set(whole.get("properties", ()))
        facts = View(document, [{**written, "properties": members, "required": required}])
        comparison.compare("", facts, View(description().document, [_frame(self.owner, self.side, self.described)]))
        return comparison.found, comparison.seen

    @property
    def example(self) -> Fact:
        """The published example of it, which lies beside the repository."""
        return examples()[self.owner, self.event]

    def frame_differences(self, frame: Fact) -> list[Difference]:
        """Return in which ways a message breaks its description."""
        if self.described is None:
            return [Difference(self.place, "not described")]
        return _frame_differences(self.owner, self.side, frame)


@attrs.frozen
class Callback:
    """A callback as the catalog has it."""

    fact: Fact = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """Id that its description must have."""
        return f"webhooks.{self.fact['event_type'].replace('.', '_')}"

    @property
    def operation(self) -> Fact:
        """Its description."""
        return description().callbacks()[self.name][2]

    @property
    def body(self) -> Fact:
        """The described schema of its body."""
        return self.operation["requestBody"]["content"]["application/json"]["schema"]

    @property
    def answer(self) -> Fact | None:
        """The described schema of the response to it, None if any response will do."""
        content = self.operation["responses"]["200"].get("content", {})
        return content["application/json"]["schema"] if content else None

    def differences(self) -> tuple[list[Difference], set[str]]:
        """Compare. Returns what differs, and the path of every member that was looked at."""
        document = {"components": {"schemas": catalog("webhooks.json")["schemas"]}}
        comparison = _Comparison(f"{self.name} request", is_sent=False)
        facts = View(document, [self.fact["schema"]])
        comparison.compare("", facts, View(description().document, [self.body]))
        answer = self.fact["response"].get("channel", {}).get("schema")
        if answer is not None and self.answer is not None:
            other = _Comparison(f"{self.name} response", is_sent=True)
            other.compare("", View(document, [answer]), View(description().document, [self.answer]))
            comparison.found += other.found
        elif (answer is None) != (self.answer is None):
            comparison.differ("", "the answer is described on one side only")
        return comparison.found, comparison.seen

    @property
    def published(self) -> Fact:
        """The published record of it, with an example, which lies beside the repository."""
        records = _published("webhooks.json")["events"]
        return next(record for record in records if record["event_type"] == self.fact["event_type"])

    def sample_differences(self) -> list[Difference]:
        """Return in which ways the catalog's examples break the description."""
        faults = list(broken(self.body, self.published["example"], "request"))
        answer = self.published["response"].get("channel", {}).get("example")
        if answer is not None and self.answer is not None:
            faults += broken(self.answer, answer, "response")
        return [
            Difference(f"{self.name} {place}", message, parent=f"{self.name} {parent}")
            for place, parent, message in faults
        ]


@cache
def messages() -> tuple[Message, ...]:
    """Return all messages of the catalog, and those that its update adds."""
    sockets, room = "websocket_events.json", _ROOMS
    result = [
        Message(_owners()[api["path"]], fact["direction"], fact, sockets)
        for api in catalog(sockets)["apis"].values()
        for fact in api["events"]
    ]
    result += [
        Message(fact["operation"], fact["direction"], fact, sockets)
        for fact in catalog(sockets)["additions"]
        if fact["change"] == "add event"
    ]
    result += [Message(_ROOM, side, fact, room) for side in ("uplink", "downlink") for fact in catalog(room)[side]]
    return tuple(result)


@cache
def examples() -> dict[tuple[str, str], Fact]:
    """Return the published example of each message, by owner and type."""
    sockets, rooms = _published("websocket_events.json"), _published("realtime_events.json")
    facts = [(_owners()[api["path"]], fact) for api in sockets["apis"].values() for fact in api["events"]]
    added = _published("update-2026-11/events.json")["websocket"]
    facts += [(fact["operation"], fact) for fact in added if fact["change"] == "add event"]
    facts += [(_ROOM, fact) for side in ("uplink", "downlink") for fact in rooms[side]]
    return {(owner, fact["event_type"]): fact["example"] for owner, fact in facts}


@cache
def _published(file: str) -> Fact:
    fact: Fact = json.loads((FACTS / file).read_text(encoding="utf-8"))
    return fact


def _owners() -> dict[str, str]:
    """Return the operations that open WebSockets, by path."""
    operations = description().operations().items()
    return {path: name for name, (path, _, operation) in operations if "x-coze-websocket" in operation}


@cache
def callbacks() -> tuple[Callback, ...]:
    """Return all callbacks of the catalog."""
    return tuple(Callback(fact) for fact in catalog("webhooks.json")["events"])


def recorded_messages(file: str) -> Iterator[tuple[str, Fact]]:
    """Read a recorded session. Yields the side and the frame of each message."""
    text = (FACTS / "examples" / "streams" / file).read_text(encoding="utf-8")
    for record in map(json.loads, text.splitlines()):
        yield {"client": "uplink", "server": "downlink"}[record["from"]], record["frame"]


def recordings() -> Iterator[tuple[str, int, list[Difference]]]:
    """Hold each recorded frame to the description. Yields the file, the line and what is wrong."""
    for file, owner in RECORDINGS.items():
        for number, (side, frame) in enumerate(recorded_messages(file), start=1):
            yield file, number, _frame_differences(owner, side, frame)


def _frame(owner: str, side: str, described: Fact) -> Fact:
    """Put the schema of a whole message together, without `id` and `event_type`."""
    properties = {}
    required = []
    if "data" in described:
        properties["data"] = described["data"]
        # Data that requires nothing may be absent.
        required += ["data"] if View(description().document, [described["data"]]).required else []
    detail = protocol(owner)[side].get("detail")
    if detail is not None:
        properties["detail"] = detail
        required.append("detail")
    schema: Fact = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def _frame_differences(owner: str, side: str, frame: Fact) -> list[Difference]:
    event = frame.get("event_type")
    place = f"{side}.{event}"
    described = protocol(owner)[side]["messages"].get(event)
    if described is None:
        return [Difference(f"{owner} {place}", "occurs; it is not described")]
    schema = _frame(owner, side, described)
    schema["properties"] |= {"id": {"type": "string"}, "event_type": {"const": event}}
    if "data" not in described and frame.get("data") == {}:
        frame = {name: value for name, value in frame.items() if name != "data"}
    return [
        Difference(f"{owner} {where}", message, parent=f"{owner} {parent}")
        for where, parent, message in broken(schema, frame, place)
    ]


class _Comparison:
    """A schema of the catalog against one of the description.

    Attributes:
        found: Every difference, those that are tolerated too.
        seen: The path of every member of the catalog that was looked at.
        also: By path, members that the catalog has in the same object elsewhere.
    """

    def __init__(self, place: str, *, is_sent: bool) -> None:
        self.found: list[Difference] = []
        self.seen: set[str] = set()
        self.also: dict[str, set[str]] = {}
        self._place = place
        self._is_sent = is_sent

    def differ(self, path: str, message: str, *, parent: str | None = None, tolerated: bool = False) -> None:
        """Note a difference."""
        pointer = f"{self._place}.{path}" if path else self._place
        owner = "" if parent is None else f"{self._place}.{parent}" if parent else self._place
        self.found.append(Difference(pointer, message, parent=owner, tolerated=tolerated))

    def compare(self, path: str, facts: View, described: View) -> None:
        """Compare the members of an object."""
        has, needs = facts.properties, facts.required
        knows, requires = described.properties, described.required
        for name, fact in has.items():
            inner = f"{path}.{name}" if path else name
            self.seen.add(inner)
            if name not in knows:
                is_empty = name == "data" and not fact.properties  # what carries nothing need not be described
                self.differ(inner, "not described", parent=path, tolerated=is_empty)
                continue
            if (name in needs) != (name in requires):
                described_as = "required" if name in requires else "optional"
                # Data that requires nothing is optional by rule; a response may be known better than by the page.
                tolerated = inner == "data" or (not self._is_sent and name in requires)
                self.differ(inner, f"{described_as}; the page differs", tolerated=tolerated)
            self._value(inner, fact, knows[name])
        for name in knows.keys() - has.keys() - self.also.get(path, set()):
            self.differ(f"{path}.{name}" if path else name, "described; the page does not list it", parent=path)

    def _value(self, path: str, fact: View, described: View) -> None:
        if fact.is_nullable != described.is_nullable:
            described_as = "may be null" if described.is_nullable else "not null"
            self.differ(path, f"{described_as}; the page differs", tolerated=described.is_nullable)
        if described.is_moment and fact.types <= {"integer", "string"}:
            self.differ(path, "integer or string", tolerated=True)
        elif fact.types != described.types and fact.types:
            self.differ(path, f"{sorted(described.types)}; the page has {sorted(fact.types)}")
            return
        self._enum(path, fact, described)
        for key in ("default", *_LIMITS):
            described_as, states = described.value(key), fact.value(key)
            if described_as != states:
                # Stated for the same thing where it is sent, or in words for the values of a map.
                tolerated = states is None and (not self._is_sent or path.endswith("{}"))
                self.differ(path, f"{key} {described_as}; the page has {states}", tolerated=tolerated)
        if "object" in fact.types and fact.properties:
            self.compare(path, fact, described)
        elif "object" in fact.types and fact.values.types:
            self._value(f"{path}{{}}", fact.values, described.values)
        elif "array" in fact.types:
            self.seen.add(f"{path}[]")
            self._value(f"{path}[]", fact.items, described.items)

    def _enum(self, path: str, fact: View, described: View) -> None:
        states, described_as = fact.enum or [], described.enum or []
        lacking = [value for value in states if value not in described_as]
        more = [value for value in described_as if value not in states]
        if lacking:
            self.differ(path, f"the enum lacks {lacking}")
        if more:
            self.differ(path, f"the page does not list the values {more}", tolerated=not self._is_sent)
