"""What one account can see and change of what belongs to another."""

from __future__ import annotations

import httpx
import pytest

from coze_sandbox import APP_ID, BOT_ID, COLLEAGUE_IDS, FOLDER_ID, WORKFLOW_ASK, WORKFLOW_ECHO, WORKSPACE_ID, Sandbox
from coze_sandbox._http.context import Stream, StreamEvent
from tests.sandbox.websockets._connection import SPEECH, talk

COLLEAGUE = COLLEAGUE_IDS[0]
DOCUMENTS = "/open_api/knowledge/document"
PAGE = {"name": "page", "source_info": {"document_source": 1, "web_url": "https://example.com/"}}


@pytest.fixture
def other(api):
    """Give a caller with the token of another account."""
    headers = {"Authorization": f"Bearer {api.sandbox.scenario.token(COLLEAGUE)}", "Agw-Js-Conv": "str"}

    def call(method, path, **arguments):
        answer = api.send(method, path, headers=headers, **arguments)
        return answer.status_code, answer.json()["code"], answer.json().get("data")

    return call


def join(api, role="member"):
    """Make the colleague a member of a team's workspace, and return its id."""
    team = api.ok("POST", "/v1/workspaces", json={"name": "team", "description": ""})["id"]
    api.join(COLLEAGUE, team, role)
    return team


@pytest.mark.parametrize(
    ("method", "path", "arguments"),
    [
        ("GET", f"/v1/bots/{BOT_ID}", {}),
        ("POST", "/v1/bot/update", {"json": {"bot_id": BOT_ID, "name": "mine"}}),
        ("GET", "/v1/bots", {"params": {"workspace_id": WORKSPACE_ID}}),
        ("POST", "/v1/bot/create", {"json": {"space_id": WORKSPACE_ID, "name": "mine"}}),
        ("GET", f"/v1/workflows/{WORKFLOW_ECHO}", {}),
        ("POST", "/v1/workflow/run", {"json": {"workflow_id": WORKFLOW_ECHO}}),
        ("GET", "/v1/folders", {"params": {"workspace_id": WORKSPACE_ID, "folder_type": "development"}}),
        ("GET", f"/v1/folders/{FOLDER_ID}", {}),
        ("GET", "/v1/apps", {"params": {"workspace_id": WORKSPACE_ID}}),
        ("GET", "/v1/datasets", {"params": {"space_id": WORKSPACE_ID}}),
        ("GET", f"/v1/workspaces/{WORKSPACE_ID}/members", {}),
        ("PUT", f"/v1/workspaces/{WORKSPACE_ID}", {"json": {"name": "mine"}}),
        ("GET", "/v1/variables", {"params": {"app_id": APP_ID, "connector_uid": "u"}}),
    ],
)
def test_workspaces_of_others(other, method, path, arguments):
    """What lies in a workspace is not there for accounts that are not members of it."""
    assert other(method, path, **arguments)[:2] == (404, 4200)


def test_members_see_the_workspace(api, other):
    """What lies in a workspace is there for its members, and no longer once they have left."""
    team = join(api)
    bot = api.ok("POST", "/v1/bot/create", json={"space_id": team, "name": "ours"})["bot_id"]
    query = {"params": {"workspace_id": team, "publish_status": "all"}}
    assert [item["id"] for item in other("GET", "/v1/bots", **query)[2]["items"]] == [bot]
    assert [workspace["id"] for workspace in other("GET", "/v1/workspaces")[2]["workspaces"]] == [team]
    assert other("POST", "/v1/bot/update", json={"bot_id": bot, "name": "better"})[1] == 0
    api.ok("DELETE", f"/v1/workspaces/{team}/members", json={"user_ids": [COLLEAGUE]})
    assert other("GET", "/v1/bots", **query)[:2] == (404, 4200)
    assert other("POST", "/v1/bot/update", json={"bot_id": bot, "name": "worse"})[:2] == (404, 4200)


def test_collaborators_are_members(api, other):
    """Only members of the workspace can be collaborators, and who leaves it does not see the bot any longer."""
    mode, path = {"collaboration_mode": "collaboration"}, f"/v1/bots/{BOT_ID}/collaborators"
    api.ok("POST", f"/v1/bots/{BOT_ID}/collaboration_mode", json=mode)
    body = {"collaborators": [{"user_id": COLLEAGUE}]}
    assert api.refused("POST", path, json=body) == (400, 4000)
    assert api.refused("POST", f"/v1/apps/{APP_ID}/collaborators", json=body) == (400, 4000)
    api.join(COLLEAGUE)
    api.ok("POST", path, json=body)
    assert other("POST", "/v1/bot/update", json={"bot_id": BOT_ID, "name": "ours"})[1] == 0
    api.ok("DELETE", f"/v1/workspaces/{WORKSPACE_ID}/members", json={"user_ids": [COLLEAGUE]})
    assert other("POST", "/v1/bot/update", json={"bot_id": BOT_ID, "name": "mine"})[:2] == (404, 4200)


def test_conversations_of_others(api, other):
    """A conversation is its creator's alone, with its messages and chats."""
    query, _ = api.finished("Hello")
    key = query["conversation_id"]
    assert other("GET", "/v1/conversation/retrieve", params={"conversation_id": key})[:2] == (404, 4002)
    assert other("POST", "/v1/conversation/message/list", params={"conversation_id": key}, json={})[:2] == (404, 4002)
    assert other("GET", "/v3/chat/retrieve", params=query)[:2] == (404, 4002)
    assert other("DELETE", f"/v1/conversations/{key}")[:2] == (404, 4002)
    assert api.ok("GET", "/v1/conversation/retrieve", params={"conversation_id": key})["id"] == key


def test_conversations_are_listed_by_account(api, other):
    """Members of a workspace see their own conversations with its bots."""
    team = join(api)
    bot = api.ok("POST", "/v1/bot/create", json={"space_id": team, "name": "ours"})["bot_id"]
    mine = api.ok("POST", "/v1/conversation/create", json={"bot_id": bot})["id"]
    theirs = other("POST", "/v1/conversation/create", json={"bot_id": bot})[2]["id"]
    assert [
        conversation["id"]
        for conversation in api.ok("GET", "/v1/conversations", params={"bot_id": bot})["conversations"]
    ] == [mine]
    listed = other("GET", "/v1/conversations", params={"bot_id": bot})[2]["conversations"]
    assert [conversation["id"] for conversation in listed] == [theirs]


def test_files_and_voices_of_others(api, other):
    """Files, cloned voices and groups of voiceprints are for the account that made them; the voices of Coze for all."""
    file = {"file": ("a.wav", b"RIFF", "audio/wav")}
    key = api.ok("POST", "/v1/files/upload", files=file)["id"]
    voice = api.ok("POST", "/v1/audio/voices/clone", data={"voice_name": "v", "audio_format": "wav"}, files=file)
    group = api.ok("POST", "/v1/audio/voiceprint_groups", json={"name": "g"})["id"]
    assert other("GET", "/v1/files/retrieve", params={"file_id": key})[:2] == (404, 4200)
    voices = [voice["voice_id"] for voice in other("GET", "/v1/audio/voices")[2]["voice_list"]]
    assert voice["voice_id"] not in voices
    assert voices
    assert other("GET", "/v1/audio/voiceprint_groups")[2] == {"items": [], "total": 0}
    assert other("DELETE", f"/v1/audio/voiceprint_groups/{group}")[:2] == (404, 4200)


def test_bills_of_others(api, other):
    """Tasks that export bills are listed for the account that started them alone, also where they are named."""
    bills = "/v1/commerce/benefit/bill_tasks"
    key = api.ok("POST", bills, json={})["task_id"]
    theirs = other("POST", bills, json={})[2]["task_id"]
    for query in ({}, {"task_ids": f"{key},{theirs}"}):
        assert [task["task_id"] for task in other("GET", bills, params=query)[2]["task_infos"]] == [theirs]
        assert [task["task_id"] for task in api.ok("GET", bills, params=query)["task_infos"]] == [key]


def test_only_owners_change_knowledge(api, other):
    """Members see a knowledge base; its owner alone changes it, and administrators delete it too."""
    team = join(api)
    body = {"name": "Manuals", "space_id": team, "format_type": 0}
    key = api.ok("POST", "/v1/datasets", json=body)["dataset_id"]
    addition = {"dataset_id": key, "document_bases": [PAGE], "chunk_strategy": {}}
    created = api.send("POST", f"{DOCUMENTS}/create", json=addition, headers={"Agw-Js-Conv": "str"}).json()
    document = created["document_infos"][0]["document_id"]
    listed = other("GET", "/v1/datasets", params={"space_id": team})[2]["dataset_list"]
    assert [(dataset["dataset_id"], dataset["can_edit"]) for dataset in listed] == [(key, False)]
    assert other("PUT", f"/v1/datasets/{key}", json={"name": "mine"})[:2] == (403, 4101)
    assert other("POST", f"{DOCUMENTS}/create", json=addition)[:2] == (403, 4101)
    assert other("POST", f"{DOCUMENTS}/delete", json={"document_ids": [document]})[:2] == (403, 4101)
    assert other("DELETE", f"/v1/datasets/{key}")[:2] == (403, 4101)
    api.ok("DELETE", f"/v1/workspaces/{team}/members", json={"user_ids": [COLLEAGUE]})
    api.ok("POST", f"/v1/workspaces/{team}/members", json={"users": [{"user_id": COLLEAGUE, "role_type": "admin"}]})
    assert other("DELETE", f"/v1/datasets/{key}")[1] == 0


def test_only_owners_unpublish(api, other):
    """A member can publish a bot of another one, and not withdraw it."""
    team = join(api)
    bot = api.ok("POST", "/v1/bot/create", json={"space_id": team, "name": "ours"})["bot_id"]
    assert other("POST", "/v1/bot/publish", json={"bot_id": bot, "connector_ids": ["1024"]})[1] == 0
    withdrawal = {"json": {"connector_id": "1024"}}
    assert other("POST", f"/v1/bots/{bot}/unpublish", **withdrawal)[:2] == (403, 4101)
    api.ok("POST", f"/v1/bots/{bot}/unpublish", **withdrawal)


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/v3/chat/message/list?conversation_id=1&chat_id=1", ("listMessage",)),
        ("POST", f"/v1/bots/{BOT_ID}/unpublish", ("Connector.disconnectBot",)),
    ],
)
def test_operations_that_need_two_permissions(method, path, needed):
    """Two operations need another permission besides their own."""
    with Sandbox() as sandbox:
        operation = next(
            operation
            for operation in sandbox.description.operations.values()
            if operation.id in {"chat.messages.list", "bots.unpublish"} and operation.method == method
        )
        sandbox.options.tokens.update(
            one=frozenset({operation.permission}), both=frozenset({operation.permission, *needed})
        )
        json = {"connector_id": "1024"} if method == "POST" else None
        answers = {
            token: httpx.request(
                method, sandbox.base_url + path, json=json, headers={"Authorization": f"Bearer {token}"}
            ).json()
            for token in ("one", "both")
        }
    assert answers["one"]["code"] == 4101
    assert needed[0] in answers["one"]["msg"]
    assert answers["both"]["code"] != 4101


def test_tool_outputs_of_a_chat_that_is_not_kept(api):
    """Outputs for a chat without saved history are refused with 5000."""
    events = api.stream("/tool get_weather", auto_save_history=False)
    chat = events[0][1]
    query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
    body = {"tool_outputs": [{"tool_call_id": "x", "output": "y"}]}
    assert api.refused("POST", "/v3/chat/submit_tool_outputs", params=query, json=body) == (500, 5000)


def test_outputs_of_runs_expire(api):
    """What output nodes put out is kept for a day, what the end node put out for seven."""
    body = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "hi"}, "is_async": True}
    key = api.send("POST", "/v1/workflow/run", json=body).json()["execute_id"]
    path = f"/v1/workflows/{WORKFLOW_ECHO}/run_histories/{key}"
    api.sandbox.clock.advance(3600)
    node = api.ok("GET", path)[0]["node_execute_status"]["Message"]["node_execute_uuid"]
    outputs = []
    for days in (0, 1, 7):
        api.sandbox.clock.advance(days * 86_400)
        output = api.ok("GET", path)[0]["output"]
        shown = api.ok("GET", f"{path}/execute_nodes/{node}")["node_output"]
        outputs.append(("Message" in output, "Output" in output, shown))
    assert outputs == [(True, True, "hi"), (False, True, ""), (False, False, "")]


def test_too_many_groups_of_voiceprints(api):
    """There can be a thousand groups of voiceprints."""
    store = api.sandbox._state.store
    with store.transaction():
        for number in range(999):
            store.put("voiceprint_group", f"g{number}", {"id": f"g{number}"})
    api.ok("POST", "/v1/audio/voiceprint_groups", json={"name": "the last"})
    assert api.refused("POST", "/v1/audio/voiceprint_groups", json={"name": "one more"}) == (400, 4000)


def test_page_that_cannot_be_reached(api):
    """A web page under a domain that does not exist is processed, and fails when its time has come."""
    dataset = api.ok("POST", "/v1/datasets", json={"name": "Web", "space_id": WORKSPACE_ID, "format_type": 0})
    lost = {"name": "lost", "source_info": {"document_source": 1, "web_url": "https://nowhere.invalid/a"}}
    body = {"dataset_id": dataset["dataset_id"], "document_bases": [lost, PAGE], "chunk_strategy": {}}
    added = api.send("POST", f"{DOCUMENTS}/create", json=body, headers={"Agw-Js-Conv": "str"}).json()["document_infos"]
    keys = [document["document_id"] for document in added]
    api.sandbox.clock.advance(1)
    path = f"/v1/datasets/{dataset['dataset_id']}/process"
    shown = api.ok("POST", path, json={"document_ids": keys})["data"]
    assert [(document["status"], document["progress"]) for document in shown] == [(9, 100), (1, 100)]
    assert shown[0]["status_descript"] == "The page cannot be reached."


def test_progress_of_documents():
    """A document waits at nothing, comes along with the clock, and is done at the end, not before."""
    with Sandbox(answer_seconds=100) as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        now = [1_700_000_000.0]
        sandbox.clock._source = lambda: now[0]
        http.headers.update({"Authorization": f"Bearer {sandbox.token}", "Agw-Js-Conv": "str"})
        dataset = {"name": "Web", "space_id": WORKSPACE_ID, "format_type": 0}
        key = http.post("/v1/datasets", json=dataset).json()["data"]["dataset_id"]
        body = {"dataset_id": key, "document_bases": [PAGE], "chunk_strategy": {}}
        (document,) = http.post(f"{DOCUMENTS}/create", json=body).json()["document_infos"]
        seen = []
        for seconds in (0, 40, 59.5, 0.5):
            now[0] += seconds
            wanted = {"document_ids": [document["document_id"]]}
            (shown,) = http.post(f"/v1/datasets/{key}/process", json=wanted).json()["data"]["data"]
            seen.append((shown["status"], shown["progress"], shown["remaining_time"]))
    assert seen == [(0, 0, 100), (0, 40, 60), (0, 99, 0), (1, 100, 0)]


def test_runs_of_others(api, other):
    """Only accounts that see a workflow see its runs: nobody else reads their outputs, or answers their questions."""
    body = {"workflow_id": WORKFLOW_ASK, "parameters": {"question": "Which?"}}
    ran = api.send("POST", "/v1/workflow/run", json=body).json()
    answer = {
        "workflow_id": WORKFLOW_ASK,
        "event_id": ran["interrupt_data"]["event_id"],
        "interrupt_type": ran["interrupt_data"]["type"],
        "resume_data": "this",
    }
    history = f"/v1/workflows/{WORKFLOW_ASK}/run_histories/{ran['execute_id']}"
    assert other("GET", history)[:2] == (404, 4314)
    assert other("POST", "/v1/workflows/resume", json=answer)[:2] == (404, 4314)
    assert api.send("POST", "/v1/workflows/resume", json=answer).json()["code"] == 0


def test_chats_of_others(api, other):
    """Accounts that do not see a conversation do not see whether its chat was to be kept."""
    [(_, created), *_] = api.stream("/tool", auto_save_history=False)
    query = {"conversation_id": created["conversation_id"], "chat_id": created["id"]}
    body = {"tool_outputs": [{"tool_call_id": "1", "output": "x"}]}
    assert other("POST", "/v3/chat/submit_tool_outputs", params=query, json=body)[:2] == (404, 4002)


def test_steps_of_streams(api, other, monkeypatch):
    """An open stream finds what its own account sees, whichever account calls between its events."""
    from coze_sandbox._handlers import HANDLERS

    documents = []

    def chat(call):
        def beats():
            try:
                for _ in range(2):
                    documents.append(call.state.find("bot", BOT_ID))
                    yield StreamEvent("conversation.message.delta", {})
            finally:
                documents.append(call.state.find("bot", BOT_ID))

        return Stream(beats(), "chat", checked=False)

    monkeypatch.setitem(HANDLERS, "chat.create", chat)
    token = api.sandbox.scenario.token(COLLEAGUE)
    body = api.chat("Hi", stream=True)
    with api.http.stream("POST", "/v3/chat", json=body, headers={"Authorization": f"Bearer {token}"}) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert api.ok("GET", f"/v1/bots/{BOT_ID}")["bot_id"] == BOT_ID
        assert [*lines]
    assert documents == [None, None, None]


def test_turns_of_websockets(coze_sandbox, monkeypatch):
    """A long response over a WebSocket finds what its own account sees."""
    from coze_sandbox._websockets.protocols import speech

    documents = []

    def beats(script):
        documents.append(script.state.find("bot", BOT_ID))
        yield StreamEvent("speech.audio.completed", None)

    monkeypatch.setattr(speech.SpeechHandler, "on_message", lambda self, event, data: self.enqueue(beats(self)))
    for token in (coze_sandbox.scenario.token(COLLEAGUE), coze_sandbox.token):
        with talk(coze_sandbox, SPEECH, headers={"Authorization": f"Bearer {token}"}) as client:
            client.send("input_text_buffer.complete")
            client.until("speech.audio.completed")
    assert [document is not None for document in documents] == [False, True]
