"""A slow and simple decoder of event streams, with which the fast one is compared.

It reads the whole stream at once, as text, line by line, according to section 9.2.6 of
https://html.spec.whatwg.org/multipage/server-sent-events.html and to the deviations that `coze_api._core._sse`
documents. It shares no code and no technique with that module: no regular expressions, no bytes, no chunks.
"""

from __future__ import annotations

import attrs

__all__ = ["TextEvent", "reference"]

TextEvent = tuple[str, str, str]
"""Name, data and id."""


def reference(stream: bytes) -> list[TextEvent]:
    """Decode a whole stream."""
    text = stream.decode("utf-8", errors="replace")
    if text[:1] == "\ufeff":
        text = text[1:]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    building = _Building()
    for line in lines[:-1]:
        if line == "":
            building.blank_line()
        else:
            building.line(line)
    if lines[-1]:
        building.line(lines[-1])
    building.end_of_stream()
    return building.events


@attrs.define
class _Building:
    """The events so far, and the fields of the next one."""

    events: list[TextEvent] = attrs.field(factory=list)
    bodies: list[str] = attrs.field(factory=list)  # bare JSON among the lines
    fields: dict[str, str] = attrs.field(factory=dict)

    def line(self, line: str) -> None:
        if ":" in line:
            colon = line.index(":")
            name, value = line[:colon], line[colon + 1 :]
            if value[:1] == " ":
                value = value[1:]
        else:
            name, value = line, ""
        if name in ("event", "id") and name in self.fields and "data" in self.fields:
            self.dispatch()  # deviation: an event without a blank line before it
        if name == "data":
            self.fields["data"] = self.fields["data"] + "\n" + value if "data" in self.fields else value
        elif name == "event":
            self.fields["event"] = value
        elif name == "id":
            if "\0" not in value:
                self.fields["id"] = value
        elif line[0] == "{":
            if "data" in self.fields:
                self.dispatch()  # deviation: bare JSON without a blank line before it
            self.bodies.append(line)
        elif self.bodies and line[0] in ' \t"}]':
            self.bodies[-1] += "\n" + line

    def blank_line(self) -> None:
        if "data" in self.fields or self.fields.get("event"):
            self.fields.setdefault("data", "")  # deviation: a name is enough
        self.dispatch()

    def end_of_stream(self) -> None:
        self.dispatch()  # deviation: data is enough at the end, a name is not

    def dispatch(self) -> None:
        self.events.extend(("", body, "") for body in self.bodies)
        if "data" in self.fields:
            self.events.append((self.fields.get("event", ""), self.fields["data"], self.fields.get("id", "")))
        self.bodies, self.fields = [], {}
