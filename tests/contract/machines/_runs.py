"""Runs of workflows: their immediate results, their questions, and their histories."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, precondition, rule

from coze_sandbox import (
    BOT_ID,
    USER_ID,
    WORKFLOW_ASK,
    WORKFLOW_ECHO,
    WORKFLOW_FAIL,
    WORKFLOW_INTERLEAVED,
    WORKFLOW_UNPUBLISHED,
)
from tests.contract.machines._base import SECONDS, TEXTS, Machine, items

__all__ = ["Runs"]

NOT_FOUND, NO_RUN, OVER, WRONG = 4200, 4314, 4315, 4000
FAILURE = 720701013
DAY, WEEK = 86_400, 7 * 86_400
MOST = 6
MODES = {"sync": 0, "stream": 1, "async": 2}
ECHOES = st.sampled_from([WORKFLOW_ECHO, WORKFLOW_INTERLEAVED])


@attrs.define
class Kept:
    """A run as it should be.

    Attributes:
        nodes: What its output nodes put out, by their titles.
        output: What it put out at its end; None where it did not come to one.
        question: The event that it waits for an answer to.
        questions_left: How many questions may still come.
    """

    workflow: str
    mode: str
    created_at: int
    changed_at: int
    nodes: dict[str, str] = attrs.field(factory=dict)
    output: str | None = None
    failure: tuple[int, str] | None = None
    question: str | None = None
    questions_left: int = 3
    bot: str = "0"


class Runs(Machine):
    """Any order of runs begun, answered and looked at, as time goes by."""

    questions = Bundle("questions")

    def begin(self) -> None:
        """Begin without any."""
        self.kept: dict[str, Kept] = {}

    @initialize(target=questions)
    def first(self) -> Any:
        """Have runs end in different ways, and one that is interrupted: much can be done then."""
        self.echo(WORKFLOW_ECHO, "sync", "one", False)
        self.echo(WORKFLOW_INTERLEAVED, "async", "two", True)
        return self.interrupt("sync")

    @precondition(lambda self: len(self.kept) < MOST)
    @rule(workflow=ECHOES, mode=st.sampled_from([*MODES]), text=TEXTS, with_bot=st.booleans())
    def echo(self, workflow: str, mode: str, text: str, with_bot: bool) -> None:
        """A run puts out what it was given, at once or in the background."""
        run = Kept(workflow, mode, self.later(), self.now, output=json_of({"output": text}))
        interleaved = {"First": text, "Second": text[::-1]}
        run.nodes = interleaved if workflow == WORKFLOW_INTERLEAVED else {"Message": text}
        arguments: dict[str, Any] = {"workflow_id": workflow, "parameters": {"input": text}}
        if with_bot:
            run.bot = arguments["bot_id"] = BOT_ID
        if mode == "stream":
            outputs = self.streamed(run, self.coze.workflows.runs.stream, **arguments)
            assert outputs == {**run.nodes, "End": run.output}
            return
        response = self.coze.workflows.runs.create(is_async=mode == "async", **arguments)
        assert response.data == (None if mode == "async" else run.output)
        self.keep(response.execute_id, run)

    @precondition(lambda self: len(self.kept) < MOST)
    @rule(target=questions, mode=st.sampled_from(["sync", "stream"]))
    def interrupt(self, mode: str) -> Any:
        """A run is interrupted by a question, and waits for the answer."""
        run = Kept(WORKFLOW_ASK, mode, self.later(), self.now)
        if mode == "stream":
            self.streamed(run, self.coze.workflows.runs.stream, workflow_id=WORKFLOW_ASK)
        else:
            response = self.coze.workflows.runs.create(workflow_id=WORKFLOW_ASK)
            assert response.data in {None, ""}
            run.question = response.interrupt_data.event_id
            self.keep(response.execute_id, run)
        return run.question

    @precondition(lambda self: len(self.kept) < MOST)
    @rule(text=TEXTS)
    def fail(self, text: str) -> None:
        """A run that fails has the reason."""
        run = Kept(WORKFLOW_FAIL, "sync", self.later(), self.now, {"Message": "About to fail."})
        run.failure = (FAILURE, text)
        arguments = {"workflow_id": WORKFLOW_FAIL, "parameters": {"code": FAILURE, "message": text}}
        failed = self.refused(FAILURE, self.coze.workflows.runs.create, **arguments)
        assert failed.msg == text
        self.keep(execute_id(failed.debug_url), run)
        self.refused(FAILURE, self.read, stream=self.coze.workflows.runs.stream, **arguments)

    @rule(target=questions, event=questions, answer=st.just(" ") | TEXTS, is_stream=st.booleans())
    def answer(self, event: str, answer: str, is_stream: bool) -> Any:
        """An answer ends the run; without one the question is repeated, three times in all. None is answered twice."""
        now, run = self.later(), self.kept[event.partition("/")[0]]
        runs = self.coze.workflows.runs
        arguments = {"workflow_id": WORKFLOW_ASK, "event_id": event, "interrupt_type": 2, "resume_data": answer}
        if run.question is None:
            self.refused(OVER, runs.resume, **arguments)
            return multiple()
        if run.question != event:
            self.refused(WRONG, runs.resume, **arguments)
            return multiple()
        run.questions_left, run.question, run.changed_at = run.questions_left - 1, None, now
        if answer.strip():
            run.output = json_of({"output": f"You answered: {answer}"})
        elif not run.questions_left:
            run.failure = (5000, "No answer after three questions.")
        if run.failure is not None:
            call = {"stream": runs.stream_resume} if is_stream else {}
            self.refused(run.failure[0], self.read if is_stream else runs.resume, **call, **arguments)
        elif is_stream:
            outputs = self.streamed(run, runs.stream_resume, **arguments)
            assert outputs.get("End") == run.output
        else:
            response = runs.resume(**arguments)
            assert (response.data or None) == run.output
            run.question = None if run.output else response.interrupt_data.event_id
        return multiple() if run.question is None else run.question

    @rule(seconds=st.sampled_from([1, SECONDS, DAY, WEEK]))
    def wait(self, seconds: float) -> None:
        """Time goes by: runs end, and what they put out is no longer kept."""
        self.later(seconds)

    @rule()
    def turned_away(self) -> None:
        """What is not known or not published is not run, and has no history."""
        runs = self.coze.workflows.runs
        self.refused(NOT_FOUND, runs.create, workflow_id="1")
        self.refused(NOT_FOUND, runs.create, workflow_id=WORKFLOW_UNPUBLISHED)
        self.refused(NO_RUN, runs.run_histories.retrieve, workflow_id=WORKFLOW_ECHO, execute_id="1")
        for key, run in self.kept.items():
            if run.workflow != WORKFLOW_ECHO:
                self.refused(NO_RUN, runs.run_histories.retrieve, workflow_id=WORKFLOW_ECHO, execute_id=key)

    @rule()
    def nodes(self) -> None:
        """The output of a node can be retrieved once the run is over, for a day."""
        histories = self.coze.workflows.runs.run_histories
        for key, known in self.kept.items():
            place, is_running = {"workflow_id": known.workflow, "execute_id": key}, self.is_running(known)
            is_kept = not is_running and self.now < known.changed_at + DAY
            (run,) = items(histories.retrieve(**place))
            for title, node in (run.node_execute_status or {}).items():
                shown = histories.execute_nodes.retrieve(**place, node_execute_uuid=node.node_execute_uuid)
                assert (shown.is_finish, shown.node_output) == (not is_running, known.nodes[title] if is_kept else "")
            self.refused(NO_RUN, histories.execute_nodes.retrieve, **place, node_execute_uuid="1")

    @invariant()
    def histories(self) -> None:
        """The history of every run has its status and output, as long as they are kept."""
        histories = self.coze.workflows.runs.run_histories
        for key, run in self.kept.items():
            place = {"workflow_id": run.workflow, "execute_id": key}
            (response,) = items(histories.retrieve(**place))
            is_running = self.is_running(run)
            status = "Running" if is_running else "Fail" if run.failure else "Success"
            shown = (
                response.execute_id,
                response.execute_status,
                response.run_mode,
                response.create_time,
                response.update_time,
            )
            assert shown == (key, status, MODES[run.mode], run.created_at, run.changed_at)
            assert (response.bot_id, response.connector_uid) == (run.bot, USER_ID)
            assert (response.interrupt_data and response.interrupt_data.event_id) == run.question
            failure = (response.error_code, response.error_message or "")
            assert failure == (("", "") if run.failure is None else (str(run.failure[0]), run.failure[1]))
            outputs = run.nodes if self.now < run.changed_at + DAY else {}
            if run.output is not None and self.now < run.changed_at + WEEK:
                outputs = {**outputs, "Output": run.output}
            assert response.output == ("" if is_running else json_of(outputs))
            nodes = response.node_execute_status or {}
            assert {title: node.is_finish for title, node in nodes.items()} == dict.fromkeys(run.nodes, not is_running)

    def is_running(self, run: Kept) -> bool:
        """Return whether a run should not be over yet."""
        return run.question is not None or (run.mode == "async" and self.now < run.changed_at + SECONDS)

    def streamed(self, run: Kept, call: Callable[..., Any], **arguments: Any) -> dict[str, str]:
        """Read a stream to its end, note the question of the run, keep it, and return the outputs of its nodes."""
        outputs: dict[str, str] = {}
        key = ""
        with call(**arguments) as stream:
            for event in stream:
                if event.event == "Message":
                    outputs[event.data.node_title] = outputs.get(event.data.node_title, "") + event.data.content
                elif event.event == "Interrupt":
                    run.question = event.data.interrupt_data.event_id
                    key = run.question.partition("/")[0]
                else:
                    key = execute_id(event.data.debug_url)
        if key not in self.kept or self.kept[key] is not run:
            self.keep(key, run)
        return outputs

    def read(self, stream: Callable[..., Any], **arguments: Any) -> None:
        """Read a stream that is expected to fail."""
        with stream(**arguments) as opened:
            list(opened)

    def keep(self, key: str, run: Kept) -> None:
        """Keep what was begun."""
        assert key not in self.kept
        self.kept[key] = run


def json_of(value: Any) -> str:
    """Write JSON as workflows do."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def execute_id(address: str) -> str:
    """Read the id of a run from the address of the page that shows it."""
    return parse_qs(urlsplit(address).query)["execute_id"][0]
