"""The scripts of the workflows.

- `WORKFLOW_ECHO`: an output node echoes the parameter `input` (else all parameters as JSON) in
  chunks, then the end node returns `{"output": …}`. With the parameter `pause`, a stream first sends a
  `PING` and waits for that many seconds.
- `WORKFLOW_INTERLEAVED`: as echo, but with two output nodes that alternate.
- `WORKFLOW_ASK`: a question node interrupts the run. Resumed with an answer it ends; with a
  blank one the question is repeated, up to three times.
- `WORKFLOW_FAIL`: fails after one message; the parameters `code` and `message` select the error
  (default 5000).
- `WORKFLOW_CHAT`: a chatflow with the script of the bot.
- `WORKFLOW_UNPUBLISHED`: cannot be run, because it was never published (4200).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from .._bots.messages import count_tokens, split_chunks
from .._http.context import StreamEvent
from .._state.state import SandboxState

__all__ = ["HEARTBEAT", "interrupt_run", "finish_run", "message", "run_script", "resume_script"]

HEARTBEAT = {"content": "{}", "node_execute_uuid": ""}
"""Data of the event that keeps a stream open, as recorded."""

_QUESTION = "Which city, and which day?"

_MAX_RESUMES = 3


def run_script(state: SandboxState, run: dict[str, Any], script: str) -> Iterator[StreamEvent]:
    """Run a workflow from its start.

    Args:
        state: The state, which has the ids.
        run: The run, which is updated.
        script: Name of the script.
    """
    parameters = run["parameters"]
    match script:
        case "ask":  # codespell:ignore ask
            yield from interrupt_run(state, run, _QUESTION)
        case "fail":
            yield from _nodes(state, run, {"Message": "About to fail."})
            code, msg = parameters.get("code"), parameters.get("message")
            run.update(
                status="Fail",
                error_code=code if isinstance(code, int) and code > 0 else 5000,
                error_message=msg if isinstance(msg, str) else "the workflow failed as requested",
            )
        case _:
            value = parameters.get("input")
            text = value if isinstance(value, str) else json.dumps(parameters, ensure_ascii=False)
            pause = parameters.get("pause")
            seconds = min(float(pause), 600.0) if isinstance(pause, int | float) else 0.0
            if seconds > 0:
                yield StreamEvent("PING", HEARTBEAT)
            speakers = {"Message": text}
            if script == "interleaved":
                speakers = {"First": text, "Second": text[::-1]}
            yield from _nodes(state, run, speakers, seconds)
            yield from _end(state, run, text)


def resume_script(state: SandboxState, run: dict[str, Any], answer: str) -> Iterator[StreamEvent]:
    """Resume an interrupted run.

    Args:
        state: The state, which has the ids.
        run: The run, which is updated.
        answer: The answer to the question.
    """
    run["resumes"] += 1
    if answer.strip():
        yield from _end(state, run, f"You answered: {answer}")
    elif run["resumes"] < _MAX_RESUMES:
        yield from interrupt_run(state, run, _QUESTION)
    else:
        run.update(status="Fail", error_code=5000, error_message="No answer after three questions.")


def interrupt_run(state: SandboxState, run: dict[str, Any], question: str) -> Iterator[StreamEvent]:
    """Interrupt a run with a question, and yield its event."""
    event_id = f"{run['execute_id']}/{state.new_id()}"
    # A stream has the question in a message; otherwise it is part of the interrupt.
    content = "" if run["mode"] == "stream" else json.dumps({"content_type": "text", "content": question})
    run.update(status="Interrupted", interrupt={"event_id": event_id, "type": 2, "data": content})
    data = message(question, "Question", 0, is_last=True)
    yield StreamEvent("Message", {**data, "node_id": "100002", "node_execute_uuid": state.new_id()})


def _end(state: SandboxState, run: dict[str, Any], text: str) -> Iterator[StreamEvent]:
    yield from finish_run(state, run, json.dumps({"output": text}, ensure_ascii=False, separators=(",", ":")))


def finish_run(state: SandboxState, run: dict[str, Any], output: str) -> Iterator[StreamEvent]:
    """Finish a run with an output, and yield its event."""
    read, written = count_tokens(json.dumps(run["parameters"])), count_tokens(output)
    usage = {"input_count": read, "output_count": written, "token_count": read + written}
    run.update(status="Success", output=output, usage=usage)
    end = message(output, "End", 0, is_last=True)
    identity = {"node_id": "900001", "node_execute_uuid": state.new_id()}
    yield StreamEvent("Message", {**end, **identity, "usage": usage})


def _nodes(
    state: SandboxState, run: dict[str, Any], speakers: Mapping[str, str], pause: float = 0.0
) -> Iterator[StreamEvent]:
    """Yield the messages of output nodes alternately, chunk by chunk."""
    columns = []
    nodes = run.setdefault("nodes", {})
    for number, (title, text) in enumerate(speakers.items()):
        identity = {"node_id": f"10000{number + 5}", "node_execute_uuid": state.new_id()}
        nodes[title] = {**identity, "output": text}
        parts = list(split_chunks(text)) or [""]
        columns.append(
            [
                {**message(part, title, place, is_last=place == len(parts) - 1), **identity}
                for place, part in enumerate(parts)
            ]
        )
    for row in zip_longest(*columns):
        for data in row:
            if data is not None:
                yield StreamEvent("Message", data, pause)
                pause = 0.0


def message(content: str, title: str, place: int, *, is_last: bool) -> dict[str, Any]:
    """Return the data of a `Message` event, without the ids of its node."""
    return {
        "content": content,
        "content_type": "text",
        "node_is_finish": is_last,
        "node_seq_id": str(place),
        "node_title": title,
    }
