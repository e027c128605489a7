"""Streamed workflow runs, across all their interrupts."""

from __future__ import annotations

import json
import pickle
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coze_api import models
from coze_sandbox import WORKFLOW_ASK, WORKFLOW_ECHO, WORKFLOW_FAIL, WORKFLOW_INTERLEAVED, WORKFLOW_UNPUBLISHED
from cozekit import errors
from cozekit._workflows.output import interrupt_question
from tests.overlay._clients import Connect, unwrap

ECHO: dict[str, Any] = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "Hello out there"}}
RUN: dict[str, Any] = {"workflow_id": WORKFLOW_ASK, "parameters": {}}


def test_run_yields_events_and_has_output_usage_and_id(coze):
    """A run yields its events; afterwards output, nodes, usage, debug URL and id are available."""
    with coze.workflows.runs.stream(**ECHO) as run:
        assert (run.output, run.nodes, run.usage, run.debug_url, run.execute_id) == ("", [], None, "", "")
        events = list(run)
    assert type(events[-1]) is models.WorkflowDoneEvent
    assert run.ended
    assert run.interrupt is None
    assert run.output == '{"output":"Hello out there"}'
    assert run.output_json() == {"output": "Hello out there"}
    assert [(node.title, node.content, node.is_finished) for node in run.nodes] == [
        ("Message", "Hello out there", True),
        ("End", run.output, True),
    ]
    assert run.nodes[1].json() == run.output_json()
    assert run.nodes[0].first.node_id
    assert run.usage.token_count > 0
    assert run.execute_id in run.debug_url
    assert run.execute_id.isdigit()
    assert run.logid == run.response.logid


def test_text_is_that_of_all_messages(coze):
    """The text is that of all messages in order of arrival."""
    with coze.workflows.runs.stream(**ECHO) as run:
        pieces = list(run.text)
    assert len(pieces) > 2
    assert "".join(pieces) == "Hello out there" + run.output


def test_alternating_nodes_are_kept_apart(coze):
    """The outputs of nodes that alternate are kept apart."""
    run = coze.workflows.runs.stream(
        workflow_id=WORKFLOW_INTERLEAVED, parameters={"input": "one two three"}
    ).until_done()
    assert [(node.title, node.content) for node in run.nodes[:2]] == [
        ("First", "one two three"),
        ("Second", "eerht owt eno"),
    ]
    assert run.output_json() == {"output": "one two three"}


def test_resumed_run_continues_in_the_same_loop(coze, coze_sandbox):
    """A run that stops with a question is resumed and continues in the same loop."""
    kinds = []
    with coze.workflows.runs.stream(**RUN) as run:
        for event in run:
            kinds.append(event.event)
            if run.interrupt:
                assert run.interrupt.type is models.WorkflowInterruptType.QUESTION
                assert run.question == "Which city, and which day?"
                assert not run.ended
                run.resume("Ulm, today")
                assert len(coze_sandbox.requests) == 1
    assert kinds == ["Message", "Interrupt", "Message", "Done"]
    assert run.ended
    assert run.interrupt is None
    assert run.question == ""
    assert run.output_json() == {"output": "You answered: Ulm, today"}
    assert [node.title for node in run.nodes] == ["Question", "End"]
    assert [record.operation for record in coze_sandbox.requests] == [
        "workflows.runs.stream",
        "workflows.runs.stream_resume",
    ]


def test_rejected_reply_interrupts_again_and_mappings_are_json(coze):
    """A reply that the workflow rejects interrupts the run again; mappings are sent as JSON."""
    replies = ["", " ", {"city": "Ulm"}]
    with coze.workflows.runs.stream(**RUN) as run:
        for _ in run:
            if run.interrupt:
                run.resume(replies.pop(0))
    assert replies == []
    assert run.output_json() == {"output": 'You answered: {"city":"Ulm"}'}
    assert [node.title for node in run.nodes] == ["Question"] * 3 + ["End"]


def test_iteration_ends_at_the_interrupt_without_resume(coze, coze_sandbox):
    """Without a reply the iteration ends at the interrupt without an exception; a later reply continues the run."""
    with coze.workflows.runs.stream(**RUN) as run:
        run.until_done()
        assert list(run) == []
        assert run.interrupt.event_id
        assert not run.ended
        assert run.output == ""
        assert len(coze_sandbox.requests) == 1
        run.resume("Ulm")
        assert [event.event for event in run] == ["Message", "Done"]
    assert run.output_json() == {"output": "You answered: Ulm"}


def test_interrupt_data_resumes_in_another_process(coze):
    """The data of the interrupt is enough to resume the run in another process, where it can be interrupted again."""
    with coze.workflows.runs.stream(**RUN) as first:
        first.until_done()
    interrupt = first.interrupt
    again = coze.workflows.runs.stream_resume(
        workflow_id=WORKFLOW_ASK, event_id=interrupt.event_id, interrupt_type=interrupt.type, resume_data=""
    )
    with again:
        for _ in again:
            if again.interrupt:
                again.resume("Bonn")
    assert again.output_json() == {"output": "You answered: Bonn"}


def test_invalid_replies_are_rejected(coze):
    """A reply without an interrupt, and one that is neither string nor mapping, are rejected."""
    with coze.workflows.runs.stream(**RUN) as run:
        with pytest.raises(errors.InvalidArgumentError, match="the run does not wait for a reply"):
            run.resume("x")
        run.until_done()
        with pytest.raises(errors.InvalidArgumentError, match="resume data must be a str or a mapping, not int"):
            run.resume(7)


def test_third_rejected_reply_fails_with_the_run(coze):
    """The failure after the third rejected reply has the run."""
    with (
        coze.workflows.runs.stream(**RUN) as run,
        pytest.raises(errors.WorkflowFailed, match="No answer after") as caught,
    ):
        for _ in run:
            if run.interrupt:
                run.resume("")
    assert len(caught.value.run.nodes) == 3


def test_failed_run_is_workflow_failed(coze):
    """A failed run raises WorkflowFailed with code, message, debug URL, log id and the run with all its data."""
    run = coze.workflows.runs.stream(workflow_id=WORKFLOW_FAIL, parameters={"code": 4013, "message": "too many"})
    for _ in range(2):
        with pytest.raises(errors.WorkflowFailed, match="stream: too many") as caught:
            run.until_done()
    error = caught.value
    assert isinstance(error, errors.StreamFailed)
    assert (error.code, error.msg, error.operation, error.logid) == (
        4013,
        "too many",
        "workflows.runs.stream",
        run.logid,
    )
    assert error.retryable
    assert error.run is unwrap(run)
    assert [node.content for node in error.run.nodes] == ["About to fail."]
    assert run.ended
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.run) == (str(error), None)


def test_rejected_run_raises_on_enter(coze):
    """A rejected call raises APIError when the run is entered; a misspelled argument raises TypeError."""
    with pytest.raises(errors.NotFoundError):
        coze.workflows.runs.stream(workflow_id=WORKFLOW_UNPUBLISHED).open()
    with pytest.raises(TypeError, match="flow"):
        coze.workflows.runs.stream(workflow_id="1", flow="2")


def test_interrupted_run_raises_stream_interrupted(coze, coze_sandbox):
    """A run whose connection breaks, in any part, raises StreamInterrupted, and the data before it is kept."""
    coze_sandbox.faults.add("cut", operation="workflows.runs.stream_resume", events=1)
    run = coze.workflows.runs.stream(**RUN)
    with pytest.raises(errors.StreamInterrupted), run:
        for _ in run:
            if run.interrupt:
                run.resume("Ulm")
    assert [node.title for node in run.nodes] == ["Question", "End"]
    assert run.output == ""


@pytest.mark.parametrize("operation", ["workflows.runs.stream", "workflows.runs.stream_resume"])
def test_lost_event_is_reported_in_every_part(connect: Connect, coze_sandbox, operation):
    """A lost event is reported in every part of a run, whose ids restart, and reading can continue."""
    coze_sandbox.faults.add("lost", operation=operation, events=0)
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, on_gap="raise")
    with coze.workflows.runs.stream(**RUN) as run:
        gaps = 0
        while not run.ended:
            try:
                run.until_done()
            except errors.StreamGap as gap:
                gaps += 1
                assert (gap.missing_from, gap.missing_to) == (0, 0)
            else:
                if run.interrupt:
                    run.resume("Ulm")
    assert gaps == 1


def test_failed_reply_is_sent_again_by_the_next_read(coze, coze_sandbox):
    """A reply that could not be sent is sent again by the next read, and no other request is sent."""
    with coze.workflows.runs.stream(**RUN) as run:
        run.until_done()
        run.resume("Ulm")
        coze_sandbox.faults.add("code", operation="workflows.runs.stream_resume", code=4000, times=1)
        with pytest.raises(errors.InvalidRequestError):
            run.until_done()
        assert run.until_done().output_json() == {"output": "You answered: Ulm"}


def test_headers_and_timeout_apply_to_replies(coze, coze_sandbox):
    """Headers and timeout apply to the replies as well."""
    with coze.workflows.runs.stream(**RUN, extra_headers={"X-Trace": "1"}, timeout=44) as run:
        run.until_done()
        run.resume("Ulm")
        run.until_done()
        assert run.response.http.request.extensions["timeout"]["read"] == 44
    assert [record.headers["x-trace"] for record in coze_sandbox.requests] == ["1", "1"]


def server(*events: tuple[str, Any]) -> Any:
    """Respond to every request with one stream of events."""
    text = "".join(
        f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n" for number, (name, data) in enumerate(events)
    )

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})

    return answer


def node_message(
    content: str, title: str = "Message", seq: int = 0, *, last: bool = True, **others: Any
) -> tuple[str, Any]:
    message = {"content": content, "node_title": title, "node_seq_id": str(seq), "node_is_finish": last, **others}
    return "Message", message


def follow(connect: Connect, *events: tuple[str, Any]) -> Any:
    return connect(handler=server(*events)).workflows.runs.stream(workflow_id="1")


def test_each_execution_of_a_node_has_its_own_output(connect: Connect):
    """Each execution of a node has its own node output, also if events have no node ids."""
    run = follow(
        connect,
        node_message("a", last=False),
        node_message("b", seq=1),
        node_message("c"),
        node_message("d", loop_index=1, last=False),
        node_message("e", loop_index=2),
        node_message("f", loop_index=1, seq=1),
        ("Done", {}),
    ).until_done()
    assert [node.content for node in run.nodes] == ["ab", "c", "df", "e"]
    assert run.nodes[2].first.loop_index == 1


@pytest.mark.parametrize(("content", "reason"), [("plain", "'plain'"), ("", "''")])
def test_output_that_is_no_json_is_a_string(connect: Connect, content, reason):
    """An output that is not JSON is a string, and parsing it raises a clear error."""
    run = follow(connect, node_message(content, ""), ("Done", {})).until_done()
    assert run.output == content
    with pytest.raises(ValueError, match=f"the output is not JSON .*{reason}"):
        run.output_json()


def test_run_without_output_is_empty(connect: Connect):
    """A run with only a `Done` event has an empty output and no id."""
    run = follow(connect, ("PING", {}), ("New", {"a": 1}), ("Done", {})).until_done()
    assert (run.output, run.nodes, run.execute_id, run.ended) == ("", [], "", True)


@pytest.mark.parametrize(
    ("data", "question"),
    [
        ("", "Which day?"),
        ('{"content_type":"text","content":"Who?"}', "Who?"),
        ("plain words", "plain words"),
        ('{"content_type":"text"}', "Which day?"),
    ],
)
def test_question_is_in_the_interrupt_or_its_node(connect: Connect, data, question):
    """The question is that of the interrupt, or else the output of the node that interrupted."""
    interrupt = {"interrupt_data": {"event_id": "1/2", "type": 2, "data": data}, "node_title": "Question"}
    run = follow(connect, node_message("Which day?", "Question"), ("Interrupt", interrupt)).until_done()
    assert run.question == question


def test_unknown_interrupt_can_be_read_but_not_resumed(connect: Connect):
    """An interrupt of an unknown kind can be read, and resuming it raises an error."""
    run = follow(
        connect, ("Interrupt", {"interrupt_data": {"event_id": "1", "type": 99}, "node_title": ""})
    ).until_done()
    assert run.interrupt.type == 99
    run.resume("x")
    with pytest.raises(errors.InvalidArgumentError, match="interrupt_type must be one of"):
        run.until_done()


@settings(deadline=None)
@given(st.none() | st.text())
def test_question_is_always_a_string(data):
    """Whatever an interrupt contains, its question is a string."""
    assert isinstance(interrupt_question(models.WorkflowInterruptData(event_id="1", type=2, data=data)), str)


def test_run_closed_after_its_last_event_is_complete(coze):
    """A run that is closed after its last event, before its end is read, counts as complete."""
    run = coze.workflows.runs.stream(**ECHO)
    for event in run:
        if type(event) is models.WorkflowDoneEvent:
            run.close()
    assert run.ended
    assert list(run) == []
    assert run.output_json() == {"output": "Hello out there"}


def test_closed_run_cannot_be_resumed(coze, coze_sandbox):
    """A run that was closed while it waits for a reply cannot be resumed: reading raises an error, and nothing is sent."""
    with coze.workflows.runs.stream(**RUN) as run:
        list(run)
    run.resume("blue")
    with pytest.raises(errors.StreamInterrupted, match="closed here before its end") as caught:
        list(run)
    assert caught.value.stream.interrupt == run.interrupt
    assert not coze_sandbox.requests.of("workflows.runs.stream_resume")
