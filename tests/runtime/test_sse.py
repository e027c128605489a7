"""The decoder of server-sent events."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coze_api._core import _sse
from coze_api._core._sse import EventTooLarge, ServerEvent, SSEDecoder
from tests.runtime._sse_reference import TextEvent, reference

MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "200"))

STREAM = (
    "event:conversation.message.delta\n"
    'data:{"content":"你好, wörld \u2028 🙂"}\n'
    "\n"
    "id: 7\n"
    "event: Message\n"
    'data: {"node_is_finish":true}\n'
    "\n"
    ": comment\n"
    "data: first\n"
    "data: second\n"
    "\n"
    "event: PING\n"
    "\n"
    '{"code":4100,"msg":"authentication is invalid"}\n'
    "\n"
)
EVENTS = [
    ("conversation.message.delta", '{"content":"你好, wörld \u2028 🙂"}', ""),
    ("Message", '{"node_is_finish":true}', "7"),
    ("", "first\nsecond", ""),
    ("PING", "", ""),
    ("", '{"code":4100,"msg":"authentication is invalid"}', ""),
]


def decode(*chunks: bytes) -> list[TextEvent]:
    """Decode a stream that ends after *chunks*."""
    decoder = SSEDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return text(events + decoder.flush())


def text(events: list[ServerEvent]) -> list[TextEvent]:
    """Read events as text."""
    return [(_read(name), _read(data), _read(event_id)) for name, data, event_id in events]


def _read(value: bytes) -> str:
    assert type(value) is bytes
    return value.decode("utf-8", "replace")


class TestWhatwg:
    """The examples of the specification, section 9.2.6."""

    def test_data_lines_are_joined_with_lf(self) -> None:
        """Several data lines are joined with LF; an event without a name has the empty name."""
        assert decode(b"data: YHOO\ndata: +2\ndata: 10\n\n") == [("", "YHOO\n+2\n10", "")]

    def test_comments_are_ignored_and_one_space_is_removed(self) -> None:
        """Comments are ignored, ids belong to their event, and only one space is removed."""
        stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
        stream += b"data:  third event\n\n"
        assert decode(stream) == [
            ("", "first event", "1"),
            ("", "second event", ""),
            ("", " third event", ""),
        ]

    def test_empty_data_line_is_an_event(self) -> None:
        """A data line without a value makes an event with empty data, two make one LF."""
        assert decode(b"data\n\ndata\ndata\n\ndata:") == [
            ("", "", ""),
            ("", "\n", ""),
            ("", "", ""),
        ]

    def test_space_after_the_colon_is_optional(self) -> None:
        """One space after the colon makes no difference."""
        assert decode(b"data:test\n\ndata: test\n\n") == [("", "test", ""), ("", "test", "")]

    def test_event_name_is_not_inherited(self) -> None:
        """Each event has its own name; later ones do not inherit it."""
        stream = b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: 1\n\n"
        assert decode(stream) == [("add", "73857293", ""), ("remove", "2153", ""), ("", "1", "")]


class TestLines:
    """Splitting bytes into lines."""

    @pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"], ids=["LF", "CR", "CRLF"])
    def test_chunk_boundaries_do_not_matter(self, line_end: str) -> None:
        """A cut at any byte, with any line end, changes nothing."""
        stream = STREAM.replace("\n", line_end).encode()
        for cut in range(len(stream) + 1):
            assert decode(stream[:cut], stream[cut:]) == EVENTS

    @pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"], ids=["LF", "CR", "CRLF"])
    def test_single_byte_chunks_do_not_matter(self, line_end: str) -> None:
        """A stream that arrives in single bytes yields the same events."""
        stream = STREAM.replace("\n", line_end).encode()
        assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == EVENTS

    def test_empty_chunk_between_cr_and_lf_is_ignored(self) -> None:
        """CR and LF are one line end even with an empty chunk between them."""
        assert decode(b"data: a\r", b"", b"\ndata: b\r\n\r\n") == [("", "a\nb", "")]

    def test_event_ending_with_cr_is_yielded_at_once(self) -> None:
        """An event that ends with CR is yielded before the next byte arrives."""
        decoder = SSEDecoder()
        assert text(decoder.feed(b"data: a\r\n\r")) == [("", "a", "")]
        assert decoder.feed(b"\n") == []

    def test_line_ends_may_be_mixed(self) -> None:
        """LF, CR and CRLF may be mixed within one event."""
        assert decode(b"event: a\rdata: b\r\ndata: c\n\r\n") == [("a", "b\nc", "")]

    @pytest.mark.parametrize("char", "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e")
    def test_only_cr_and_lf_end_a_line(self, char: str) -> None:
        """No other character ends a line, although str.splitlines splits at some."""
        for stream in (f"event:a\ndata:b{char}c\n\n", f"data: b{char}c\nevent: a\n\n"):
            assert decode(stream.encode()) == [("a", f"b{char}c", "")]

    def test_one_leading_bom_is_removed(self) -> None:
        """One leading BOM is removed, wherever the cut is; a second one becomes part of the field name."""
        stream = b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n"
        for cut in range(len(stream)):
            assert decode(stream[:cut], stream[cut:]) == [("", "a", "")]
        assert decode(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n") == []
        assert decode(b"\xef\xbb\xbfdata: a") == [("", "a", "")]

    def test_invalid_utf8_is_replaced(self) -> None:
        """Bytes that are not UTF-8 become U+FFFD and never swallow a line end."""
        assert decode(b"event:a\ndata:\xff\xe4\xbd\n\ndata: b\n\n") == [
            ("a", "\ufffd\ufffd", ""),
            ("", "b", ""),
        ]


class TestFields:
    """The meaning of the fields of an event."""

    def test_field_order_does_not_matter(self) -> None:
        """The order of the fields does not matter."""
        expected = [("a", "b", "1")]
        assert decode(b"data: b\nid: 1\nevent: a\n\n") == expected
        assert decode(b"id: 1\nevent: a\ndata: b\n\n") == expected
        assert decode(b"event: a\ndata: b\nid: 1\n\n") == expected

    def test_last_name_wins(self) -> None:
        """The last of several names or ids counts."""
        assert decode(b"event: a\nevent: b\nid: 1\nid: 2\ndata: c\n\n") == [("b", "c", "2")]

    def test_ids_are_not_sticky(self) -> None:
        """An id belongs to the event that carries it, not to the next one."""
        assert decode(b"id: 1\nevent: a\ndata: b\n\nevent: a\ndata: c\n\n") == [
            ("a", "b", "1"),
            ("a", "c", ""),
        ]

    def test_id_without_data_is_no_event(self) -> None:
        """An id without a name and without data is not an event."""
        assert decode(b"id: 1\n\n\n\nid: 2") == []

    def test_id_with_nul_is_ignored(self) -> None:
        """An id that holds NUL is ignored, its event is not."""
        assert decode(b"id: 1\x002\nevent: a\ndata: b\n\n") == [("a", "b", "")]

    def test_nul_in_data_is_kept(self) -> None:
        """NUL in data is data."""
        assert decode(b"id: 1\nevent: a\ndata: b\x00\n\n") == [("a", "b\0", "1")]

    def test_unknown_fields_are_ignored(self) -> None:
        """Fields with other names, retry among them, are ignored."""
        stream = b"retry: 10\nEvent: x\n data: y\nfoo\nevent:a\ndata:b\n:data:c\n\n"
        assert decode(stream) == [("a", "b", "")]

    def test_other_lines_around_the_usual_two_are_read(self) -> None:
        """Lines before and after the usual two lines of an event are read."""
        assert decode(b"data:a\nevent:b\ndata:c\n\n") == [("b", "a\nc", "")]
        assert decode(b"event:a\ndata:b\ndata:c\n\nevent:d\ndata:e\n\n") == [
            ("a", "b\nc", ""),
            ("d", "e", ""),
        ]
        assert decode(b"event:a\n\ndata:b\n\n") == [("a", "", ""), ("", "b", "")]

    def test_blank_lines_between_events(self) -> None:
        """Any number of blank lines may stand between events."""
        assert decode(b"\n\n\nevent:a\ndata:b\n\n\n\n\nevent:c\ndata:d\n\n") == [
            ("a", "b", ""),
            ("c", "d", ""),
        ]

    def test_colons_and_spaces_in_data_are_kept(self) -> None:
        """Colons and spaces within data are kept."""
        assert decode(b'event: a\ndata:  {"a": ": b"}\n\n') == [("a", ' {"a": ": b"}', "")]


class TestCoze:
    """Requirements of Coze's streams beyond the specification."""

    @pytest.mark.parametrize("ping", [b"event: PING\n\n", b"event:PING\ndata:\n\n"])
    def test_heartbeat_is_yielded_with_empty_data(self, ping: bytes) -> None:
        """A heartbeat is yielded with empty data, with or without a data line."""
        assert decode(ping) == [("PING", "", "")]

    def test_heartbeat_keeps_its_id(self) -> None:
        """A heartbeat keeps its id, which counts in the sequence."""
        assert decode(b"id: 3\nevent: PING\n\n") == [("PING", "", "3")]

    def test_empty_name_without_data_is_no_event(self) -> None:
        """An empty name without data is not an event."""
        assert decode(b"event:\n\n") == []

    def test_line_of_bare_json_is_an_event(self) -> None:
        """A line of bare JSON is an event without a name, also at the end of the response."""
        body = b'{"code":4100,"msg":"authentication is invalid"}'
        expected = [("", body.decode(), "")]
        assert decode(body + b"\n\n") == expected
        assert decode(body + b"\n") == expected
        assert decode(body) == expected

    def test_bare_json_within_an_event_precedes_it(self) -> None:
        """Bare JSON between the lines of an event is yielded before that event, and does not change it."""
        assert decode(b'event: a\n{"code":1}\n{"code":2}\ndata: b\n\n') == [
            ("", '{"code":1}', ""),
            ("", '{"code":2}', ""),
            ("a", "b", ""),
        ]

    @pytest.mark.parametrize("first", ["event:a\ndata:b", "id: 1\nevent: a\ndata: b", "data: b"])
    @pytest.mark.parametrize("end", ["\n\n", "\n", ""])
    @pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"], ids=["LF", "CR", "CRLF"])
    def test_bare_json_right_after_an_event_follows_it(self, first: str, end: str, line_end: str) -> None:
        """Bare JSON right after the data of an event, without a blank line, is yielded after that event, wherever the
        cut is.
        """
        stream = f'event:z\ndata:y\n\n{first}\n{{"code":1}}{end}'.replace("\n", line_end).encode()
        event = ("a" if "event" in first else "", "b", "1" if "id" in first else "")
        for cut in range(len(stream) + 1):
            assert decode(stream[:cut], stream[cut:]) == [("z", "y", ""), event, ("", '{"code":1}', "")]

    def test_data_after_bare_json_belongs_to_another_event(self) -> None:
        """Data after bare JSON that followed an event belongs to another event."""
        assert decode(b'event:a\ndata:b\n{"code":1}\ndata:c\n\n') == [
            ("a", "b", ""),
            ("", '{"code":1}', ""),
            ("", "c", ""),
        ]
        assert decode(b'event:a\ndata:b\n{\n"code":1\n}\nevent:d\ndata:c\n\n') == [
            ("a", "b", ""),
            ("", '{\n"code":1\n}', ""),
            ("d", "c", ""),
        ]

    def test_indented_json_is_one_event(self) -> None:
        """A JSON body of several lines is one event."""
        body = '{\n  "code": 4100,\n\t"detail": {\n  }\n}'
        assert decode(body.encode()) == [("", body, "")]

    def test_json_continuation_lines_alone_are_ignored(self) -> None:
        """Lines that would continue a JSON body are ignored without one."""
        assert decode(b'"a"\n}\ndata: b\n\n') == [("", "b", "")]

    def test_second_id_or_name_starts_another_event(self) -> None:
        """A second id or name after data starts another event, as in documentation that omits the blank lines."""
        assert decode(b"id: 0\nevent: Message\ndata: {}\nid: 1\nevent: Done\ndata: {}\n") == [
            ("Message", "{}", "0"),
            ("Done", "{}", "1"),
        ]
        assert decode(b"event:a\ndata:1\nevent:b\ndata:2\n\n") == [("a", "1", ""), ("b", "2", "")]
        assert decode(b"data:1\nevent:a\nid:0\ndata:2\n\n") == [("a", "1\n2", "0")]


class TestEnd:
    """The end of a stream."""

    def test_last_event_needs_no_blank_line(self) -> None:
        """The last event is yielded although its blank line or its line end is missing."""
        assert decode(b"event:a\ndata:b\n") == [("a", "b", "")]
        assert decode(b"event:a\ndata:b") == [("a", "b", "")]
        assert decode(b"event:a\ndata:") == [("a", "", "")]

    def test_name_without_data_at_the_end_is_dropped(self) -> None:
        """A name without data at the end may have been cut off, and is not yielded."""
        assert decode(b"event: conversation.mess") == []

    def test_last_event_is_yielded_once(self) -> None:
        """The last event is yielded once."""
        decoder = SSEDecoder()
        decoder.feed(b"data: a")
        assert text(decoder.flush()) == [("", "a", "")]
        assert decoder.flush() == []
        assert decoder.pending == b""

    def test_empty_stream_has_no_events(self) -> None:
        """An empty stream has no events."""
        assert SSEDecoder().flush() == []

    def test_pending_data_of_an_incomplete_event(self) -> None:
        """The data of an incomplete event is available, also after a flush without an event."""
        decoder = SSEDecoder()
        assert text(decoder.feed(b"event:a\r\ndata:b\r\n\r\n<html>\r\n")) == [("a", "b", "")]
        assert decoder.pending == b"<html>\n"
        assert decoder.flush() == []
        assert decoder.pending == b"<html>\n"


class TestLimit:
    """The size limit of one event."""

    def test_event_at_the_limit_is_yielded(self) -> None:
        """An event of exactly the allowed size is yielded; its blank line does not count."""
        decoder = SSEDecoder(max_event_bytes=8)
        assert text(decoder.feed(b"data:abc\n\ndata:def\n\n")) == [("", "abc", ""), ("", "def", "")]

    @pytest.mark.parametrize("size", [1, 3, 5, 9, 100])
    def test_event_beyond_the_limit_raises(self, size: int) -> None:
        """A larger event raises, wherever it is cut, and all events before it are yielded."""
        stream = b"data:a\n\ndata:b\n\ndata:12345\n\ndata:c\n\n"
        decoder = SSEDecoder(max_event_bytes=8)
        events = []
        with pytest.raises(EventTooLarge, match="larger than 8 bytes") as caught:
            for start in range(0, len(stream), size):
                events += text(decoder.feed(stream[start : start + size]))
            decoder.flush()
        assert events == [("", "a", ""), ("", "b", "")]
        assert caught.value.limit == 8
        assert isinstance(caught.value, ValueError)
        assert decoder.pending.startswith(b"data:1234")

    def test_decoder_yields_nothing_after_a_too_large_event(self) -> None:
        """After a too large event the decoder yields nothing more."""
        decoder = SSEDecoder(max_event_bytes=8)
        with pytest.raises(EventTooLarge):
            decoder.feed(b"data:123456789")
        with pytest.raises(EventTooLarge):
            decoder.feed(b"\n\ndata:a\n\n")
        with pytest.raises(EventTooLarge):
            decoder.flush()

    def test_limit_applies_to_one_event(self) -> None:
        """The limit applies to one event, not to the stream or the chunk."""
        decoder = SSEDecoder(max_event_bytes=8)
        assert len(decoder.feed(b"data:a\n\n" * 100 + b"data:b")) == 100
        assert text(decoder.flush()) == [("", "b", "")]


class CountingBuffer(bytearray):
    """A buffer that counts the bytes that are searched or copied."""

    work = 0

    def rfind(self, sub: Any, start: Any = 0, end: Any = None, /) -> int:
        """Search as bytearray does."""
        self.work += len(self) - start
        return super().rfind(sub, start)

    def __getitem__(self, key: Any, /) -> Any:
        """Copy as bytearray does."""
        part = super().__getitem__(key)
        self.work += len(part)
        return part


@pytest.mark.parametrize("size", [1, 16, 1000])
def test_huge_event_takes_linear_time(size: int) -> None:
    """Each byte of one huge event in small chunks is searched about once and copied once."""
    stream = b"event:a\ndata:" + b"x" * 50_000 + b"\n\n"
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
    decoder = SSEDecoder()
    decoder._pending = buffer = CountingBuffer()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    assert text(events) == [("a", "x" * 50_000, "")]
    assert 2 * len(stream) <= buffer.work <= 2 * len(stream) + len(chunks)


@pytest.mark.parametrize("between", ["", "event:a\ndata:b\n\n"])
def test_blank_lines_cost_as_much_as_one(between: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of blank lines in a row costs as much as one."""
    parsed: list[bytes] = []

    def parse(block: bytes, events: list[ServerEvent], **options: Any) -> None:
        parsed.append(block)
        _sse_parse(block, events, **options)

    _sse_parse = _sse._parse
    monkeypatch.setattr(_sse, "_parse", parse)
    assert len(decode(f"\n\n\n{between}".encode() + b"\n" * 100_000)) == bool(between)
    assert len(parsed) <= 4


LINES = st.one_of(
    st.sampled_from(
        [
            "event:conversation.message.delta",
            'data:{"content":"a"}',
            "id: 1",
            "id:1\x002",
            "event: PING",
            "data",
            "data:  b",
            ": comment",
            "retry: 3",
            '{"code":4100}',
            'data:a\n{"code":4100}',
            "{",
            '  "code": 1',
            "}",
            "",
            "event:a\ndata:b\n",
            "id: 2\nevent: a\ndata: b\n",
        ]
    ),
    st.text(alphabet=st.sampled_from('adetv:{}" \0\ufeff\u2028\x85你🙂'), max_size=12),
)


@st.composite
def chunked_streams(draw: st.DrawFn) -> list[bytes]:
    """Draw a stream with any line ends and stray bytes, cut anywhere."""
    lines = draw(st.lists(LINES, max_size=30))
    ends = draw(st.lists(st.sampled_from(["\n", "\n\n", "\r", "\r\n"]), min_size=1, max_size=5))
    text = "".join(line + ends[i % len(ends)] for i, line in enumerate(lines))
    stream = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()
    stream += draw(st.sampled_from([b"", b"data: c", b"\xe4\xbd", b"event: a", b"\r"]))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(chunked_streams())
def test_any_stream_equals_the_reference_decoder(chunks: list[bytes]) -> None:
    """Any stream, cut in any way, yields the same as a line-by-line decoder."""
    assert decode(*chunks) == reference(b"".join(chunks))


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_equal_the_reference_decoder(chunks: list[bytes]) -> None:
    """Any bytes are decoded without an exception, and yield the same as the line-by-line decoder."""
    assert decode(*chunks) == reference(b"".join(chunks))
