"""Runs of workflows."""

from __future__ import annotations

import copy
import json
import re

import httpx
import pytest

from coze_sandbox import (
    BOT_ID,
    WORKFLOW_ASK,
    WORKFLOW_ECHO,
    WORKFLOW_FAIL,
    WORKFLOW_INTERLEAVED,
    WORKFLOW_UNPUBLISHED,
    Sandbox,
)

RUN = "/v1/workflow/run"
STREAM = "/v1/workflow/stream_run"


def run(workflow_id, **members):
    return {"workflow_id": workflow_id, "parameters": {"input": "Hello & bye"}, **members}


def test_result_is_json_text(api):
    """The result is JSON text at the top of the answer, beside its companions."""
    answer = api.send("POST", RUN, json=run(WORKFLOW_ECHO)).json()
    assert json.loads(answer["data"]) == {"output": "Hello & bye"}
    assert answer["execute_id"] in answer["debug_url"]
    usage = answer["usage"]
    assert usage["token_count"] == usage["input_count"] + usage["output_count"]


def test_parameters_without_input(api):
    """Without the parameter `input` all parameters are repeated."""
    answer = api.send("POST", RUN, json=run(WORKFLOW_ECHO, parameters={"a": [1]})).json()
    assert json.loads(json.loads(answer["data"])["output"]) == {"a": [1]}


def test_asynchronous_run(api):
    """An asynchronous run answers with its id only."""
    answer = api.send("POST", RUN, json=run(WORKFLOW_ECHO, is_async=True)).json()
    assert answer["execute_id"]
    assert "data" not in answer


def test_failed_run(api):
    """A failed run answers with its error and a page that shows it."""
    body = run(WORKFLOW_FAIL, parameters={"code": 720701013, "message": "no"})
    answer = api.send("POST", RUN, json=body).json()
    assert (answer["code"], answer["msg"]) == (720701013, "no")
    assert answer["debug_url"].startswith("https://")


def test_bytes_on_the_wire(api):
    """Each event has an `id:`, an `event:` and a `data:` line with a space after the colon."""
    response = api.http.post(STREAM, json=run(WORKFLOW_ECHO))
    assert re.fullmatch(r"(id: \d+\nevent: \w+\ndata: \{[^\n]*\}\n\n)+", response.text)
    first = r'id: 0\nevent: Message\ndata: \{"content":"Hel","content_type":"text",'
    assert re.match(first, response.text)
    assert "\\u0026workflow_id=" in response.text.split("event: Done")[1]
    ids = [int(number) for number in re.findall(r"^id: (\d+)$", response.text, re.MULTILINE)]
    assert ids == list(range(len(ids)))


@pytest.mark.parametrize("workflow_id", [WORKFLOW_ECHO, WORKFLOW_INTERLEAVED])
def test_nodes_count_their_pieces(api, workflow_id):
    """Each node counts its pieces from 0 and marks the last; all together give the text."""
    events = api.events(STREAM, json=run(workflow_id))
    nodes: dict[str, list[dict[str, object]]] = {}
    for name, data in events:
        if name == "Message":
            nodes.setdefault(data["node_title"], []).append(data)
    for pieces in nodes.values():
        assert [one["node_seq_id"] for one in pieces] == [str(n) for n in range(len(pieces))]
        finished = [one["node_is_finish"] for one in pieces]
        assert finished == [False] * (len(pieces) - 1) + [True]
    speaker = "Message" if workflow_id == WORKFLOW_ECHO else "First"
    assert "".join(str(one["content"]) for one in nodes[speaker]) == "Hello & bye"
    assert json.loads(str(nodes["End"][0]["content"])) == {"output": "Hello & bye"}
    assert events[-1][0] == "Done"


def test_nodes_interleave(api):
    """Two nodes speak in turns."""
    events = api.events(STREAM, json=run(WORKFLOW_INTERLEAVED))
    titles = [data["node_title"] for name, data in events if name == "Message"]
    assert titles[:4] == ["First", "Second", "First", "Second"]


def test_sign_of_life(api):
    """A run that pauses sends a PING before."""
    body = run(WORKFLOW_ECHO, parameters={"input": "Hi", "pause": 0.01})
    assert api.events(STREAM, json=body)[0] == ("PING", {})


def test_failed_stream(api):
    """A failed run ends its stream with Error."""
    events = api.events(STREAM, json=run(WORKFLOW_FAIL))
    assert events[-1][0] == "Error"
    assert events[-1][1]["error_code"] == 5000


def test_refused_runs(api):
    """What cannot be run is refused before anything is streamed."""
    for path in (RUN, STREAM):
        assert api.refused("POST", path, json=run("1")) == (404, 4200)
        assert api.refused("POST", path, json=run(WORKFLOW_UNPUBLISHED)) == (404, 4200)
        both = run(WORKFLOW_ECHO, bot_id=BOT_ID, app_id="1")
        assert api.refused("POST", path, json=both) == (400, 4000)
        assert api.refused("POST", path, json=run(WORKFLOW_ECHO, bot_id="1")) == (404, 4200)
        unknown = run(WORKFLOW_ECHO, workflow_version="v9")
        assert api.refused("POST", path, json=unknown) == (404, 4200)
        lost = run(WORKFLOW_ECHO, parameters={"image": '{"file_id":"1"}'})
        assert api.refused("POST", path, json=lost) == (404, 4200)


def test_question(api):
    """A run that asks is interrupted; the id of the event begins with that of the run."""
    events = api.events(STREAM, json=run(WORKFLOW_ASK))
    assert [name for name, _ in events] == ["Message", "Interrupt"]
    assert events[1][1]["interrupt_data"]["type"] == 2
    answer = api.send("POST", RUN, json=run(WORKFLOW_ASK)).json()
    interrupt = answer["interrupt_data"]
    assert interrupt["event_id"].startswith(answer["execute_id"] + "/")
    assert json.loads(interrupt["data"])["content"] == events[0][1]["content"]


@pytest.fixture
def resumable(coze_sandbox):
    """Give a sandbox whose description has the operations on runs that were interrupted."""
    document = copy.deepcopy(dict(coze_sandbox.description.document))
    paths = document["paths"]
    loose = {"schema": {"type": "object"}}
    for path, name, model in (
        ("/v1/workflow/stream_resume", "stream_resume", STREAM),
        ("/v1/workflows/resume", "resume", RUN),
    ):
        operation = copy.deepcopy(paths[model]["post"])
        operation["operationId"] = f"workflows.runs.{name}"
        operation["requestBody"]["content"]["application/json"] = loose
        paths.setdefault(path, {"post": operation})
    history = copy.deepcopy(paths["/v1/users/me"]["get"])
    history["operationId"] = "workflows.runs.run_histories.retrieve"
    history["responses"]["200"]["content"]["application/json"] = loose
    key = "/v1/workflows/{workflow_id}/run_histories/{execute_id}"
    paths.setdefault(key, {"get": history})
    with Sandbox(document=document) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            yield http
        assert not sandbox.violations


def resumption(interrupt, answer):
    return {
        "workflow_id": WORKFLOW_ASK,
        "event_id": interrupt["event_id"],
        "interrupt_type": interrupt["type"],
        "resume_data": answer,
    }


def test_resume(resumable):
    """An interrupted run goes on with the answer, and only once."""
    asked = resumable.post(RUN, json=run(WORKFLOW_ASK)).json()
    body = resumption(asked["interrupt_data"], "Oslo")
    wrong = {**body, "interrupt_type": 5}
    assert resumable.post("/v1/workflows/resume", json=wrong).json()["code"] == 4000
    text = resumable.post("/v1/workflow/stream_resume", json=body).text
    assert text.startswith("id: 0\nevent: Message\n")
    assert "You answered: Oslo" in text
    assert "event: Done" in text
    assert resumable.post("/v1/workflows/resume", json=body).json()["code"] == 4315
    lost = {**body, "event_id": "1/2"}
    assert resumable.post("/v1/workflows/resume", json=lost).json()["code"] == 4314


def test_unsatisfied_resumes(resumable):
    """A run asks again when the answer is blank, and fails after the third."""
    answer = resumable.post(RUN, json=run(WORKFLOW_ASK)).json()
    for _ in range(2):
        body = resumption(answer["interrupt_data"], " ")
        answer = resumable.post("/v1/workflows/resume", json=body).json()
        assert answer["code"] == 0
    body = resumption(answer["interrupt_data"], " ")
    assert resumable.post("/v1/workflows/resume", json=body).json()["code"] == 5000


def test_histories(resumable):
    """What became of a run can be asked for, also of a failed one."""

    def history(execute_id, workflow_id):
        path = f"/v1/workflows/{workflow_id}/run_histories/{execute_id}"
        return resumable.get(path).json()

    done = resumable.post(RUN, json=run(WORKFLOW_ECHO)).json()
    entry = history(done["execute_id"], WORKFLOW_ECHO)["data"][0]
    assert (entry["execute_status"], entry["output"]) == ("Success", done["data"])
    failed = resumable.post(RUN, json=run(WORKFLOW_FAIL)).json()["debug_url"]
    execute_id = re.search(r"execute_id=(\d+)", failed)[1]
    assert history(execute_id, WORKFLOW_FAIL)["data"][0]["execute_status"] == "Fail"
    assert history(execute_id, WORKFLOW_ECHO)["code"] == 4314
    later = resumable.post(RUN, json=run(WORKFLOW_ECHO, is_async=True)).json()["execute_id"]
    assert history(later, WORKFLOW_ECHO)["data"][0]["execute_status"] == "Running"
