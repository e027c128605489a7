"""Lost and repeated events, detected by their sequence numbers."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from coze_api import Stream
from coze_api._core._operation import Counter
from coze_api._core._sequence import SequenceChecker
from coze_api.errors import InvalidArgumentError, StreamFailed, StreamGap, StreamGapWarning
from coze_api.models import WorkflowDoneEvent, WorkflowStreamEvent
from tests.runtime._responses import async_client, client, event, nothing_sent, streaming

COUNTER = Counter("seq", ("node", "turn"), "last")
Seen = tuple[str, int, int] | None


def message(number: int, seq: str | int, node: str = "a", *, last: bool = False, content: str = "x") -> bytes:
    """Encode an event of a workflow."""
    data = {"content": content, "node_title": node, "node_seq_id": seq, "node_is_finish": last}
    return f"id: {number}\nevent: Message\ndata: {json.dumps(data)}\n\n".encode()


def done(number: int) -> bytes:
    return f"id: {number}\nevent: Done\ndata: {{}}\n\n".encode()


def run(*chunks: bytes, on_gap: Any = "raise") -> Stream[WorkflowStreamEvent]:
    return client(streaming(*chunks), on_gap=on_gap).workflows.runs.stream(workflow_id="1")


LOST = (message(0, 0), message(1, 1), message(4, 4), done(5))
REPEATED = (message(0, 0), message(1, 1), message(1, 1), message(2, 2), done(3))


class TestSequenceChecker:
    """What counts as a gap."""

    @staticmethod
    def check(*events: tuple[Any, ...]) -> list[Seen]:
        """Check events with an id and, optionally, a number, a node and whether it is the last."""
        checker = SequenceChecker()
        return [
            checker.check(
                b"" if number is None else str(number).encode(),
                COUNTER if rest else None,
                dict(zip(("seq", "node", "last"), rest, strict=False)),
            )
            for number, *rest in events
        ]

    def test_consecutive_numbers_are_no_gap(self) -> None:
        """Ids that count from 0, and numbers that count from 0 within each node, are no gap."""
        assert self.check((0, "0", "a"), (1, "0", "b"), (2, "1", "a"), (3, 1, "b"), (4,)) == [None] * 5

    def test_events_without_numbers_are_skipped(self) -> None:
        """Heartbeats without an id are skipped, and so are ids that are not numbers."""
        assert self.check((None,), (0, "0", "a"), (None,), (1, "1", "a"), ("x", "?", "a"), (2, None, "a")) == [None] * 6
        assert SequenceChecker().check(b"0", COUNTER, "text") is None
        assert SequenceChecker().check("²".encode(), None, None) is None

    def test_jump_is_reported_once(self) -> None:
        """A jump is reported once, also one before the first event, and counting continues from there."""
        assert self.check((0,), (2,), (3,)) == [None, ("id", 1, 2), None]
        assert self.check((3,), (4,)) == [("id", 0, 3), None]

    def test_gap_in_ids_is_not_reported_again_for_the_node(self) -> None:
        """A gap in the ids is not reported again by the numbers within a node, nor by those of a new node."""
        assert self.check((0, "0", "a"), (2, "2", "a"), (3, "3", "a"), (4, "1", "b")) == [
            None,
            ("id", 1, 2),
            None,
            None,
        ]

    def test_gap_within_a_node_is_reported_without_a_gap_in_ids(self) -> None:
        """A number that is missing within a node is reported even if the ids have no gap."""
        gaps = self.check((0, "0", "a"), (1, "2", "a"), (2, "3", "a"), (3, "1", "b"))
        assert gaps == [None, ("seq", 1, 2), None, ("seq", 0, 1)]

    def test_repetition_is_reported_once(self) -> None:
        """A repeated event is reported once, and its number within the node is not reported as well."""
        assert self.check((0, "0", "a"), (1, "1", "a"), (1, "1", "a"), (2, "2", "a")) == [
            None,
            None,
            ("id", 2, 1),
            None,
        ]
        assert self.check((0, "0", "a"), (0, "0", "a"), (1, "1", "a")) == [None, ("id", 1, 0), None]
        assert self.check((0, "0", "a"), (1, "0", "a"), (2, "1", "a")) == [None, ("seq", 1, 0), None]

    def test_counts_restart(self) -> None:
        """After the last event of a node its count restarts; ids that restart are reported once."""
        assert self.check((0, "0", "a", True), (1, "0", "a", False), (2, "1", "a", True), (3, "0", "a")) == [None] * 4
        assert self.check((0,), (1,), (2,), (0,), (1,), (2,)) == [None, None, None, ("id", 3, 0), None, None]

    def test_described_fields_separate_counts(self) -> None:
        """The fields that the description names separate one count from another."""
        checker = SequenceChecker()
        for turn in (0, 1):
            assert checker.check(b"", COUNTER, {"seq": "0", "node": "a", "turn": turn}) is None
        assert checker.check(b"", COUNTER, {"seq": "0", "node": "a", "turn": 1}) == ("seq", 1, 0)


class TestRaise:
    """The policy `on_gap="raise"`."""

    def test_gap_error_continues_with_the_event_after_the_gap(self) -> None:
        """The error names what is missing, and reading again continues with the event that revealed the gap."""
        stream = run(*LOST)
        events = []
        with pytest.raises(StreamGap) as caught:
            for each in stream:
                events.append(each)
        gap = caught.value
        assert (gap.counter, gap.missing_from, gap.missing_to, gap.repeated) == ("id", 2, 3, False)
        assert str(gap) == "workflows.runs.stream: the events with id 2 to 3 are missing (logid log-1)"
        assert gap.stream is stream
        events += stream
        assert [each.id for each in events] == ["0", "1", "4", "5"]
        assert events[2] == gap.event
        assert stream.gaps == [gap]
        assert stream.ended

    def test_repetition_raises(self) -> None:
        """A repeated event raises an error, and reading can continue."""
        stream = run(b"".join(REPEATED))
        with pytest.raises(StreamGap, match="the event with id 1 came again") as caught:
            stream.until_done()
        assert (caught.value.missing_from, caught.value.missing_to, caught.value.repeated) == (None, None, True)
        assert [each.id for each in stream] == ["1", "2", "3"]

    @pytest.mark.anyio
    async def test_async_stream_continues_after_a_gap(self) -> None:
        """An async stream can be read further after a gap, also if all events arrived at once."""
        for chunks in (LOST, (b"".join(LOST),), (*LOST[:-1], LOST[-1].rstrip())):
            stream = async_client(streaming(*chunks), on_gap="raise").workflows.runs.stream(workflow_id="1")
            with pytest.raises(StreamGap, match="id 2 to 3 are missing"):
                await stream.until_done()
            assert [each.id async for each in stream] == ["4", "5"]
            assert stream.ended

    def test_gap_before_the_end_hides_neither_end_nor_failure(self) -> None:
        """A gap before the end does not hide the end, and one before a failure does not hide the failure."""
        stream = run(message(0, 0), done(2))
        with pytest.raises(StreamGap, match="the event with id 1 is missing"):
            stream.until_done()
        assert [type(each) for each in stream] == [WorkflowDoneEvent]
        stream = run(message(0, 0), b"id: 2\n" + event("Error", {"error_code": 5000, "error_message": "no"}))
        with pytest.raises(StreamGap):
            stream.until_done()
        with pytest.raises(StreamFailed, match="no"):
            stream.until_done()

    def test_gap_error_can_be_pickled_without_its_stream(self) -> None:
        """A gap error can be pickled, without its stream."""
        with pytest.raises(StreamGap) as caught:
            run(*LOST).until_done()
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (copy.missing_from, copy.stream, str(copy)) == (2, None, str(caught.value))


class TestOtherPolicies:
    """Warning, ignoring, and the policy of one stream."""

    def test_default_is_a_warning_at_the_reading_line(self) -> None:
        """By default a gap is a warning at the line that reads, and no event is skipped."""
        with pytest.warns(StreamGapWarning, match="the events with id 2 to 3 are missing") as warned:
            stream = client(streaming(*LOST)).workflows.runs.stream(workflow_id="1").until_done()
        assert len(warned) == 1
        assert [gap.missing_from for gap in stream.gaps] == [2]

    def test_ignored_gaps_are_listed(self) -> None:
        """Ignored gaps are listed without a warning."""
        stream = run(*LOST, on_gap="ignore").until_done()
        assert [(gap.expected, gap.found) for gap in stream.gaps] == [(2, 4)]

    def test_policy_of_a_stream_can_change(self) -> None:
        """A stream can have its own policy, even from the middle on."""
        stream = run(*REPEATED, on_gap="ignore")
        stream.on_gap = "raise"
        with pytest.raises(StreamGap):
            stream.until_done()
        stream.on_gap = "ignore"
        assert stream.until_done().ended

    def test_unknown_policy_is_rejected(self) -> None:
        """An unknown policy is rejected, and nothing is sent."""
        with pytest.raises(InvalidArgumentError, match="on_gap must be 'raise', 'warn' or 'ignore', not 'log'"):
            client(nothing_sent, on_gap="log")
        with pytest.raises(InvalidArgumentError, match="on_gap"):
            run(*LOST).on_gap = "never"  # type: ignore[assignment]  # what a program without types could do

    def test_chat_ids_are_no_sequence_numbers(self) -> None:
        """Chats have no sequence numbers, so repeated ids are no gap."""
        chunks = (b"id: 5\n" + event("conversation.message.delta", {"id": "m"}), b"event: done\n\n")
        stream = client(streaming(*chunks), on_gap="raise").chat.stream(bot_id="1", user_id="2")
        assert stream.until_done().gaps == []

    def test_node_counters_are_described(self) -> None:
        """The fields that separate counts in a workflow's nodes are described: also for loops, batches and
        sub-workflows.
        """
        chunks = (message(0, "0", "a"), message(1, "0", "b"), message(2, "2", "a"), done(3))
        stream = run(*chunks, on_gap="ignore").until_done()
        assert [(gap.counter, gap.missing_from) for gap in stream.gaps] == [("node_seq_id", 1)]
