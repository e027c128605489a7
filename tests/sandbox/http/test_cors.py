"""Pages in browsers: those that may call the sandbox, and those that may not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from coze_sandbox import BOT_ID, Sandbox
from tests._chromium import Chromium, needs_chromium
from tests._serving import serving
from tests.sandbox.websockets._connection import CHAT, address

PAGE = "https://page.test"
REBOUND = "rebound.test"  # which the browser of these tests finds at 127.0.0.1


class EmptyPage(BaseHTTPRequestHandler):
    """Responds to every request with an empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Give one browser for all tests: starting it takes seconds."""
    with Chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def foreign(chromium: Chromium) -> Iterator[Chromium]:
    """Give the browser with a page of another origin than the sandbox's."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)) as url:
        chromium.open(f"{url}/page")
        yield chromium
        chromium.open("about:blank#away")


def fetch_in_page(browser: Chromium, url: str, options: dict[str, Any]) -> Any:
    """Fetch something from the page; return its status, log id and text, or the name of the error."""
    return browser.evaluate(
        f"fetch({json.dumps(url)}, {json.dumps(options)}).then(async (answer) =>"
        " [answer.status, answer.headers.get('x-tt-logid'), await answer.text()], (error) => error.name)"
    )


@needs_chromium
def test_pages_of_other_origins_call_the_api(foreign: Chromium, coze_sandbox: Sandbox) -> None:
    """A page elsewhere streams a chat, reads refusals and their log ids, and learns of ordered faults."""
    headers = {"Authorization": f"Bearer {coze_sandbox.token}", "Content-Type": "application/json"}
    message = {"role": "user", "content": "Hi", "content_type": "text"}
    body = json.dumps({"bot_id": BOT_ID, "user_id": "u", "stream": True, "additional_messages": [message]})
    chat = {"method": "POST", "headers": headers, "body": body}
    url = coze_sandbox.base_url
    status, logid, text = fetch_in_page(foreign, f"{url}/v3/chat", chat)
    assert (status, text.count("event:done")) == (200, 1)
    assert logid == coze_sandbox.requests[-1].logid
    status, logid, text = fetch_in_page(foreign, f"{url}/v3/chat", {**chat, "body": "{}"})
    assert (status, json.loads(text)["detail"]["logid"]) == (400, logid)
    limited = {**headers, "X-Sandbox-Fault": "rate_limit"}
    assert fetch_in_page(foreign, f"{url}/v3/chat", {**chat, "headers": limited})[0] == 429
    assert fetch_in_page(foreign, f"{url}/v1/nowhere", {"method": "PATCH", "headers": headers})[0] == 404
    # The browser's own questions are not calls.
    assert [record.method for record in coze_sandbox.requests] == ["POST", "POST", "POST", "PATCH"]


@needs_chromium
def test_streams_are_read_as_they_come(foreign: Chromium, coze_sandbox: Sandbox) -> None:
    """A page elsewhere reads the first events of a stream that has not ended."""
    coze_sandbox.faults.add("stall", events=2)
    message = {"role": "user", "content": "Hi", "content_type": "text"}
    body = {"bot_id": BOT_ID, "user_id": "u", "stream": True, "additional_messages": [message]}
    options = {
        "method": "POST",
        "headers": {"Authorization": f"Bearer {coze_sandbox.token}", "Content-Type": "application/json"},
        "body": json.dumps(body),
    }
    text = foreign.evaluate(
        f"(async () => {{ const answer = await fetch('{coze_sandbox.base_url}/v3/chat', {json.dumps(options)});"
        " const reader = answer.body.getReader(), decoder = new TextDecoder(); let text = '';"
        " while (text.split('\\n\\n').length < 3) text += decoder.decode((await reader.read()).value);"
        " await reader.cancel(); return text; })()"
    )
    assert text.count("event:") == 2


@needs_chromium
def test_pages_of_other_origins_upload(foreign: Chromium, coze_sandbox: Sandbox) -> None:
    """A page elsewhere uploads a file."""
    text = foreign.evaluate(
        "(async () => { const form = new FormData(); form.append('file', new Blob(['abc']), 'a.txt');"
        f" const headers = {{Authorization: 'Bearer {coze_sandbox.token}'}};"
        f" const answer = await fetch('{coze_sandbox.base_url}/v1/files/upload', {{method: 'POST', headers, body: form}});"
        " return await answer.text(); })()"
    )
    assert json.loads(text)["data"]["bytes"] == 3


@needs_chromium
def test_pages_of_other_origins_open_websockets(foreign: Chromium, coze_sandbox: Sandbox) -> None:
    """A page elsewhere that has the token opens a WebSocket; one without is refused."""
    opened = (
        "new Promise((resolve) => {{ const socket = new WebSocket({!r});"
        " socket.onmessage = (message) => {{ socket.close(); resolve(JSON.parse(message.data).event_type); }};"
        " socket.onerror = () => resolve('refused'); }})"
    )
    with_token = address(coze_sandbox, CHAT, authorization=f"Bearer {coze_sandbox.token}")
    assert foreign.evaluate(opened.format(with_token)) == "chat.created"
    assert foreign.evaluate(opened.format(address(coze_sandbox, CHAT))) == "refused"


@needs_chromium
def test_pages_of_other_origins_control_nothing(foreign: Chromium, coze_sandbox: Sandbox) -> None:
    """A page elsewhere can neither read nor use what works without a token."""
    url = coze_sandbox.base_url
    for path in ("/", "/_sandbox/", "/_sandbox/oauth/jwt-config", "/_sandbox/page/main.js", "/device"):
        assert fetch_in_page(foreign, url + path, {}) == "TypeError"
    assert (
        fetch_in_page(foreign, f"{url}/_sandbox/bots", {"method": "POST", "body": json.dumps({"bot_id": "1"})})
        == "TypeError"
    )
    # Without a preflight the request is sent, though its response cannot be read.
    plain = {"method": "POST", "mode": "no-cors", "body": json.dumps({"bot_id": "73"})}
    fetch_in_page(foreign, f"{url}/_sandbox/bots", plain)
    assert coze_sandbox.store.get("bot", "73") is None


@needs_chromium
def test_rebound_pages(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """A page whose own name was made to point here reads neither token nor keys, and opens no WebSocket with a token."""
    url = httpx.URL(coze_sandbox.base_url).copy_with(host=REBOUND)
    chromium.open(f"{url}/")
    assert f"--allow-host {REBOUND}" in chromium.text
    for path in ("/", "/_sandbox/", "/_sandbox/oauth/jwt-config", "/_sandbox/state", "/device", "/v1/users/me"):
        status, _, text = fetch_in_page(chromium, path, {"headers": {"Authorization": f"Bearer {coze_sandbox.token}"}})
        assert (status, "--allow-host" in text) == (403, True)
    assert fetch_in_page(chromium, "/_sandbox/bots", {"method": "POST", "body": '{"bot_id": "73"}'})[0] == 403
    assert coze_sandbox.store.get("bot", "73") is None
    socket = f"ws://{url.netloc.decode()}{CHAT}&authorization=Bearer%20{coze_sandbox.token}"
    closed = f"new Promise((resolve) => {{ const s = new WebSocket({socket!r}); s.onopen = s.onerror = (e) => resolve(e.type); }})"
    assert chromium.evaluate(closed) == "error"
    assert coze_sandbox.requests[-1].status == 403
    chromium.open("about:blank#away")


@needs_chromium
def test_the_page_works_under_a_name_that_is_allowed(chromium: Chromium) -> None:
    """Under a name that was allowed, the sandbox's own page works."""
    with Sandbox(allow_hosts=[REBOUND]) as sandbox:
        chromium.open(f"{httpx.URL(sandbox.base_url).copy_with(host=REBOUND)}/#/state")
        chromium.until("document.body.dataset.shown === '#/state'")
        chromium.click("#reset")
        chromium.until("document.querySelector('#main').innerText.includes('bot')")
        chromium.open("about:blank#away")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200),
        ("[::1]:1", 200),
        ("192.0.2.7", 200),
        ("LOCALHOST:99", 200),
        ("localhost.", 200),
        ("dev.localhost:1", 200),
        ("evil.test", 403),
        ("localhost.evil.test", 403),
        ("127.0.0.1.evil.test", 403),
        ("evil.test#localhost", 403),
        ("notlocalhost", 403),
    ],
)
@pytest.mark.parametrize("path", ["/v1/users/me", "/_sandbox/", "/"])
def test_hosts(coze_sandbox: Sandbox, host: str, status: int, path: str) -> None:
    """A request is answered if it names an IP address or this machine, and refused if it names something else."""
    headers = {"Host": host, "Authorization": f"Bearer {coze_sandbox.token}"}
    answer = httpx.get(coze_sandbox.base_url + path, headers=headers)
    assert answer.status_code == status
    assert status == 200 or f"--allow-host {host.partition(':')[0]}" in answer.text


def test_hosts_of_websockets(coze_sandbox: Sandbox) -> None:
    """A WebSocket is held to the same names, also with a token, and the refusal is on record."""
    url = httpx.URL(address(coze_sandbox, CHAT, authorization=f"Bearer {coze_sandbox.token}"))
    rebound = str(url.copy_with(host="evil.test"))
    with pytest.raises(InvalidStatus) as failure, connect(rebound, sock=_connected(url)):
        pass
    assert failure.value.response.status_code == 403
    [record] = coze_sandbox.requests
    assert (record.verdict, record.status, "--allow-host evil.test" in record.reason) == ("refused", 403, True)


def _connected(url: httpx.URL) -> socket.socket:
    return socket.create_connection((url.host, url.port))


@pytest.mark.parametrize("name", ["*", "", "http://coze", "coze:8000", "a b", 5])
def test_hosts_that_are_no_names(name: object) -> None:
    """What is not a name of a host cannot be allowed."""
    with pytest.raises(ValueError, match="allow_hosts must be host names"):
        Sandbox(allow_hosts=[name])


def test_one_name_instead_of_a_list() -> None:
    """A name that stands alone is that name, and not its letters."""
    sandbox = Sandbox(allow_hosts="coze", callback_hosts="ci")
    sandbox.close()
    assert (sandbox.options.allow_hosts, sandbox.options.callback_hosts) == ({"coze"}, {"ci"})


def test_preflights_without_a_browser(coze_sandbox: Sandbox) -> None:
    """Every preflight is allowed, has the sandbox's time, and counts as no call; control endpoints allow none."""
    preflight = {"Origin": PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a,x-b"}
    answer = httpx.options(f"{coze_sandbox.base_url}/v1/nowhere", headers=preflight)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "PUT"
    assert answer.headers["access-control-allow-headers"] == "x-a,x-b"
    assert len(answer.headers.get_list("date")) == 1
    assert len(coze_sandbox.requests) == 0
    for path in ("/", "/_sandbox/", "/_sandbox/reset", "/_sandbox/page/main.js", "/oauth/consent", "/device"):
        answer = httpx.options(coze_sandbox.base_url + path, headers=preflight)
        assert answer.status_code >= 400
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_options_that_are_no_preflights(coze_sandbox: Sandbox) -> None:
    """OPTIONS without the headers of a browser is handled like any other method."""
    for headers in ({}, {"Origin": PAGE}, {"Access-Control-Request-Method": "POST"}):
        answer = httpx.options(f"{coze_sandbox.base_url}/v3/chat", headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert len(coze_sandbox.requests) == 3


@pytest.mark.parametrize("fault", ["html", "status", "cut; bytes=10", "drop", "huge"])
def test_faults_of_requests_from_pages(coze_sandbox: Sandbox, fault: str) -> None:
    """Faults happen to requests of pages as to all others, and the page may read what is answered."""
    headers = {"Authorization": f"Bearer {coze_sandbox.token}", "Origin": PAGE, "X-Sandbox-Fault": fault}
    try:
        with httpx.stream("GET", f"{coze_sandbox.base_url}/v1/users/me", headers=headers) as answer:
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "X-Tt-Logid" in answer.headers["access-control-expose-headers"]
            answer.read()
        assert fault in {"html", "status", "huge"}
    except httpx.RemoteProtocolError:
        assert fault in {"cut; bytes=10", "drop"}


def test_answers_to_others(coze_sandbox: Sandbox) -> None:
    """Who sends no origin gets no headers about it."""
    answer = httpx.get(f"{coze_sandbox.base_url}/v1/users/me")
    assert not [name for name in answer.headers if name.startswith("access-control")]
