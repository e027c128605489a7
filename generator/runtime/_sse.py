"""A decoder of server-sent events that does no I/O.

It follows the WHATWG rules (https://html.spec.whatwg.org/multipage/server-sent-events.html),
except where Coze's streams would lose something by them:

- An event with a name and no ``data`` line is delivered with empty data:
  workflow streams send ``PING`` heartbeats without content.
- A line of bare JSON is delivered as an event without a name:
  Coze puts ``{"code":4100,"msg":"..."}`` into streams without any framing.
- An event without a name keeps the empty name (``message`` in WHATWG's standard).
- An ``id`` belongs to the event that carries it and to no later one; ``retry`` is ignored,
  because Coze cannot resume a stream.
- A second ``event`` or ``id`` line after data begins another event, and so does a line of bare JSON:
  Coze's documentation shows events without a blank line between them.
"""

from __future__ import annotations

import re
from typing import TypeAlias

__all__ = ["EventTooLarge", "SSEDecoder", "ServerEvent"]

# A plain tuple of bytes, since that is what `re.findall` builds without running any bytecode. Most of
# it is never needed as text: names are looked up, and parsers of JSON take bytes.
ServerEvent: TypeAlias = tuple[bytes, bytes, bytes]
"""Name, data and id of one event, in UTF-8. Name and id are empty when the server sent none."""

_BOM = b"\xef\xbb\xbf"
_CR = 0x0D  # an int: `bytes in bytes` raises and catches a TypeError first, which takes 0.15 us

# The two shapes in which hosted Coze sends all its events, of chats and of workflows. What has another
# shape makes one last match, without a name. So every match begins where the one before it ended, and
# the last one shows whether the events are the whole text, which is not searched a second time.
_NAMED = re.compile(rb"event: ?(.*+)\ndata: ?(.*+)\n()\n|(?s:.+)")
_NUMBERED = re.compile(rb"id: ?(.*+)\nevent: ?(.*+)\ndata: ?(.*+)\n\n|(?s:.+)")

# A flood of blank lines is one separator, not a block each.
_BLANK = re.compile(rb"\n\n++")

# What lines of indented JSON begin with, and lines of an event stream do not.
_JSON_CONTINUED = (b" ", b"\t", b'"', b"}", b"]")


class EventTooLarge(ValueError):
    """
    An event is larger than the decoder is allowed to hold.

    Attributes:
        limit: The number of bytes that was exceeded.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"An event of the stream is larger than {limit} bytes.")
        self.limit = limit


class SSEDecoder:
    """
    Turn the bytes of an event stream into events, however they are cut.

    What it gives out are bytes, always of UTF-8, independent of the response's headers.

    Call `flush` only when the response ended properly. After a broken connection the rest is the
    beginning of an event, which *pending* shows.

    Args:
        max_event_bytes: The largest event to hold in memory. The limit bounds what a server that
            never ends its event can make us store; a larger event ends the stream.
    """

    __slots__ = ("_after_cr", "_at_start", "_limit", "_pending", "_too_large")

    def __init__(self, max_event_bytes: int = 16 * 1024 * 1024) -> None:
        self._limit = max_event_bytes
        self._pending = bytearray()
        self._at_start = True
        self._after_cr = False
        self._too_large = False

    @property
    def pending(self) -> bytes:
        """
        The bytes that belong to no event yet, line ends as LF.

        `flush` leaves them when they make no event, so that an error can show what arrived.
        """
        return bytes(self._pending)

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """
        Decode the next bytes.

        Args:
            chunk: Any number of bytes, cut anywhere.

        Returns:
            The events that *chunk* completes, in order.

        Raises:
            EventTooLarge: The unfinished event exceeds the limit. Events that *chunk* completes
                before it are returned first; then the next call raises, and so does every other.
        """
        if self._too_large:
            raise EventTooLarge(self._limit)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if _CR in chunk:
            # A CR ends its line at once: waiting for the next byte would delay the event before it.
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

        pending = self._pending
        if not pending and len(chunk) <= self._limit and chunk.endswith(b"\n\n"):
            return self._decode(chunk)  # one whole event, as models write them: nothing to keep
        # Bytes that were searched before are not searched again, or one huge event in many chunks
        # would take quadratic time.
        start = max(len(pending) - 1, 0)
        pending += chunk
        end = pending.rfind(b"\n\n", start)
        events: list[ServerEvent] = []
        if end >= 0:
            end = self._within_limit(end + 2)
            if end:
                events = self._decode(pending[:end])
                del pending[:end]
        if len(pending) > self._limit:
            self._too_large = True
            if not events:
                raise EventTooLarge(self._limit)
        return events

    def flush(self) -> list[ServerEvent]:
        """
        Decode what is left at the end of the stream.

        Returns:
            The last event, if it has data and only its blank line is missing. A name without data
            may have been cut off and is not delivered.

        Raises:
            EventTooLarge: As in `feed`.
        """
        if self._too_large:
            raise EventTooLarge(self._limit)
        rest = bytes(self._pending)
        events: list[ServerEvent] = []
        _parse(rest.removeprefix(_BOM) if self._at_start else rest, events, unfinished=True)
        if events:
            self._pending.clear()
            self._at_start = False
        return events

    def _within_limit(self, end: int) -> int:
        """Return where the last event before *end* ends that no too large one precedes."""
        if end <= self._limit:
            return end
        begin = 0
        while (blank := self._pending.find(b"\n\n", begin, end)) >= 0:
            if blank - begin > self._limit:
                return begin
            begin = blank + 2
        return end

    def _decode(self, complete: bytes | bytearray) -> list[ServerEvent]:
        """Decode *complete*, which ends with a blank line."""
        if self._at_start:
            self._at_start = False
            complete = complete.removeprefix(_BOM)
        if complete.startswith(b"event:"):
            named: list[ServerEvent] = _NAMED.findall(complete)
            if named[-1][0]:
                return named
        elif complete.startswith(b"id:") and b"\0" not in complete:
            numbered: list[ServerEvent] = _NUMBERED.findall(complete)
            if numbered[-1][1]:
                return [(name, data, event_id) for event_id, name, data in numbered]
        events: list[ServerEvent] = []
        for block in _BLANK.split(bytes(complete)):
            _parse(block, events)
        return events


def _parse(block: bytes, events: list[ServerEvent], *, unfinished: bool = False) -> None:
    """
    Append the events that the lines of *block* make to *events*, bare JSON among its lines where it stands.

    Args:
        block: Lines without a blank one between them.
        events: What to append to.
        unfinished: Whether the blank line after *block* is missing.
    """
    fields: dict[bytes, bytes] = {}
    data: list[bytes] = []
    json: list[bytes] = []

    def dispatch() -> None:
        if json:
            events.append((b"", b"\n".join(json), b""))
        if data or (fields.get(b"event") and not unfinished):
            events.append((fields.get(b"event", b""), b"\n".join(data), fields.get(b"id", b"")))

    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event" or field == b"id":
            if data and field in fields:
                dispatch()
                fields, data, json = {}, [], []
            # WHATWG: a NUL makes an id void, not the event.
            if field == b"event" or b"\0" not in value:
                fields[field] = value.removeprefix(b" ")
        elif line.startswith(b"{"):
            if data:
                dispatch()
                fields, data, json = {}, [], []
            elif json:
                events.append((b"", b"\n".join(json), b""))
            json = [line]
        elif json and line.startswith(_JSON_CONTINUED):
            json.append(line)
    dispatch()
