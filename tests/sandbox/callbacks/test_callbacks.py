"""Callbacks that the sandbox sends."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attrs
import pytest

from coze_sandbox import BOT_ID, COLLEAGUE_IDS, USER_ID, WORKSPACE_ID, Sandbox
from tests._serving import serving
from tests.contract._calls import document

APPS = "/v1/api_apps"
KINDS = sorted(document()["webhooks"])


@attrs.define
class Receiver:
    """A server that gets callbacks. It answers with what lies in `answers`, then with 200 and an empty body."""

    url: str = ""
    answers: list[tuple[int, bytes]] = attrs.Factory(list)
    received: list[tuple[dict[str, str], bytes]] = attrs.Factory(list)
    gate: threading.Event = attrs.Factory(threading.Event)

    def bodies(self):
        """Return what came, as JSON."""
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a server that gets callbacks."""
    state = Receiver()
    state.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            state.gate.wait(60)
            status, answer = state.answers.pop(0) if state.answers else (200, b"")
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            """Send nothing back."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Ignore senders that closed the connection before the response."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with serving(server) as url:
        state.url = f"{url}/coze?x=1"
        yield state
        state.gate.set()


def app_for(api, receiver, *kinds, **members):
    """Make a callback app that is subscribed to some events, and return it."""
    body = {"app_type": "normal", "name": "Orders", **members}
    app = api.ok("POST", APPS, json=body)
    api.ok("PUT", f"{APPS}/{app['id']}", json={"callback_url": receiver.url})
    api.ok("POST", f"{APPS}/{app['id']}/events", json={"event_types": list(kinds)})
    return app


def publish(api, *channels):
    """Publish the bot of the start, and return the version."""
    body = {"bot_id": BOT_ID, "connector_ids": list(channels) or ["1024"]}
    return api.ok("POST", "/v1/bot/publish", json=body)["version"]


def states(sandbox):
    """Wait until no delivery is running, and return the states of all deliveries."""
    sandbox.callbacks.wait()
    return [delivery.state for delivery in sandbox.callbacks.deliveries]


def test_published(api, receiver):
    """When a bot is published, a subscribed app of the account gets one callback for all channels of the platform."""
    app = app_for(api, receiver, "bot.published", "bot.deleted")
    version = publish(api, "1024", "999")
    assert states(api.sandbox) == ["delivered"]
    (message,) = receiver.bodies()
    assert message["event"] == {
        "user_id_str": int(USER_ID),
        "user_name": "sandbox_owner",
        "bot_id_str": int(BOT_ID),
        "bot_name": "Sandbox bot",
        "description": "Repeats what you say.",  # codespell:ignore say
        "version": version,
        "space_id": WORKSPACE_ID,
    }
    header = message["header"]
    assert header.pop("event_id").endswith(f"-{app['id']}")
    assert abs(header.pop("created_at") / 1000 - api.sandbox.clock.now()) < 60
    assert header == {"event_type": "bot.published", "coze_account_id": USER_ID, "api_app_id": app["id"]}


def test_signature(api, receiver):
    """A message is signed: SHA-1 over moment, nonce, the app's secret and the body as sent, in hexadecimal digits."""
    app = app_for(api, receiver, "bot.published")
    publish(api)
    assert states(api.sandbox) == ["delivered"]
    headers, body = receiver.received[0]
    text = headers["x-coze-timestamp"] + headers["x-coze-nonce"] + app["verify_token"] + body.decode()
    assert headers["x-coze-signature"] == hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    assert headers["content-type"] == "application/json; charset=utf-8"


def test_unpublished(api, receiver):
    """The callback about a bot that is unpublished names the channel."""
    app_for(api, receiver, "bot.unpublished")
    api.ok("POST", f"/v1/bots/{BOT_ID}/unpublish", json={"connector_id": "1024"})
    assert states(api.sandbox) == ["delivered"]
    event = receiver.bodies()[0]["event"]
    assert (event["bot_id"], event["connector_id"], event["space_id"]) == (BOT_ID, "1024", WORKSPACE_ID)


def test_usage(api, receiver):
    """The callback about the cost of a chat has the same token counts as the chat."""
    app_for(api, receiver, "benefit.usage")
    _, chat = api.finished("Hello")
    assert states(api.sandbox) == ["delivered"]
    event = receiver.bodies()[0]["event"]
    assert event["model_input_token"] == chat["usage"]["input_count"]
    assert event["model_output_token"] == chat["usage"]["output_count"]
    assert (event["root_entity_id"], event["record_root_id"]) == (BOT_ID, chat["id"])


def test_channel(api, receiver):
    """The app of a channel gets callbacks about its own channel only, without the workspace; its decision is stored."""
    app_for(api, receiver, "bot.published", app_type="connector", connector_id="7001")
    normal = app_for(api, receiver, "bot.published")
    receiver.answers += [(200, b'{"audit": {"audit_status": 3, "reason": "too loud"}}')] * 2
    publish(api, "7001", "1024")
    assert states(api.sandbox) == ["delivered", "delivered"]
    to_normal, to_channel = sorted(receiver.bodies(), key=lambda body: "connector_id" in body["header"])
    assert to_channel["header"]["connector_id"] == "7001"
    assert "space_id" not in to_channel["event"]
    assert to_normal["header"]["api_app_id"] == normal["id"]
    review = api.sandbox._state.find("review", f"7001/{BOT_ID}")
    assert review == {"audit_status": 3, "reason": "too loud"}


@pytest.mark.parametrize("answer", [b"", b"ok", b"{}", b'{"audit": {"audit_status": 9}}', b"[" * 9999], ids=len)
def test_channel_that_does_not_decide(api, receiver, answer):
    """A response of the app of a channel that has no decision counts as no response, and the callback is sent again."""
    app_for(api, receiver, "bot.published", app_type="connector", connector_id="7001")
    receiver.answers += [(200, answer), (200, b'{"audit": {"audit_status": 2}}')]
    publish(api, "1024", "7001")
    assert states(api.sandbox) == ["waiting"]
    assert api.sandbox.callbacks.deliveries[0].attempts[0].error
    api.sandbox.clock.advance(60)
    assert states(api.sandbox) == ["delivered"]


def test_attempts(api, receiver):
    """A failed delivery is attempted again by the clock of the sandbox, as the same message signed anew."""
    app_for(api, receiver, "bot.published")
    receiver.answers += [(500, b""), (302, b"")]
    publish(api)
    assert states(api.sandbox) == ["waiting"]
    api.sandbox.clock.advance(1)
    assert states(api.sandbox) == ["waiting"]
    api.sandbox.clock.advance(5)
    assert states(api.sandbox) == ["delivered"]
    (delivery,) = api.sandbox.callbacks.deliveries
    assert [attempt.status for attempt in delivery.attempts] == [500, 302, 200]
    assert [attempt.error for attempt in delivery.attempts] == ["HTTP 500", "HTTP 302", ""]
    assert delivery.status == 200
    assert len({body for _, body in receiver.received}) == 1
    assert len({headers["x-coze-nonce"] for headers, _ in receiver.received}) == 3


def test_last_attempt(api, receiver):
    """After the last attempt a delivery has failed."""
    app_for(api, receiver, "bot.published")
    receiver.answers += [(503, b"")] * 9
    publish(api)
    assert states(api.sandbox) == ["waiting"]
    for state in ("waiting", "waiting", "failed"):
        api.sandbox.clock.advance(60)
        assert states(api.sandbox) == [state]
    assert len(receiver.received) == 4


def test_nobody_listens(api, receiver):
    """An address where no server listens is an error of the attempt, with a readable reason."""
    app = app_for(api, receiver, "bot.published")
    api.ok("PUT", f"{APPS}/{app['id']}", json={"callback_url": "http://127.0.0.1:9/"})
    publish(api)
    assert states(api.sandbox) == ["waiting"]
    assert "ConnectError" in api.sandbox.callbacks.deliveries[0].attempts[0].error


def test_addresses_that_cannot_be(api, receiver):
    """An address that nothing can be sent to is an error of the attempt as well, not one that is under way for ever."""
    app = app_for(api, receiver, "bot.published")
    api.ok("PUT", f"{APPS}/{app['id']}", json={"callback_url": "http://127.0.0.1:99999/"})
    publish(api)
    assert states(api.sandbox) == ["waiting"]
    assert api.sandbox.callbacks.deliveries[0].attempts[0].error


def test_slow_receiver(api, receiver):
    """A slow receiver delays neither the call that caused its callback nor the callbacks of other receivers."""
    receiver.gate.clear()
    app_for(api, receiver, "bot.published")
    app_for(api, receiver, "bot.published")
    publish(api)
    assert [delivery.state for delivery in api.sandbox.callbacks.deliveries] == ["pending", "pending"]
    with pytest.raises(TimeoutError):
        api.sandbox.callbacks.wait(0.01)
    while len(receiver.received) < 2:
        pass
    receiver.gate.set()
    assert states(api.sandbox) == ["delivered", "delivered"]


def test_late_answer(receiver):
    """A callback whose receiver responds after the described time has failed."""
    with Sandbox(callback_pauses=()) as sandbox:
        kind = sandbox.callbacks._kinds["bot.deleted"]
        sandbox.callbacks._kinds["bot.deleted"] = attrs.evolve(kind, seconds=0.05)
        sandbox._state.store.put("api_app", "1", app_document(receiver.url))
        receiver.gate.clear()
        sandbox.callbacks.send("bot.deleted", api_app_id="1")
        assert states(sandbox) == ["failed"]
        assert sandbox.callbacks.deliveries[0].attempts[0].error == "no response within 0.05 seconds"


def test_later_messages_overtake(receiver):
    """A callback that waits for its next attempt does not delay later ones, and so arrives after them."""
    with Sandbox(callback_pauses=(600,)) as sandbox:
        sandbox._state.store.put("api_app", "1", app_document(receiver.url))
        receiver.answers.append((500, b""))
        for expected in (["waiting"], ["waiting", "delivered"]):
            sandbox.callbacks.send("bot.deleted", api_app_id="1")
            assert states(sandbox) == expected
        sandbox.clock.advance(600)
        assert states(sandbox) == ["delivered", "delivered"]
        first, second = (delivery.event_id for delivery in sandbox.callbacks.deliveries)
    assert [message["header"]["event_id"] for message in receiver.bodies()] == [first, second, first]


def app_document(url):
    """Return a callback app as it is kept."""
    return {"id": "1", "app_type": "normal", "callback_url": url, "connector_id": "", "verify_token": "secret"}


@pytest.mark.parametrize(
    "url", ["http://10.255.255.1/", "https://example.com/", "http://[::ffff]x/", "ftp://127.0.0.1/"]
)
def test_strangers_are_not_called(api, url):
    """A local sandbox sends nothing to other machines, unless it is allowed to."""
    app = api.ok("POST", APPS, json={"app_type": "normal", "name": "n"})["id"]
    api.ok("PUT", f"{APPS}/{app}", json={"callback_url": url})
    api.sandbox.callbacks.send("bot.deleted", api_app_id=app)
    assert states(api.sandbox) == ["blocked"]
    assert not api.sandbox.callbacks.deliveries[0].attempts


@pytest.mark.parametrize("hosts", [["sandbox.invalid"], ["*"]])
def test_allowed_strangers(hosts):
    """Hosts can be allowed by name, or all of them."""
    with Sandbox(callback_hosts=hosts, callback_pauses=()) as sandbox:
        sandbox._state.store.put("api_app", "1", app_document("http://sandbox.invalid/"))
        sandbox.callbacks.send("bot.deleted", api_app_id="1")
        assert states(sandbox) == ["failed"]  # there is no such host


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_sent(api, receiver, kind):
    """Every described message can be sent on demand; without an event of one's own with the described one."""
    app_for(api, receiver, kind)
    (delivery,) = api.sandbox.callbacks.send(kind)
    assert states(api.sandbox) == ["delivered"]
    assert delivery.kind == kind
    example = api.sandbox.description.document["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]
    assert receiver.bodies()[0]["event"] == example["example"]["event"]


def test_own_event(api, receiver):
    """A message can be sent with an event of one's own, which must be as described, to one app."""
    app = app_for(api, receiver, "bot.published")["id"]
    api.sandbox.callbacks.send("bot.deleted", {"bot_id": "7"}, api_app_id=app)
    assert states(api.sandbox) == ["delivered"]
    assert receiver.bodies()[0]["event"] == {"bot_id": "7"}
    assert api.sandbox.callbacks.send("bot.deleted") == []  # nobody is subscribed
    with pytest.raises(ValueError, match="not as described"):
        api.sandbox.callbacks.send("bot.deleted", {"bot_id": 7}, api_app_id=app)
    with pytest.raises(ValueError, match=r"unknown callback 'bot\.eaten'"):
        api.sandbox.callbacks.send("bot.eaten")
    with pytest.raises(ValueError, match="no callback app 9"):
        api.sandbox.callbacks.send("bot.deleted", api_app_id="9")


def test_apps_without_subscription_or_address_get_no_callbacks(api, receiver):
    """Apps without a subscription, apps without an address, and deleted apps get no callbacks."""
    app = app_for(api, receiver, "bot.deleted")["id"]
    publish(api)
    api.ok("POST", f"{APPS}/{app}/events", json={"event_types": ["bot.published"]})
    api.ok("PUT", f"{APPS}/{app}", json={"callback_url": ""})
    publish(api)
    api.ok("DELETE", f"{APPS}/{app}")
    publish(api)
    assert api.sandbox.callbacks.deliveries == []


@pytest.mark.parametrize(("role", "expected"), [(None, 0), ("member", 0), ("admin", 1)])
def test_accounts(api, receiver, role, expected):
    """Other accounts do not see the apps of this one; their own apps get callbacks of workspaces of which they are
    owner or admin.
    """
    token = {"expires_at": 1e12, "user_id": COLLEAGUE_IDS[0], "permissions": None}
    api.sandbox.store.put("token", "of a colleague", token)
    mine = app_for(api, receiver, "bot.unpublished")["id"]
    if role:
        member = {"user_id": COLLEAGUE_IDS[0], "role_type": role}
        api.sandbox.store.put("member", f"{WORKSPACE_ID}/{COLLEAGUE_IDS[0]}", member, WORKSPACE_ID)
    api.http.headers["Authorization"] = "Bearer of a colleague"
    theirs = app_for(api, receiver, "bot.published")["id"]
    assert [app["id"] for app in api.ok("GET", APPS)["items"]] == [theirs]
    assert api.refused("DELETE", f"{APPS}/{mine}") == (404, 4200)
    api.http.headers["Authorization"] = f"Bearer {api.sandbox.token}"
    publish(api)
    assert states(api.sandbox) == ["delivered"] * expected


def test_colleague_publishes(api, receiver):
    """When somebody publishes a bot of another user, its owner gets the callback."""
    token = {"expires_at": 1e12, "user_id": COLLEAGUE_IDS[0], "permissions": None}
    api.sandbox.store.put("token", "of a colleague", token)
    api.join(COLLEAGUE_IDS[0])
    app_for(api, receiver, "bot.published")
    api.http.headers["Authorization"] = "Bearer of a colleague"
    publish(api)
    assert states(api.sandbox) == ["delivered"]
    message = receiver.bodies()[0]
    assert (message["header"]["coze_account_id"], message["event"]["user_id_str"]) == (USER_ID, int(COLLEAGUE_IDS[0]))


def test_failed_call_sends_no_callbacks(api, receiver, monkeypatch):
    """A call that fails at the end sends no callbacks about what it did before."""
    from coze_sandbox._handlers import HANDLERS

    publishing = HANDLERS["bots.publish"]

    def broken(call):
        publishing(call)
        raise KeyError("boom")

    app_for(api, receiver, "bot.published")
    monkeypatch.setitem(HANDLERS, "bots.publish", broken)
    assert api.refused("POST", "/v1/bot/publish", json={"bot_id": BOT_ID, "connector_ids": ["1024"]})[0] == 500
    assert api.sandbox.callbacks.deliveries == []


def test_app_that_is_deleted_meanwhile(api, receiver):
    """A callback that waits for its next attempt is abandoned when its app is deleted."""
    app = app_for(api, receiver, "bot.published")["id"]
    receiver.answers.append((500, b""))
    publish(api)
    assert states(api.sandbox) == ["waiting"]
    api.ok("DELETE", f"{APPS}/{app}")
    api.sandbox.clock.advance(60)
    assert states(api.sandbox) == ["abandoned"]
    assert len(receiver.received) == 1


def test_messages_that_are_not_as_described(api, receiver):
    """A callback message that does not match the description becomes a violation and is not sent; the call succeeds."""
    app_for(api, receiver, "bot.unpublished")
    bot = api.sandbox._state.find("bot", BOT_ID)
    bot["draft"]["description"] = 7
    api.sandbox._state.store.put("bot", BOT_ID, bot, WORKSPACE_ID)
    api.ok("POST", f"/v1/bots/{BOT_ID}/unpublish", json={"connector_id": "1024"})
    assert api.sandbox.callbacks.deliveries == []
    assert api.sandbox.violations[0].operation == "webhooks.bot.unpublished"
    api.sandbox.violations.clear()


def test_control_endpoint(api, receiver):
    """Other processes can send, look at and forget callbacks."""
    app = app_for(api, receiver, "bot.deleted")["id"]
    path = "/_sandbox/callbacks"
    sent = api.http.post(path, json={"kind": "bot.deleted", "event": {"bot_id": "7"}}).json()["deliveries"]
    assert sent[0]["api_app_id"] == app
    assert states(api.sandbox) == ["delivered"]
    (listed,) = api.http.get(path).json()["deliveries"]
    assert (listed["state"], listed["body"]["event"], listed["attempts"][0]["status"]) == (
        "delivered",
        {"bot_id": "7"},
        200,
    )
    assert api.http.post(path, json={"kind": "bot.eaten"}).status_code == 400
    api.http.delete(path)
    assert api.http.get(path).json() == {"deliveries": []}


@pytest.mark.parametrize("gone", ["close", "reset"])
def test_stop_with_deliveries_under_way(receiver, gone):
    """A sandbox that stops or starts afresh gives up what waits, and does not wait long for what is being sent."""
    others = set(threading.enumerate())
    sandbox = Sandbox().start()
    receiver.answers.append((500, b""))
    sandbox._state.store.put("api_app", "1", app_document(receiver.url))
    (waiting,) = sandbox.callbacks.send("bot.deleted", api_app_id="1")
    sandbox.callbacks.wait()
    receiver.gate.clear()
    (sending,) = sandbox.callbacks.send("bot.deleted", api_app_id="1")
    while len(receiver.received) < 2:
        pass
    getattr(sandbox, gone)()
    assert (waiting.state, sending.state) == ("abandoned", "abandoned")
    sandbox.close()
    left = set(threading.enumerate()) - others
    assert not [thread for thread in left if thread.name.startswith("coze-")]


def test_what_is_being_sent_may_end(receiver):
    """What is being sent when the sandbox stops may end."""
    sandbox = Sandbox().start()
    sandbox._state.store.put("api_app", "1", app_document(receiver.url))
    (delivery,) = sandbox.callbacks.send("bot.deleted", api_app_id="1")
    sandbox.close()
    assert delivery.state == "delivered"
