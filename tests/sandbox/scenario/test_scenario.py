"""How a test prepares the results of future calls, and inspects calls that were made."""

from __future__ import annotations

import json

import pytest

from coze_sandbox import BOT_ID, COLLEAGUE_IDS, WORKFLOW_CHAT, WORKFLOW_ECHO, Sandbox, Scenario

RETRIEVE = "/v1/bots/" + BOT_ID
RUN, RUN_STREAM, RESUME = "/v1/workflow/run", "/v1/workflow/stream_run", "/v1/workflow/stream_resume"
SPEECH = "/v1/audio/speech"
USER = {"user_id": "1", "user_name": "tester", "nick_name": "Tester", "avatar_url": ""}


def answer_texts(events):
    return [data["content"] for name, data in events if name == "conversation.message.delta"]


def test_answer_is_given_once(api, coze_scenario):
    """A prepared answer is used for one call, in its envelope."""
    coze_scenario.answer("users.me", {"data": USER})
    assert api.ok("GET", "/v1/users/me") == USER
    assert api.ok("GET", "/v1/users/me") != USER


@pytest.mark.parametrize(("times", "expected"), [(1, 1), (2, 2), (None, 4)])
def test_answer_is_given_so_many_times(api, coze_scenario, times, expected):
    """A prepared answer is used as many times as requested."""
    coze_scenario.answer("users.me", {"data": USER}, times=times)
    answers = [api.ok("GET", "/v1/users/me") for _ in range(4)]
    assert [answer == USER for answer in answers] == [True] * expected + [False] * (4 - expected)
    assert bool(coze_scenario.waiting) is (times is None)


def test_answers_wait_in_line(api, coze_scenario):
    """The first prepared answer of an operation is used first; those of other operations are left alone."""
    coze_scenario.answer("bots.retrieve", {"data": {"bot_id": "other"}}, check=False)
    coze_scenario.answer("users.me", {"data": {**USER, "user_name": "first"}})
    coze_scenario.answer("users.me", {"data": {**USER, "user_name": "second"}})
    names = [api.ok("GET", "/v1/users/me")["user_name"] for _ in range(2)]
    assert names == ["first", "second"]
    assert [(rule.kind, rule.label, rule.times) for rule in coze_scenario.waiting] == [("answer", "bots.retrieve", 1)]


def test_answer_made_from_the_request(api, coze_scenario):
    """A function makes the answer from the request."""
    coze_scenario.answer("users.me", lambda request: {"data": {**USER, "user_name": request.method}})
    assert api.ok("GET", "/v1/users/me")["user_name"] == "GET"


def test_answer_that_is_not_as_described(api, coze_scenario):
    """A prepared answer that does not match the description is refused at once, with the place that is wrong."""
    with pytest.raises(ValueError, match=r"not as users\.me is described: answer\.data\.user_id"):
        coze_scenario.answer("users.me", {"data": {**USER, "user_id": 1}})
    coze_scenario.answer("users.me", {"data": {"user_id": 1}}, check=False)
    assert api.ok("GET", "/v1/users/me") == {"user_id": 1}


def test_answer_of_a_function_that_is_not_as_described(api, coze_scenario):
    """An answer of a function is checked when it is made, and is a loud defect of the test."""
    coze_scenario.answer("users.me", lambda _request: {"data": {**USER, "user_id": 1}})
    response = api.http.get("/v1/users/me")
    assert (response.status_code, response.json()["code"]) == (500, 5000)
    assert "answer.data.user_id" in response.json()["msg"]
    assert [violation.operation for violation in api.sandbox.violations] == ["users.me"]
    api.sandbox.violations.clear()


@pytest.mark.parametrize(
    ("set_up", "message"),
    [
        (lambda scenario: scenario.answer("users.mee", {}), "unknown operation users.mee: .* users.me"),
        (lambda scenario: scenario.answer("users.me", {"code": 4000}), "use fail"),
        (lambda scenario: scenario.answer("users.me", {}, times=0), "at least 1"),
        (lambda scenario: scenario.answer("chat.create", [("no.such.event", {})]), "'no.such.event' is not described"),
        (lambda scenario: scenario.answer("users.me", b"file"), "does not return a file"),
        (lambda scenario: scenario.answer("users.me", [("done", "")]), "does not return a stream"),
        (lambda scenario: scenario.answer("audio.speech.create", {}), "does not return JSON"),
        (lambda scenario: scenario.reply(), "needs text"),
        (lambda scenario: scenario.fail("chat.creat", code=4016), "chat.create"),
        (lambda scenario: scenario.requests("chat.creat"), "chat.create"),
        (lambda scenario: scenario.workflow(WORKFLOW_ECHO, "x", times=-1), "at least 1"),
    ],
)
def test_invalid_settings(coze_scenario, set_up, message):
    """Invalid settings are refused at once, with a remedy."""
    with pytest.raises(ValueError, match=message):
        set_up(coze_scenario)


def test_requests_are_checked_as_ever(api, coze_scenario):
    """A request that is not as described is refused and uses no answer up."""
    coze_scenario.answer("files.retrieve", {"data": {"id": "1", "bytes": 1, "file_name": "a", "created_at": 1}})
    assert api.refused("GET", "/v1/files/retrieve") == (400, 4000)
    assert api.ok("GET", "/v1/files/retrieve", params={"file_id": "any"})["id"] == "1"


def test_answer_that_is_a_file(api, coze_scenario):
    """An operation that answers with a file returns the prepared bytes."""
    coze_scenario.answer("audio.speech.create", b"sound")
    response = api.send("POST", SPEECH, json={"input": "Hi", "voice_id": "any"})
    assert response.content == b"sound"


def test_answer_that_is_a_stream(api, coze_scenario):
    """An operation that streams sends the prepared events, in its own format."""
    coze_scenario.answer("workflows.runs.stream", [("Done", {"debug_url": "https://example.com"})])
    response = api.http.post(RUN_STREAM, json={"workflow_id": "any"})
    assert response.text == 'id: 0\nevent: Done\ndata: {"debug_url":"https://example.com"}\n\n'
    events = [("conversation.chat.created", {"anything": 1}), ("done", "[DONE]")]
    coze_scenario.answer("chat.create", events, check=False)
    assert api.stream("Hi") == events


def test_reply(api, coze_scenario):
    """A bot sends the prepared reply, with a stream and without, and afterwards its own replies."""
    coze_scenario.reply("It is sunny.", times=2)
    assert "".join(answer_texts(api.stream("Weather?"))) == "It is sunny."
    query, _ = api.finished("Weather?")
    messages = api.ok("GET", "/v3/chat/message/list", params=query)
    assert [message["content"] for message in messages if message["type"] == "answer"] == ["It is sunny."]
    assert "".join(answer_texts(api.stream("Weather?"))) == "You said: Weather?"


def test_reply_in_pieces(api, coze_scenario):
    """A list is streamed piece by piece, also where a piece is empty or half a word."""
    coze_scenario.reply(["It is", " ", "", "sun", "ny."], reasoning="Hm.", suggestions=["And tomorrow?"])
    events = api.stream("Weather?")
    assert answer_texts(events)[-5:] == ["It is", " ", "", "sun", "ny."]
    completed = [data for name, data in events if name == "conversation.message.completed"]
    assert [message["content"] for message in completed if message["type"] == "answer"] == ["It is sunny."]
    assert [message["content"] for message in completed if message["type"] == "follow_up"] == ["And tomorrow?"]


def test_reply_of_a_function(api, coze_scenario):
    """A function gets the user's message."""
    coze_scenario.reply(lambda text: text.upper(), times=None)
    assert "".join(answer_texts(api.stream("hi"))) == "HI"
    assert "".join(answer_texts(api.stream("ho"))) == "HO"


def test_reply_to_some_messages(api, coze_scenario):
    """A reply can be for messages with some text, or for one bot."""
    coze_scenario.reply("Sunny.", to="weather")
    coze_scenario.reply("Never.", bot_id="another")
    assert "".join(answer_texts(api.stream("Hello"))) == "You said: Hello"
    assert "".join(answer_texts(api.stream("The weather?"))) == "Sunny."
    assert [rule.label for rule in coze_scenario.waiting] == ["another"]


def test_reply_with_tools(api, coze_scenario):
    """A bot requests tool calls, and the next reply is for their outputs."""
    coze_scenario.reply(tool_calls={"get_weather": {"city": "Hangzhou"}})
    coze_scenario.reply(lambda outputs: f"It is {outputs}.", to="sunny")
    query, chat = api.finished("Weather?")
    (call,) = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Hangzhou"}'}
    outputs = {"stream": True, "tool_outputs": [{"tool_call_id": call["id"], "output": "sunny"}]}
    events = api.events("/v3/chat/submit_tool_outputs", params=query, json=outputs)
    assert "".join(answer_texts(events)) == "It is sunny."


@pytest.mark.parametrize(("breaks_off", "last"), [(False, "conversation.chat.failed"), (True, "error")])
def test_reply_that_fails(api, coze_scenario, breaks_off, last):
    """A chat fails with the prepared code, as a failed chat or as a broken stream."""
    coze_scenario.reply(code=4011, msg="no tokens left", breaks_off=breaks_off)
    name, data = api.stream("Hello")[-1]
    assert name == last
    assert (data if breaks_off else data["last_error"]) == {"code": 4011, "msg": "no tokens left"}


def test_reply_takes_its_time(api, coze_scenario):
    """A reply can take longer than the clock has moved."""
    coze_scenario.reply("Late.", seconds=100)
    started = api.ok("POST", "/v3/chat", json=api.chat("Hello"))
    query = {"conversation_id": started["conversation_id"], "chat_id": started["id"]}
    coze_scenario.advance(99)
    assert api.ok("GET", "/v3/chat/retrieve", params=query)["status"] == "in_progress"
    coze_scenario.advance(1)
    assert api.ok("GET", "/v3/chat/retrieve", params=query)["status"] == "completed"


def test_reply_of_a_chatflow(api, coze_scenario):
    """A chatflow sends the prepared reply."""
    coze_scenario.reply("From the scenario.")
    message = {"role": "user", "content": "Hello", "content_type": "text"}
    body = {"workflow_id": WORKFLOW_CHAT, "bot_id": BOT_ID, "additional_messages": [message], "parameters": {}}
    assert "".join(answer_texts(api.events("/v1/workflows/chat", json=body))) == "From the scenario."


def test_workflow(api, coze_scenario):
    """A workflow outputs the prepared value: a text as it is, another value as JSON."""
    coze_scenario.workflow(WORKFLOW_ECHO, {"rows": [1]})
    coze_scenario.workflow(WORKFLOW_ECHO, "plain")
    body = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "x"}}
    assert api.ok("POST", RUN, json=body) == '{"rows":[1]}'
    assert api.ok("POST", RUN, json=body) == "plain"
    assert api.ok("POST", RUN, json=body) == '{"output":"x"}'


def test_workflow_of_another_id(api, coze_scenario):
    """A workflow that does not exist is made."""
    assert api.refused("POST", RUN, json={"workflow_id": "742"}) == (404, 4200)
    coze_scenario.workflow("742", "made", messages=["one ", "two"])
    events = api.events(RUN_STREAM, json={"workflow_id": "742"})
    messages = [(data["node_title"], data["content"]) for name, data in events if name == "Message"]
    assert messages == [("Message", "one "), ("Message", "two"), ("End", "made")]


def test_workflow_that_fails(api, coze_scenario):
    """A workflow fails with the prepared code."""
    coze_scenario.workflow(WORKFLOW_ECHO, code=6006, msg="too slow", times=2)
    assert api.send("POST", RUN, json={"workflow_id": WORKFLOW_ECHO}).json()["code"] == 6006
    events = api.events(RUN_STREAM, json={"workflow_id": WORKFLOW_ECHO})
    (kind, error), (last, page) = events[-2:]
    assert (kind, error["error_code"], error["error_message"], last) == ("Error", 6006, "too slow", "Done")
    assert error["debug_url"] == page["debug_url"]


def test_workflow_sends_the_prepared_question(api, coze_scenario):
    """A workflow sends the prepared question, and continues with the next prepared outcome when it is resumed."""
    coze_scenario.workflow(WORKFLOW_ECHO, question="Which city?")
    coze_scenario.workflow(WORKFLOW_ECHO, "Hangzhou it is")
    events = api.events(RUN_STREAM, json={"workflow_id": WORKFLOW_ECHO})
    assert events[0][1]["content"] == "Which city?"
    interrupt = events[-1][1]["interrupt_data"]
    body = {"workflow_id": WORKFLOW_ECHO, "event_id": interrupt["event_id"], "interrupt_type": interrupt["type"]}
    events = api.events(RESUME, json={**body, "resume_data": "Hangzhou"})
    assert events[0][1]["content"] == "Hangzhou it is"


def test_asynchronous_workflow_takes_its_time(api, coze_scenario):
    """An asynchronous run is over after the configured seconds."""
    coze_scenario.workflow(WORKFLOW_ECHO, "late", seconds=60)
    body = {"workflow_id": WORKFLOW_ECHO, "is_async": True}
    key = api.send("POST", RUN, json=body).json()["execute_id"]
    path = f"/v1/workflows/{WORKFLOW_ECHO}/run_histories/{key}"
    coze_scenario.advance(59)
    assert api.ok("GET", path)[0]["execute_status"] == "Running"
    coze_scenario.advance(1)
    (entry,) = api.ok("GET", path)
    assert (entry["execute_status"], json.loads(entry["output"])) == ("Success", {"Output": "late"})


def test_bot_of_another_id(api, coze_scenario):
    """A bot with an id of one's choice is there and published."""
    coze_scenario.bot("742", name="Support")
    assert api.ok("GET", "/v1/bots/742")["name"] == "Support"
    assert "".join(answer_texts(api.stream("Hello", bot_id="742"))) == "You said: Hello"


def test_tokens(api, coze_scenario):
    """Tokens are made for accounts, permissions and times of one's choice."""

    def code(token):
        return api.http.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"}).json()["code"]

    def name(token):
        return api.http.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"}).json()["data"]["nick_name"]

    assert name(coze_scenario.token()) == "Sandbox Owner"
    assert name(coze_scenario.token(COLLEAGUE_IDS[0])) == "Colleague 1"
    short = coze_scenario.token(seconds=60)
    assert code(short) == 0
    coze_scenario.advance(60)
    assert code(short) == 4100
    few = {"Authorization": f"Bearer {coze_scenario.token(permissions=['getChat'])}"}
    assert api.http.post("/v3/chat", headers=few, json=api.chat("Hi")).json()["code"] == 4101
    created = api.http.post("/_sandbox/tokens", json={"user_id": COLLEAGUE_IDS[1]}).json()["token"]
    assert name(created) == "Colleague 2"
    with pytest.raises(ValueError, match="unknown account 9"):
        coze_scenario.token("9")


def test_failures(api, coze_scenario):
    """Calls fail with the prepared code or status as many times as requested."""
    coze_scenario.fail("users.me", code=4101, times=2)
    coze_scenario.fail("users.me", status=503)
    statuses = [api.send("GET", "/v1/users/me").status_code for _ in range(4)]
    assert statuses == [403, 403, 503, 200]


def test_requests(api, coze_scenario):
    """Calls that were made can be inspected by operation."""
    api.ok("GET", "/v1/users/me")
    api.ok("POST", "/v1/conversation/create", json={"bot_id": BOT_ID})
    assert [record.operation for record in coze_scenario.requests()] == ["users.me", "conversations.create"]
    assert [record.path for record in coze_scenario.requests("users.me")] == ["/v1/users/me"]
    assert coze_scenario.last("conversations.create").body == {"bot_id": BOT_ID}
    with pytest.raises(
        AssertionError, match=r"chat\.create was not called; called operations: users\.me, conversations"
    ):
        coze_scenario.last("chat.create")


def test_clearing(api, coze_scenario):
    """Prepared results are removed by clear(), and by a reset of the sandbox."""
    for forget in (coze_scenario.clear, api.sandbox.reset):
        coze_scenario.reply("Never.")
        forget()
        assert coze_scenario.waiting == []
        assert "".join(answer_texts(api.stream("Hello"))) == "You said: Hello"


def test_scenario_of_a_sandbox():
    """A scenario can be made for any sandbox; all scenarios of a sandbox are one."""
    sandbox = Sandbox()
    Scenario(sandbox).reply("x")
    assert len(sandbox.scenario.waiting) == 1


def test_other_processes(api, coze_scenario):
    """Other processes prepare the same over HTTP, and get the reason when it is invalid."""

    def post(name, **members):
        return api.http.post(f"/_sandbox/{name}", json=members)

    assert post("answers", operation="users.me", answer={"data": USER}).status_code == 200
    assert post("replies", text=["a", "b"], to="Hello").status_code == 200
    assert post("workflows", workflow_id="742", output={"x": 1}, times=None).status_code == 200
    assert post("bots", bot_id="743").status_code == 200
    waiting = api.http.get("/_sandbox/scenario").json()["waiting"]
    assert [(stub["kind"], stub["about"], stub["times"]) for stub in waiting] == [
        ("answer", "users.me", 1),
        ("reply", "Hello", 1),
        ("workflow", "742", None),
    ]
    assert api.ok("GET", "/v1/users/me") == USER
    assert answer_texts(api.stream("Hello")) == ["a", "b"]
    assert api.ok("POST", RUN, json={"workflow_id": "742"}) == '{"x":1}'
    assert api.ok("GET", "/v1/bots/743")["bot_id"] == "743"
    wrong = post("answers", operation="users.me", answer={"data": {**USER, "user_id": 1}})
    assert (wrong.status_code, "answer.data.user_id" in wrong.json()["error"]) == (400, True)
    assert post("replies", txt="a").status_code == 400
    assert post("replies", text="a", times="2").status_code == 400
    assert api.http.delete("/_sandbox/scenario").status_code == 200
    assert coze_scenario.waiting == []
