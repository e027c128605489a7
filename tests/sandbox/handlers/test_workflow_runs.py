"""Runs of workflows."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from coze_sandbox import (
    APP_ID,
    BOT_ID,
    COLLEAGUE_IDS,
    WORKFLOW_ASK,
    WORKFLOW_CHAT,
    WORKFLOW_ECHO,
    WORKFLOW_FAIL,
    WORKFLOW_INTERLEAVED,
    WORKFLOW_UNPUBLISHED,
    WORKSPACE_ID,
    Sandbox,
)
from coze_sandbox._handlers.workflow_runs import with_heartbeats
from coze_sandbox._http.context import StreamEvent
from tests.sandbox.conftest import Api

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
        assert [piece["node_seq_id"] for piece in pieces] == [str(n) for n in range(len(pieces))]
        finished = [piece["node_is_finish"] for piece in pieces]
        assert finished == [False] * (len(pieces) - 1) + [True]
    speaker = "Message" if workflow_id == WORKFLOW_ECHO else "First"
    assert "".join(str(node["content"]) for node in nodes[speaker]) == "Hello & bye"
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
    assert api.events(STREAM, json=body)[0] == ("PING", {"content": "{}", "node_execute_uuid": ""})


def test_failed_stream(api):
    """A failed run ends its stream with Error, after which a Done names the page of the run."""
    events = api.events(STREAM, json=run(WORKFLOW_FAIL))
    assert [kind for kind, _ in events[-2:]] == ["Error", "Done"]
    assert events[-2][1]["error_code"] == 5000


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
    """A run with a question is interrupted; the id of the event begins with that of the run."""
    events = api.events(STREAM, json=run(WORKFLOW_ASK))
    assert [name for name, _ in events] == ["Message", "Interrupt"]
    assert events[1][1]["interrupt_data"]["type"] == 2
    answer = api.send("POST", RUN, json=run(WORKFLOW_ASK)).json()
    interrupt = answer["interrupt_data"]
    assert interrupt["event_id"].startswith(answer["execute_id"] + "/")
    assert json.loads(interrupt["data"])["content"] == events[0][1]["content"]


def resumption(interrupt, answer):
    return {
        "workflow_id": WORKFLOW_ASK,
        "event_id": interrupt["event_id"],
        "interrupt_type": interrupt["type"],
        "resume_data": answer,
    }


def test_resume(api):
    """An interrupted run continues with the answer, and only once."""
    run_result = api.http.post(RUN, json=run(WORKFLOW_ASK)).json()
    body = resumption(run_result["interrupt_data"], "Oslo")
    wrong = {**body, "interrupt_type": 5}
    assert api.http.post("/v1/workflows/resume", json=wrong).json()["code"] == 4000
    text = api.http.post("/v1/workflow/stream_resume", json=body).text
    assert text.startswith("id: 0\nevent: Message\n")
    assert "You answered: Oslo" in text
    assert "event: Done" in text
    assert api.http.post("/v1/workflows/resume", json=body).json()["code"] == 4315
    lost = {**body, "event_id": "1/2"}
    assert api.http.post("/v1/workflows/resume", json=lost).json()["code"] == 4314


def test_unsatisfied_resumes(api):
    """A run repeats its question when the answer is blank, and fails after the third."""
    answer = api.http.post(RUN, json=run(WORKFLOW_ASK)).json()
    for _ in range(2):
        body = resumption(answer["interrupt_data"], " ")
        answer = api.http.post("/v1/workflows/resume", json=body).json()
        assert answer["code"] == 0
    body = resumption(answer["interrupt_data"], " ")
    assert api.http.post("/v1/workflows/resume", json=body).json()["code"] == 5000


def history(api, execute_id, workflow_id):
    path = f"/v1/workflows/{workflow_id}/run_histories/{execute_id}"
    return api.send("GET", path).json()


def test_histories(api):
    """The result of a run can be retrieved, also of a failed one."""
    done = api.send("POST", RUN, json=run(WORKFLOW_ECHO)).json()
    entry = history(api, done["execute_id"], WORKFLOW_ECHO)["data"][0]
    assert entry["execute_status"] == "Success"
    assert (entry["error_code"], entry["error_message"]) == ("", "")
    assert json.loads(entry["output"]) == {"Message": "Hello & bye", "Output": done["data"]}
    failed = api.send("POST", RUN, json=run(WORKFLOW_FAIL)).json()["debug_url"]
    execute_id = re.search(r"execute_id=(\d+)", failed)[1]
    entry = history(api, execute_id, WORKFLOW_FAIL)["data"][0]
    assert entry["execute_status"] == "Fail"
    assert entry["error_code"]
    assert entry["error_message"]
    assert history(api, execute_id, WORKFLOW_ECHO)["code"] == 4314


@pytest.fixture
def unhurried():
    """Give a caller of a sandbox in which runs take a minute, however slow the machine is."""
    with Sandbox(answer_seconds=60) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            yield Api(sandbox, http)


def test_asynchronous_run_ends_with_the_clock(unhurried):
    """An asynchronous run is running until its time has come, and so are its output nodes."""
    api = unhurried
    started = api.send("POST", RUN, json=run(WORKFLOW_ECHO, is_async=True, ext={"user_id": "u"}))
    execute_id = started.json()["execute_id"]
    entry = history(api, execute_id, WORKFLOW_ECHO)["data"][0]
    assert (entry["execute_status"], entry["output"], entry["connector_uid"]) == ("Running", "", "u")
    assert entry["logid"] == started.headers["x-tt-logid"]
    node = entry["node_execute_status"]["Message"]
    path = f"/v1/workflows/{WORKFLOW_ECHO}/run_histories/{execute_id}/execute_nodes"
    node_path = f"{path}/{node['node_execute_uuid']}"
    assert api.ok("GET", node_path) == {"is_finish": False, "node_output": ""}
    api.sandbox.clock.advance(60)
    assert history(api, execute_id, WORKFLOW_ECHO)["data"][0]["execute_status"] == "Success"
    assert api.ok("GET", node_path) == {"is_finish": True, "node_output": "Hello & bye"}
    assert api.refused("GET", f"{path}/1") == (404, 4314)


def test_asynchronous_resume(api):
    """A run that was started asynchronously and was interrupted continues asynchronously."""
    started = api.send("POST", RUN, json=run(WORKFLOW_ASK, is_async=True)).json()
    entry = history(api, started["execute_id"], WORKFLOW_ASK)["data"][0]
    body = resumption(entry["interrupt_data"], "Oslo")
    answer = api.send("POST", "/v1/workflows/resume", json=body).json()
    assert answer["execute_id"] == started["execute_id"]
    assert "data" not in answer
    api.sandbox.clock.advance(1)
    entry = history(api, started["execute_id"], WORKFLOW_ASK)["data"][0]
    assert "Oslo" in entry["output"]


def test_list_of_workflows(api):
    """Workflows are listed by state of publication and kind, page by page."""

    def listed(**query):
        query = {"workspace_id": WORKSPACE_ID, "page_num": 1, **query}
        return api.ok("GET", "/v1/workflows", params=query)

    every = listed(publish_status="all")
    assert (len(every["items"]), every["has_more"]) == (6, False)
    assert [workflow["workflow_id"] for workflow in listed(publish_status="unpublished_draft")["items"]] == [
        WORKFLOW_UNPUBLISHED
    ]
    assert WORKFLOW_UNPUBLISHED not in {workflow["workflow_id"] for workflow in listed()["items"]}
    assert [workflow["workflow_id"] for workflow in listed(workflow_mode="chatflow")["items"]] == [WORKFLOW_CHAT]
    assert listed(app_id="1")["items"] == []
    pages = [listed(page_size=2, page_num=page) for page in (1, 2, 3)]
    assert [page["has_more"] for page in pages] == [True, True, False]
    assert api.refused("GET", "/v1/workflows", params={"workspace_id": "1", "page_num": 1}) == (404, 4200)


def test_workflow_and_its_versions(api):
    """A workflow lists its inputs on request; its versions are those that can be run."""
    path = f"/v1/workflows/{WORKFLOW_ECHO}"
    assert set(api.ok("GET", path)) == {"workflow_detail"}
    assert "input" in api.ok("GET", path, params={"include_input_output": "true"})["input"]["parameters"]
    published = api.ok("GET", f"{path}/versions")["items"]
    assert [version["version"] for version in published] == ["v0.0.1"]
    body = run(WORKFLOW_ECHO, workflow_version=published[0]["version"])
    assert api.send("POST", RUN, json=body).json()["code"] == 0
    first = api.ok("GET", f"{path}/versions", params={"publish_status": "all", "page_size": 1})
    assert first["has_more"] is True
    query = {"publish_status": "all", "page_size": 1, "page_token": first["next_page_token"]}
    assert api.ok("GET", f"{path}/versions", params=query)["items"] == published
    assert api.refused("GET", f"{path}/versions", params={"page_token": "x"}) == (400, 4000)
    assert api.refused("GET", "/v1/workflows/1") == (404, 4200)
    assert api.refused("GET", "/v1/workflows/1/versions") == (404, 4200)


def test_collaborators_of_a_workflow(api):
    """Collaborators need collaboration mode and membership, and must be gone before it is left."""
    path = f"/v1/workflows/{WORKFLOW_ECHO}"
    body = {"collaborators": [{"user_id": COLLEAGUE_IDS[0]}]}
    single, shared = {"collaboration_mode": "single"}, {"collaboration_mode": "collaboration"}
    assert api.refused("POST", f"{path}/collaborators", json=body) == (400, 4000)
    api.ok("POST", f"{path}/collaboration_mode", json=shared)
    api.join(COLLEAGUE_IDS[0])
    api.ok("POST", f"{path}/collaborators", json=body)
    stranger = {"collaborators": [{"user_id": "1"}]}
    assert api.refused("POST", f"{path}/collaborators", json=stranger) == (404, 4200)
    assert api.refused("POST", f"{path}/collaboration_mode", json=single) == (400, 4000)
    api.ok("DELETE", f"{path}/collaborators/{COLLEAGUE_IDS[0]}")
    assert api.refused("DELETE", f"{path}/collaborators/{COLLEAGUE_IDS[0]}") == (404, 4200)
    api.ok("POST", f"{path}/collaboration_mode", json=single)


def chatflow(*texts, **members):
    messages = [{"role": "user", "content": text, "content_type": "text"} for text in texts]
    body = {"workflow_id": WORKFLOW_CHAT, "parameters": {}, "additional_messages": messages}
    return {**body, "bot_id": BOT_ID, **members}


def test_chatflow(api):
    """A chatflow answers with the events of a chat, a space after the colon and an object at the end."""
    response = api.http.post("/v1/workflows/chat", json=chatflow("Hi & bye"))
    assert response.text.startswith("event: conversation.chat.created\ndata: {")
    assert "\nid:" not in response.text
    assert "Hi \\u0026 bye" in response.text
    events = api.events("/v1/workflows/chat", json=chatflow("Hi & bye"))
    assert events[-2][0] == "conversation.chat.completed"
    assert events[-1] == ("done", {"debug_url": events[-1][1]["debug_url"]})
    assert WORKFLOW_CHAT in events[-1][1]["debug_url"]


def test_chatflow_in_a_conversation(api):
    """A chatflow keeps the messages of its conversation, and remembers them."""
    first = api.events("/v1/workflows/chat", json=chatflow("One"))
    key = first[0][1]["conversation_id"]
    events = api.events("/v1/workflows/chat", json=chatflow("/recall", conversation_id=key))
    answers = [data["content"] for name, data in events if name.endswith("message.completed")]
    assert "One" in answers[0]
    messages = api.ok("POST", "/v1/conversation/message/list", params={"conversation_id": key}, json={})
    assert len([message for message in messages if message["role"] == "user"]) == 2


def test_chatflow_with_a_picture(api):
    """A message to a chatflow may have several parts; those that no chat would take are refused."""
    body = chatflow("")
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image", "file_url": "https://example.com/cat.png"}]
    body["additional_messages"][0].update(content=json.dumps(parts), content_type="object_string")
    events = api.events("/v1/workflows/chat", json=body)
    answers = [data["content"] for name, data in events if name.endswith("message.completed")]
    assert "What is this?" in answers[0]
    body["additional_messages"][0]["content"] = "What is this?"
    assert api.refused("POST", "/v1/workflows/chat", json=body) == (400, 4000)


def test_chatflow_of_an_app(api):
    """A chatflow may run for an app, for which it has no bot."""
    body = chatflow("Hi", app_id=APP_ID)
    del body["bot_id"]
    events = api.events("/v1/workflows/chat", json=body)
    assert (events[0][1]["bot_id"], events[-1][0]) == ("", "done")


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (chatflow("Hi", workflow_id="1"), (404, 4200)),
        (chatflow("Hi", workflow_id=WORKFLOW_ECHO), (400, 4000)),
        (chatflow("Hi", app_id=APP_ID), (400, 4000)),
        (chatflow("Hi", bot_id="1"), (404, 4200)),
        (chatflow("Hi", conversation_id="1"), (404, 4002)),
        (chatflow(), (400, 4000)),
        (chatflow("Hi", additional_messages=[{"role": "assistant", "content": "Hi"}]), (400, 4000)),
        ({"workflow_id": WORKFLOW_CHAT, "parameters": {}, "additional_messages": [{"role": "user"}]}, (400, 4000)),
    ],
)
def test_refused_chatflows(api, body, failure):
    """A chatflow needs to be one, somebody to run for, and a message of the user at the end."""
    assert api.refused("POST", "/v1/workflows/chat", json=body) == failure


def test_heartbeats_precede_an_event_that_is_long_in_coming():
    """While a run is silent its stream has heartbeats: the first after 30 seconds, then one every 35."""
    events = list(with_heartbeats(StreamEvent("Message", {}, 101.0)))
    assert [(event.event, event.pause) for event in events] == [
        ("PING", 30.0),
        ("PING", 35.0),
        ("PING", 35.0),
        ("Message", 1.0),
    ]
    assert events[0].data == {"content": "{}", "node_execute_uuid": ""}
