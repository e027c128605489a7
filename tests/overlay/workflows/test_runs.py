"""Runs of workflows as streams, over all their interrupts."""

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
from tests.overlay._clients import Connect

ECHO: dict[str, Any] = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "Hello out there"}}
ASK: dict[str, Any] = {"workflow_id": WORKFLOW_ASK, "parameters": {}}


def test_run(coze):
    """A run gives its events; afterwards output, nodes, usage, page and id are known."""
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


def test_text(coze):
    """The text is that of all messages, as they come."""
    with coze.workflows.runs.stream(**ECHO) as run:
        pieces = list(run.text)
    assert len(pieces) > 2
    assert "".join(pieces) == "Hello out there" + run.output


def test_nodes_that_alternate(coze):
    """Nodes that speak in turns are kept apart."""
    run = coze.workflows.runs.stream(
        workflow_id=WORKFLOW_INTERLEAVED, parameters={"input": "one two three"}
    ).until_done()
    assert [(node.title, node.content) for node in run.nodes[:2]] == [
        ("First", "one two three"),
        ("Second", "eerht owt eno"),
    ]
    assert run.output_json() == {"output": "one two three"}


def test_resume(coze, coze_sandbox):
    """A run that asks is answered and goes on in the same loop."""
    kinds = []
    with coze.workflows.runs.stream(**ASK) as run:
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


def test_several_interrupts(coze):
    """A reply that does not fit makes the run ask again; mappings are sent as JSON."""
    replies = ["", " ", {"city": "Ulm"}]
    with coze.workflows.runs.stream(**ASK) as run:
        for _ in run:
            if run.interrupt:
                run.resume(replies.pop(0))
    assert replies == []
    assert run.output_json() == {"output": 'You answered: {"city":"Ulm"}'}
    assert [node.title for node in run.nodes] == ["Question"] * 3 + ["End"]


def test_without_resume(coze, coze_sandbox):
    """Without a reply iterating ends at the interrupt, without exception; a later reply goes on."""
    with coze.workflows.runs.stream(**ASK) as run:
        run.until_done()
        assert list(run) == []
        assert run.interrupt.event_id
        assert not run.ended
        assert run.output == ""
        assert len(coze_sandbox.requests) == 1
        run.resume("Ulm")
        assert [event.event for event in run] == ["Message", "Done"]
    assert run.output_json() == {"output": "You answered: Ulm"}


def test_in_another_process(coze):
    """What the interrupt tells is enough to go on elsewhere, and to be asked again there."""
    with coze.workflows.runs.stream(**ASK) as first:
        first.until_done()
    asked = first.interrupt
    again = coze.workflows.runs.stream_resume(
        workflow_id=WORKFLOW_ASK, event_id=asked.event_id, interrupt_type=asked.type, resume_data=""
    )
    with again:
        for _ in again:
            if again.interrupt:
                again.resume("Bonn")
    assert again.output_json() == {"output": "You answered: Bonn"}


def test_wrong_replies(coze):
    """A reply where nobody asked, and one that is no text or mapping, are refused."""
    with coze.workflows.runs.stream(**ASK) as run:
        with pytest.raises(errors.InvalidArgumentError, match="the run does not wait for a reply"):
            run.resume("x")
        run.until_done()
        with pytest.raises(errors.InvalidArgumentError, match="resume data must be a str or a mapping, not int"):
            run.resume(7)


def test_no_more_replies(coze):
    """The failure after the third reply that does not fit carries the run."""
    with (
        coze.workflows.runs.stream(**ASK) as run,
        pytest.raises(errors.WorkflowFailed, match="No answer after") as caught,
    ):
        for _ in run:
            if run.interrupt:
                run.resume("")
    assert len(caught.value.run.nodes) == 3


def test_failure(coze):
    """A failed run is a WorkflowFailed with code, text, page, log id and the run with all that it told."""
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
    assert error.run is getattr(run, "raw", run)
    assert [node.content for node in error.run.nodes] == ["About to fail."]
    assert run.ended
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.run) == (str(error), None)


def test_refusals(coze):
    """A refused call is an APIError when the run is entered; a misspelt argument is a TypeError."""
    with pytest.raises(errors.NotFoundError):
        coze.workflows.runs.stream(workflow_id=WORKFLOW_UNPUBLISHED).open()
    with pytest.raises(TypeError, match="flow"):
        coze.workflows.runs.stream(workflow_id="1", flow="2")


def test_break_off(coze, coze_sandbox):
    """A run that breaks off, in any part, raises StreamInterrupted; what it told before is kept."""
    coze_sandbox.faults.add("cut", operation="workflows.runs.stream_resume", events=1)
    run = coze.workflows.runs.stream(**ASK)
    with pytest.raises(errors.StreamInterrupted), run:
        for _ in run:
            if run.interrupt:
                run.resume("Ulm")
    assert [node.title for node in run.nodes] == ["Question", "End"]
    assert run.output == ""


@pytest.mark.parametrize("operation", ["workflows.runs.stream", "workflows.runs.stream_resume"])
def test_gap(connect: Connect, coze_sandbox, operation):
    """A lost event is told in every part of a run, whose numbers begin anew, and reading can go on."""
    coze_sandbox.faults.add("lost", operation=operation, events=0)
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, on_gap="raise")
    with coze.workflows.runs.stream(**ASK) as run:
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


def test_refused_reply_is_sent_again(coze, coze_sandbox):
    """A reply that could not be sent is sent by the next try to read on, and no other request is."""
    with coze.workflows.runs.stream(**ASK) as run:
        run.until_done()
        run.resume("Ulm")
        coze_sandbox.faults.add("code", operation="workflows.runs.stream_resume", code=4000, times=1)
        with pytest.raises(errors.InvalidRequestError):
            run.until_done()
        assert run.until_done().output_json() == {"output": "You answered: Ulm"}


def test_options_go_with_every_request(coze, coze_sandbox):
    """Headers and timeout that are given go with the replies as well."""
    with coze.workflows.runs.stream(**ASK, extra_headers={"X-Trace": "1"}, timeout=44) as run:
        run.until_done()
        run.resume("Ulm")
        run.until_done()
        assert run.response.http.request.extensions["timeout"]["read"] == 44
    assert [record.headers["x-trace"] for record in coze_sandbox.requests] == ["1", "1"]


def server(*events: tuple[str, Any]) -> Any:
    """Answer every request with one stream of events."""
    text = "".join(
        f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n" for number, (name, data) in enumerate(events)
    )

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})

    return answer


def user_message(
    content: str, title: str = "Message", seq: int = 0, *, last: bool = True, **others: Any
) -> tuple[str, Any]:
    message = {"content": content, "node_title": title, "node_seq_id": str(seq), "node_is_finish": last, **others}
    return "Message", message


def follow(connect: Connect, *events: tuple[str, Any]) -> Any:
    return connect(handler=server(*events)).workflows.runs.stream(workflow_id="1")


def test_node_that_runs_again(connect: Connect):
    """Each execution of a node is a node output of its own, also where events carry no ids of nodes."""
    run = follow(
        connect,
        user_message("a", last=False),
        user_message("b", seq=1),
        user_message("c"),
        user_message("d", loop_index=1, last=False),
        user_message("e", loop_index=2),
        user_message("f", loop_index=1, seq=1),
        ("Done", {}),
    ).until_done()
    assert [node.content for node in run.nodes] == ["ab", "c", "df", "e"]
    assert run.nodes[2].first.loop_index == 1


@pytest.mark.parametrize(("content", "reason"), [("plain", "'plain'"), ("", "''")])
def test_output_that_is_no_json(connect: Connect, content, reason):
    """An output that is not JSON is a text, and a clear error where it is to be parsed."""
    run = follow(connect, user_message(content, ""), ("Done", {})).until_done()
    assert run.output == content
    with pytest.raises(ValueError, match=f"the output is not JSON .*{reason}"):
        run.output_json()


def test_run_without_output(connect: Connect):
    """A run that only tells that it is done has an empty output, and no id."""
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
def test_question(connect: Connect, data, question):
    """The question is what the interrupt says, and else what the node said that asked."""
    interrupt = {"interrupt_data": {"event_id": "1/2", "type": 2, "data": data}, "node_title": "Ask"}
    run = follow(connect, user_message("Which day?", "Ask"), ("Interrupt", interrupt)).until_done()
    assert run.question == question


def test_interrupt_of_a_new_kind(connect: Connect):
    """A kind of interrupt that the description does not know is shown, and told where it cannot be sent back."""
    run = follow(
        connect, ("Interrupt", {"interrupt_data": {"event_id": "1", "type": 99}, "node_title": ""})
    ).until_done()
    assert run.interrupt.type == 99
    run.resume("x")
    with pytest.raises(errors.InvalidArgumentError, match="interrupt_type must be one of"):
        run.until_done()


@settings(deadline=None)
@given(st.none() | st.text())
def test_any_question(data):
    """Whatever an interrupt carries, its question is a text."""
    assert isinstance(interrupt_question(models.WorkflowInterruptData(event_id="1", type=2, data=data)), str)


def test_closed_as_it_ends(coze):
    """A run that is closed after its last event, before the end is read, ends as if nobody had closed it."""
    run = coze.workflows.runs.stream(**ECHO)
    for event in run:
        if type(event) is models.WorkflowDoneEvent:
            run.close()
    assert run.ended
    assert list(run) == []
    assert run.output_json() == {"output": "Hello out there"}


def test_closed_while_it_waits(coze, coze_sandbox):
    """A run that waits and was closed is not resumed: reading on tells that it was closed, and sends nothing."""
    with coze.workflows.runs.stream(**ASK) as run:
        list(run)
    run.resume("blue")
    with pytest.raises(errors.StreamInterrupted, match="closed here before its end") as caught:
        list(run)
    assert caught.value.stream.interrupt == run.interrupt
    assert not coze_sandbox.requests.of("workflows.runs.stream_resume")
