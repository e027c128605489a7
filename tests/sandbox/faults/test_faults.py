"""Faults on demand, and the endpoints that order them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time

import httpx
import pytest

from coze_sandbox import BOT_ID, FAULT_KINDS, Fault, Sandbox

ME = "/v1/users/me"


def test_status(api):
    """An HTTP status can be ordered for one call; the next is as usual."""
    api.sandbox.faults.add("status", "users.me", status=503)
    assert api.refused("GET", ME) == (503, 5000)
    assert api.ok("GET", ME)


def test_code(api):
    """A business code comes with its own status, or with HTTP 200."""
    api.sandbox.faults.add("code", code=4013)
    api.sandbox.faults.add("code", code=4008, status=200, msg="enough for today")
    assert api.refused("GET", ME) == (429, 4013)
    response = api.send("GET", ME)
    assert (response.status_code, response.json()["code"]) == (200, 4008)
    assert response.json()["msg"] == "enough for today"


def test_rate_limit(api):
    """A rate limit is HTTP 429 with Retry-After."""
    api.sandbox.faults.add("rate_limit", seconds=7)
    response = api.send("GET", ME)
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("status", [None, 200, 504])
def test_html(api, status):
    """A gateway's page is HTML under any status, still with a log id."""
    api.sandbox.faults.add("html", status=status)
    response = api.send("GET", ME)
    assert response.status_code == (status or 502)
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<html>")
    assert response.headers["x-tt-logid"]


def test_delay(api):
    """A response can be delayed for longer than its client waits; it is sent when the delay is over."""
    api.sandbox.faults.add("delay", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        api.http.get(ME, timeout=httpx.Timeout(60, read=0.3))
    api.sandbox.faults.add("delay", seconds=0.01)
    assert api.ok("GET", ME)


@pytest.fixture
def knock(coze_sandbox):
    """Give a way to send a request and leave as soon as the sandbox has seen something of it, and its record."""

    def run(path, body, *, until):
        url, content = httpx.URL(coze_sandbox.base_url), json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nAuthorization: Bearer {coze_sandbox.token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        with socket.create_connection((url.host, url.port)) as connection:
            connection.sendall(head.encode() + content)
            while not (len(coze_sandbox.requests) and until(coze_sandbox.requests[-1])):
                time.sleep(0.001)
        record = coze_sandbox.requests[-1]
        while record.seconds is None:
            time.sleep(0.001)
        return record

    return run


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_delayed_call_of_a_client_that_leaves(knock, api, size):
    """A delayed call of whatever size takes no effect if its client leaves meanwhile."""
    api.sandbox.faults.add("delay", "conversations.create", seconds=30)
    body = {"bot_id": BOT_ID, "more": "x" * size}
    record = knock("/v1/conversation/create", body, until=lambda record: record.body is not None)
    assert (record.verdict, record.reason, record.status) == ("fault", "delay", 499)
    assert api.ok("GET", "/v1/conversations", params={"bot_id": BOT_ID})["conversations"] == []


def test_delayed_answer_of_a_client_that_leaves(knock, api):
    """A call whose response alone is delayed takes effect, whether or not somebody waits for the response."""
    api.sandbox.faults.add("delay", "conversations.create", seconds=0.1, handled=True)
    knock("/v1/conversation/create", {"bot_id": BOT_ID}, until=lambda record: record.code == 0)
    assert len(api.ok("GET", "/v1/conversations", params={"bot_id": BOT_ID})["conversations"]) == 1


def test_delayed_chat_of_a_client_that_leaves(knock, api):
    """A delayed chat that would have been streamed ends on the server in its time after the client disconnects."""
    api.sandbox.faults.add("delay", "chat.create", seconds=0.1, handled=True)
    knock("/v3/chat", api.chat("Hi", stream=True), until=lambda record: record.code == 0)
    [conversation] = api.ok("GET", "/v1/conversations", params={"bot_id": BOT_ID})["conversations"]
    api.sandbox.clock.advance(10)
    query = {"conversation_id": conversation["id"]}
    kinds = [message["type"] for message in api.ok("POST", "/v1/conversation/message/list", params=query, json={})]
    assert "answer" in kinds


def test_delayed_refusal(api):
    """A request that is refused is refused late."""
    api.sandbox.faults.add("delay", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        api.http.get("/v1/bots/1", timeout=httpx.Timeout(60, read=0.3))
    api.sandbox.faults.add("delay", seconds=0.01)
    assert api.refused("GET", "/v1/bots/1") == (404, 4200)


def test_drop(api):
    """A connection can end without a response, and the next call is as usual."""
    api.sandbox.faults.add("drop")
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        api.http.get(ME)
    assert api.ok("GET", ME)
    assert api.sandbox.requests[0].status is None


@pytest.mark.parametrize("kind", ["drop", "status", "html"])
@pytest.mark.parametrize("handled", [False, True])
def test_lost_answers(api, kind, handled):
    """A fault can hit before the call takes effect, or only its response."""
    api.sandbox.faults.add(kind, "conversations.create", handled=handled)
    try:
        api.http.post("/v1/conversation/create", json={"bot_id": BOT_ID})
    except (httpx.RemoteProtocolError, httpx.ReadError):  # where the body was not read yet, the end is a reset
        assert kind == "drop"
    listed = api.ok("GET", "/v1/conversations", params={"bot_id": BOT_ID})
    assert len(listed["conversations"]) == int(handled)


def test_cut_json(api):
    """A JSON response can be cut at a byte."""
    api.sandbox.faults.add("cut", bytes=10)
    with pytest.raises(httpx.RemoteProtocolError, match="received 10 bytes"):
        api.http.get(ME)


def received(api, text="Hi"):
    """Chat with a stream; return all bytes that came, and whether it ended well."""
    content = b""
    with api.http.stream("POST", "/v3/chat", json=api.chat(text, stream=True)) as response:
        try:
            for chunk in response.iter_raw():
                content += chunk
        except httpx.RemoteProtocolError:
            return content, False
    return content, True


def silence_after(api, events):
    """Check that so many events of a stream arrive, and nothing more while its client waits, not even the end."""
    url, content = api.http.base_url, b""
    headers = {"Authorization": api.http.headers["Authorization"], "Content-Type": "application/json"}
    with contextlib.closing(http.client.HTTPConnection(url.host, url.port, timeout=30)) as connection:
        connection.request("POST", "/v3/chat", json.dumps(api.chat("Hi", stream=True)), headers)
        response = connection.getresponse()
        while content.count(b"\n\n") < events:
            content += response.read(1)
            assert not response.isclosed()
        connection.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            response.read(1)


@pytest.mark.parametrize("events", [0, 1, 3])
def test_cut_stream_after_events(api, events):
    """A stream can be cut between events."""
    api.sandbox.faults.add("cut", "chat.create", events=events)
    content, ended_well = received(api)
    assert not ended_well
    assert content.count(b"\n\n") == events
    assert content.endswith(b"\n\n") or not content


@pytest.mark.parametrize("size", [0, 1, 40, 500])
def test_cut_stream_within_a_line(api, size):
    """A stream can be cut at any byte."""
    api.sandbox.faults.add("cut", "chat.create", bytes=size)
    content, ended_well = received(api)
    assert (len(content), ended_well) == (size, False)


def test_cut_behind_the_end(api):
    """A stream that ends before the cut still does not end well."""
    api.sandbox.faults.add("cut", "chat.create", events=1000)
    content, ended_well = received(api)
    assert content.endswith(b'"[DONE]"\n\n')
    assert not ended_well


def test_cut_stream_keeps_the_answer(api):
    """After a cut the chat has ended on the server, and its answer can be fetched."""
    api.sandbox.faults.add("cut", "chat.create", events=3)
    content, _ = received(api)
    chat_id = content.split(b'"id":"')[1].split(b'"')[0].decode()
    conversation_id = content.split(b'"conversation_id":"')[1].split(b'"')[0].decode()
    query = {"conversation_id": conversation_id, "chat_id": chat_id}
    for _ in range(1000):
        chat = api.ok("GET", "/v3/chat/retrieve", params=query)
        if chat["status"] == "completed":
            break
        time.sleep(0.01)
    listed = api.ok("GET", "/v3/chat/message/list", params=query)
    assert listed[0]["content"] == "You said: Hi"


def test_garbage(api):
    """A line that is not a field can come between events."""
    whole = received(api)[0].count(b"\n")
    api.sandbox.faults.add("garbage", "chat.create", events=2)
    content, ended_well = received(api)
    assert ended_well
    assert content.count(b"\n") == whole + 1
    assert b"\n\n%%% this is not" in content


def test_lost_and_doubled_events(api):
    """One event of a stream can be lost, or come twice."""
    whole = received(api)[0].split(b"\n\n")
    api.sandbox.faults.add("lost", "chat.create", events=4)
    lost = received(api)[0].split(b"\n\n")
    api.sandbox.faults.add("duplicate", "chat.create", events=4)
    doubled = received(api)[0].split(b"\n\n")
    assert (len(lost), len(doubled)) == (len(whole) - 1, len(whole) + 1)
    assert doubled[4] == doubled[5]


def test_lost_last_event(api):
    """When a fault drops the last event, the stream ends without `done`."""
    count = received(api)[0].count(b"\n\n")
    api.sandbox.faults.add("lost", "chat.create", events=count - 1)
    content, ended_well = received(api)
    assert ended_well
    assert b"event:done" not in content


def test_stalled_stream(api):
    """A stream can pause before an event; after the pause it continues."""
    whole = received(api)[0].count(b"\n\n")
    api.sandbox.faults.add("delay", "chat.create", events=2, seconds=30)
    silence_after(api, 2)
    api.sandbox.faults.add("delay", "chat.create", events=2, seconds=0.01)
    content, ended_well = received(api)
    assert ended_well
    assert content.count(b"\n\n") == whole


@pytest.mark.parametrize("size", [1, 30])
def test_cut_in_the_middle_of_an_event(api, size):
    """A stream can be cut within an event, after others that are whole."""
    whole = received(api)[0].split(b"\n\n")
    api.sandbox.faults.add("cut", "chat.create", events=2, bytes=size)
    content, ended_well = received(api)
    assert not ended_well
    assert content.count(b"\n\n") == 2
    assert content.split(b"\n\n")[2] == whole[2][:size]


def test_stall(api):
    """A stream can stop forever while the connection stays open; the client then runs into its own timeout."""
    api.sandbox.faults.add("stall", "chat.create", events=2)
    silence_after(api, 2)
    api.sandbox.faults.add("stall", seconds=0)
    assert api.ok("GET", ME)


def test_stalled_answer(api):
    """A response that is not a stream can stall too, behind its headers."""
    api.sandbox.faults.add("stall", "users.me")
    with pytest.raises(httpx.ReadTimeout):
        api.http.get(ME, timeout=httpx.Timeout(60, read=0.3))
    assert api.ok("GET", ME)


def test_huge(api):
    """An event can be huge and still mean the same."""
    whole = received(api)[0].split(b"\n\n")
    api.sandbox.faults.add("huge", "chat.create", events=2, bytes=100_000)
    content, ended_well = received(api)
    events = content.split(b"\n\n")
    assert ended_well
    assert len(events[2]) + 2 == 100_000
    names = [event.partition(b"\n")[0] for event in events]
    assert names == [event.partition(b"\n")[0] for event in whole]
    assert events[2].rstrip().endswith(b"}")


def test_close(api):
    """A stream can end in good order and still too early."""
    api.sandbox.faults.add("close", "chat.create", events=3)
    content, ended_well = received(api)
    assert ended_well
    assert content.count(b"\n\n") == 3


def test_stream_faults_leave_json_alone(api):
    """Garbage, lost, doubled, huge and closing events need a stream: other responses come as usual."""
    for kind in ("close", "duplicate", "garbage", "huge", "lost"):
        api.sandbox.faults.add(kind, "users.me")
        assert api.ok("GET", ME)


def test_after_and_times(api):
    """A fault can leave calls alone at first, hit several, or hit all until it is canceled."""
    api.sandbox.faults.add("status", "users.me", after=1, times=2)
    statuses = [api.send("GET", ME).status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    api.sandbox.faults.add("status", times=None)
    assert [api.send("GET", ME).status_code for _ in range(3)] == [500] * 3
    api.sandbox.faults.clear()
    assert api.ok("GET", ME)


def test_faults_are_chosen_by_operation(api):
    """A fault waits for its operation; the first that fits is taken."""
    api.sandbox.faults.add("status", "files.upload", status=501)
    api.sandbox.faults.add("status", "*", status=502)
    api.sandbox.faults.add("status", "users.me", status=503)
    assert [api.send("GET", ME).status_code for _ in range(3)] == [502, 503, 200]
    assert len(api.sandbox.faults) == 1


def test_fault_of_a_single_request(api):
    """A header orders a fault for its own request."""
    headers = {"X-Sandbox-Fault": "rate_limit; seconds=3; msg=slow down"}
    response = api.send("GET", ME, headers=headers)
    assert (response.headers["retry-after"], response.json()["msg"]) == ("3", "slow down")
    assert api.ok("GET", ME)
    for wrong in ("explode", "status; colour=red", "status; status=red", "delay; seconds=-1"):
        assert api.refused("GET", ME, headers={"X-Sandbox-Fault": wrong}) == (400, 4000)


def test_wrong_faults(coze_sandbox):
    """Unknown kinds and settings and negative numbers are refused when the fault is ordered."""
    with pytest.raises(ValueError, match="unknown kind"):
        coze_sandbox.faults.add("explode")
    with pytest.raises(ValueError, match="seconds"):
        coze_sandbox.faults.add("delay", seconds=-1)
    with pytest.raises(ValueError, match="not a valid HTTPStatus"):
        coze_sandbox.faults.add("status", status=99)
    with pytest.raises(TypeError):
        coze_sandbox.faults.add("delay", colour="red")
    assert {Fault(kind=kind).kind for kind in FAULT_KINDS} == set(FAULT_KINDS)


def test_faults_over_http(api):
    """Faults can be ordered, listed and canceled by other processes."""
    path = "/_sandbox/faults"
    order = {"kind": "status", "operation": "users.me", "status": 418}
    assert api.http.post(path, json=order).json()["times"] == 1
    assert len(api.http.get(path).json()["faults"]) == 1
    assert api.send("GET", ME).status_code == 418
    api.http.post(path, json={**order, "times": None})
    api.http.delete(path)
    assert api.http.get(path).json() == {"faults": []}
    for wrong in ({"kind": "explode"}, {"colour": "red"}, [], {}):
        assert api.http.post(path, json=wrong).status_code == 400
    assert api.http.post(path, content=b"{").status_code == 400


def test_requests_over_http(api):
    """The request log shows each request and its outcome, and hides the token."""
    api.send("GET", ME)
    api.refused("GET", "/v1/files/retrieve", params={"file_id": "9"})
    records = api.http.get("/_sandbox/requests").json()["requests"]
    assert [record["operation"] for record in records] == ["users.me", "files.retrieve"]
    assert [record["verdict"] for record in records] == ["ok", "refused"]
    assert (records[1]["status"], records[1]["code"], records[1]["query"]) == (
        404,
        4200,
        "file_id=9",
    )
    assert records[0]["headers"]["authorization"] == "Bearer ***"
    assert api.sandbox.token not in str(records)
    of_one = api.http.get("/_sandbox/requests", params={"operation": "users.me"}).json()
    assert len(of_one["requests"]) == 1
    api.http.delete("/_sandbox/requests")
    assert len(api.sandbox.requests) == 0


def test_log_in_process(api):
    """The in-process log has bodies, can be indexed, and can be filtered by operation."""
    api.ok("POST", "/v1/conversation/create", json={"name": "n"})
    record = api.sandbox.requests.of("conversations.create")[0]
    assert (record.method, record.body, record.code) == ("POST", {"name": "n"}, 0)
    assert api.sandbox.requests[-1] == record
    assert api.sandbox.requests[:] == [record]
    assert list(api.sandbox.requests) == [record]


def test_reset_and_clock_over_http(api):
    """Other processes can move the clock forward and go back to the start."""
    key = api.ok("POST", "/v1/conversation/create", json={})["id"]
    now = api.http.get("/_sandbox/").json()["now"]
    later = api.http.post("/_sandbox/clock", json={"advance": 60}).json()["now"]
    assert later >= now + 60
    assert api.http.post("/_sandbox/clock", json={"advance": -1}).status_code == 400
    api.http.post("/_sandbox/reset")
    query = {"conversation_id": key}
    assert api.refused("GET", "/v1/conversation/retrieve", params=query) == (404, 4002)
    assert api.http.get("/_sandbox/").json()["now"] < now + 60


def test_description_over_http(api):
    """The description is served with the sandbox's own address as its server."""
    document = api.http.get("/_sandbox/openapi.json").json()
    assert document["servers"][0]["url"] == api.sandbox.base_url
    assert document["paths"] == api.sandbox.description.document["paths"]
    assert api.http.get("/_sandbox/violations").json() == {"violations": []}


def test_control_is_for_this_machine(api):
    """Pages of other sites and unknown endpoints are refused."""
    foreign = {"Origin": "https://example.invalid"}
    assert api.http.post("/_sandbox/reset", headers=foreign).status_code == 403
    unknown = api.http.get("/_sandbox/nothing")
    assert unknown.status_code == 404
    assert "GET /_sandbox/faults" in unknown.json()["endpoints"]


def test_start_and_stop():
    """A stopped sandbox keeps its state and can be started again, but not twice at once."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.base_url
    sandbox.start()
    with pytest.raises(RuntimeError, match="already"):
        sandbox.start()
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    created = httpx.post(sandbox.base_url + "/v1/conversation/create", headers=headers, json={})
    sandbox.stop()
    sandbox.start()
    query = {"conversation_id": created.json()["data"]["id"]}
    url = sandbox.base_url + "/v1/conversation/retrieve"
    response = httpx.get(url, headers=headers, params=query)
    sandbox.close()
    assert response.json()["code"] == 0


def test_a_fault_for_an_operation_that_is_not_there_is_refused() -> None:
    """A fault for a misspelt operation, or for the client's name of a streaming method, is refused, since it would
    never occur.
    """
    with Sandbox() as sandbox:
        with pytest.raises(ValueError, match=r"unknown operation chat\.crate: did you mean chat\.create"):
            sandbox.faults.add("rate_limit", "chat.crate")
        with pytest.raises(ValueError, match=r"unknown operation chat\.stream"):
            sandbox.faults.add("rate_limit", "chat.stream")
