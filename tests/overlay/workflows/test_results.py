"""Workflow runs without a stream: in one response, and in the background."""

from __future__ import annotations

import json
import pickle
from typing import Any

import httpx
import pytest

from coze_api import models
from coze_api.operations import workflows as operations
from coze_sandbox import WORKFLOW_ASK, WORKFLOW_ECHO, WORKFLOW_FAIL
from cozekit import errors
from tests.overlay._clients import Connect


def test_output_is_a_string_that_can_be_parsed(coze):
    """The output of a run is a string, which is parsed on request."""
    answer = coze.workflows.runs.create(workflow_id=WORKFLOW_ECHO, parameters={"input": "hi"})
    assert isinstance(answer, models.WorkflowsRunsCreateResponse)
    assert answer.data == '{"output":"hi"}'
    assert answer.output_json() == {"output": "hi"}
    assert answer.question == ""
    assert answer.logid


def test_large_integers_are_kept(connect):
    """Integers beyond 64 bits in an output are kept exactly, with either JSON parser."""
    output = {"wei": 2**70, "debt": -(2**63) - 1}
    coze = connect(handler=lambda _: httpx.Response(200, json={"code": 0, "data": json.dumps(output)}))
    assert coze.workflows.runs.create(workflow_id="1").output_json() == output


def test_interrupted_run_has_a_question_and_resumes(coze):
    """A run that stops with a question has the question, and continues by resume."""
    answer = coze.workflows.runs.create(workflow_id=WORKFLOW_ASK)
    assert answer.question == "Which city, and which day?"
    with pytest.raises(ValueError, match="the output is not JSON"):
        answer.output_json()
    interrupt = answer.interrupt_data
    resumed = coze.workflows.runs.resume(
        workflow_id=WORKFLOW_ASK, event_id=interrupt.event_id, interrupt_type=interrupt.type, resume_data="Ulm"
    )
    assert resumed.output_json() == {"output": "You answered: Ulm"}
    assert resumed.question == ""


def test_background_run_is_polled_to_its_result(coze, coze_sandbox):
    """A background run is polled; its output, node outputs, usage, debug URL and log id are available."""
    result = coze.workflows.runs.create_and_poll(
        workflow_id=WORKFLOW_ECHO, parameters={"input": "hi there"}, poll_interval=0
    )
    assert result.status == "Success"
    assert result.output == '{"output":"hi there"}'
    assert result.output_json() == {"output": "hi there"}
    assert result.outputs == {"Message": "hi there"}
    assert result.interrupt is None
    assert result.question == ""
    assert result.usage.token_count > 0
    assert result.execute_id in result.debug_url
    assert result.logid == coze_sandbox.requests.of("workflows.runs.create")[0].logid
    assert coze_sandbox.requests.of("workflows.runs.create")[0].body["is_async"] is True
    (node,) = result.nodes.values()
    for name in ("Message", node.node_id, node.node_execute_uuid):
        assert result.node_output(name) == "hi there"
    with pytest.raises(errors.InvalidArgumentError, match="has no output node 'Nobody'; it has Message"):
        result.node_output("Nobody")


def test_question_of_a_background_run_ends_the_polling(coze):
    """A background run that stops with a question ends the polling; after resume it is polled again."""
    result = coze.workflows.runs.create_and_poll(workflow_id=WORKFLOW_ASK, poll_interval=0)
    interrupt = result.interrupt
    assert result.question == "Which city, and which day?"
    assert interrupt.type is models.WorkflowInterruptType.QUESTION
    answer = coze.workflows.runs.resume(
        workflow_id=WORKFLOW_ASK, event_id=interrupt.event_id, interrupt_type=interrupt.type, resume_data="Ulm"
    )
    ended = coze.workflows.runs.poll(workflow_id=WORKFLOW_ASK, execute_id=answer.execute_id, poll_interval=0)
    assert ended.output_json() == {"output": "You answered: Ulm"}
    assert ended.interrupt is None


def test_failed_background_run_is_workflow_failed(coze):
    """A failed background run raises WorkflowFailed with code, debug URL, log id and the result."""
    with pytest.raises(errors.WorkflowFailed, match="too many") as caught:
        coze.workflows.runs.create_and_poll(
            workflow_id=WORKFLOW_FAIL, parameters={"code": 4013, "message": "too many"}, poll_interval=0
        )
    error = caught.value
    assert (error.code, error.operation, error.retryable) == (4013, "workflows.runs.create", True)
    assert error.run.execute_id in error.debug_url
    assert error.logid == error.run.logid != ""
    assert error.run.outputs == {"Message": "About to fail."}
    assert pickle.loads(pickle.dumps(error)).run is None


def test_polling_a_foreground_run_is_rejected(coze, coze_sandbox):
    """Polling a run that is not in the background is rejected before anything is sent."""
    with pytest.raises(errors.InvalidArgumentError, match="is_async must be omitted or True"):
        coze.workflows.runs.create_and_poll(workflow_id=WORKFLOW_ECHO, is_async=False)
    assert not coze_sandbox.requests


class Server:
    """Starts a run and returns the given states in order, then the last state repeatedly."""

    def __init__(self, *histories: Any) -> None:
        self.histories = list(histories)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == operations.RUNS_CREATE.path:
            return httpx.Response(200, json={"code": 0, "execute_id": "5", "debug_url": "u"})
        data = self.histories.pop(0) if len(self.histories) > 1 else self.histories[0]
        return httpx.Response(200, json={"code": 0, "data": data})


def history(status: str | None, **others: Any) -> list[Any]:
    return [{"execute_id": "5", "execute_status": status, "output": "", "logid": "L", **others}]


def wait(connect: Connect, *histories: Any, **options: Any) -> Any:
    return connect(handler=Server(*histories)).workflows.runs.create_and_poll(workflow_id="1", **options)


def test_polling_continues_while_running_and_ends_on_unknown_states(connect: Connect, pauses):
    """Polling continues while a run has no state or is running; an unknown state ends it."""
    assert wait(connect, [], history("Running"), history("Success")).status == "Success"
    assert pauses == [1.0, 1.5]
    assert wait(connect, history("Paused")).status == "Paused"
    assert wait(connect, history(None)).status is None


@pytest.mark.parametrize("states", [[], history("Running")], ids=["nothing", "running"])
def test_slow_run_is_a_poll_timeout(connect: Connect, pauses, states):
    """A run that does not end in time raises PollTimeout with the last response."""
    with pytest.raises(errors.PollTimeout, match="the run 5 did not end within 30 s") as caught:
        wait(connect, states, poll_timeout=30)
    assert (caught.value.last and caught.value.last.execute_id) == ("5" if states else None)
    assert caught.value.chat is None
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.last) == (str(caught.value), caught.value.last)


@pytest.mark.parametrize(
    ("output", "text", "outputs"),
    [
        (json.dumps({"Output": '{"a":1}', "Message": "m"}), '{"a":1}', {"Message": "m"}),
        (json.dumps({"Output": {"a": 1}}), '{"a":1}', {}),
        (json.dumps({"Message": "m"}), "", {"Message": "m"}),
        ("plain text", "plain text", {}),
        ("[1]", "[1]", {}),
        (None, "", {}),
    ],
)
def test_output_is_that_of_the_end_node(connect: Connect, pauses, output, text, outputs):
    """The output is that of the end node; a run whose output is not an object has its text as output."""
    result = wait(connect, history("Success", output=output))
    assert (result.output, result.outputs) == (text, outputs)


@pytest.mark.parametrize("nodes", [None, "{}", {}, "", "no JSON", '{"A": 1}'])
def test_run_without_output_nodes_has_none(connect: Connect, pauses, nodes):
    """A run without output nodes has none, in whatever form Coze sends that."""
    result = wait(connect, history("Success", node_execute_status=nodes))
    assert result.nodes == {}


def test_node_outputs_may_be_json_text(connect: Connect, pauses):
    """Node outputs that arrive as JSON text are parsed."""
    nodes = json.dumps({"Message": {"node_id": "9", "node_execute_uuid": "77", "is_finish": True}})
    (node,) = wait(connect, history("Success", node_execute_status=nodes)).nodes.items()
    assert (node[0], node[1].node_execute_uuid, node[1].is_finish) == ("Message", "77", True)


def test_headers_and_timeout_apply_to_every_request(connect: Connect, pauses):
    """Headers and timeout apply to every request."""
    server = Server(history("Running"), history("Success"))
    connect(handler=server).workflows.runs.create_and_poll(workflow_id="1", extra_headers={"X-Trace": "1"}, timeout=9)
    assert [request.headers["X-Trace"] for request in server.requests] == ["1"] * 3
    assert {request.extensions["timeout"]["read"] for request in server.requests} == {9}
