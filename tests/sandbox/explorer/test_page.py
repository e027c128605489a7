"""The page that shows the sandbox to people."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID, Sandbox
from tests._chromium import Chromium, needs_chromium


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Give one browser for all tests: starting it takes seconds."""
    with Chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def chromium(running: Chromium, coze_sandbox: Sandbox) -> Iterator[Chromium]:
    """Yield the browser, and fail the test if the page requested anything of another server or logged an error."""
    running.requested.clear()
    running.console.clear()
    running.open("about:blank#away")
    yield running
    assert [
        url for url in running.requested if not url.startswith((coze_sandbox.base_url, "data:", "about:", "blob:"))
    ] == []
    assert running.console == []


def go(chromium: Chromium, sandbox: Sandbox, part: str) -> None:
    """Open a part of the page and wait until it is shown."""
    chromium.open(f"{sandbox.base_url}/#/{part}")
    chromium.until(f"document.body.dataset.shown === '#/{part}'")


@needs_chromium
def test_the_pace_of_streams_is_shown(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """Beside its address and token the page shows how fast events come: in tests without a pause."""
    go(chromium, coze_sandbox, "operations")
    assert "events of streams without a pause" in chromium.text
    with Sandbox(event_seconds=0.04) as paced:
        before = chromium.requested[:]
        go(chromium, paced, "operations")
        assert "events of streams every 40 ms" in chromium.text
        chromium.open("about:blank#away")
    chromium.requested[:] = before


@needs_chromium
def test_an_operation_can_be_tried(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """Sending the form of an operation calls it, with the token and what exists at the start, and shows the answer."""
    go(chromium, coze_sandbox, "operations/bots.retrieve")
    chromium.click("#send")
    chromium.until("document.querySelector('#answer')")
    assert "HTTP 200 OK" in chromium.text
    assert '"name": "Sandbox bot"' in chromium.text
    [record] = coze_sandbox.requests
    assert (record.operation, record.verdict, record.path) == ("bots.retrieve", "ok", f"/v1/bots/{BOT_ID}")


@needs_chromium
def test_sample_request_of_create_operation_succeeds_at_once(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """The body that the page fills in for a create operation needs no object that does not exist yet."""
    go(chromium, coze_sandbox, "operations/bots.create")
    chromium.click("#send")
    chromium.until("document.querySelector('#answer')")
    assert "HTTP 200 OK" in chromium.text
    assert coze_sandbox.requests[-1].body["name"]


@needs_chromium
def test_form_links_to_the_operation_that_creates_its_object(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """If no object exists yet, the form of an operation links to the form that creates one, and has its id afterwards."""
    go(chromium, coze_sandbox, "operations/chat.cancel")
    chromium.click("#before a")
    chromium.until("document.body.dataset.shown === '#/operations/chat.create/chat.cancel'")
    assert "/slow 60 Hello" in chromium.evaluate("document.querySelector('#body').value")
    chromium.click("#send")
    chromium.until("document.querySelector('#answer')")
    chromium.click("#after a")
    chromium.until("document.body.dataset.shown === '#/operations/chat.cancel'")
    assert chromium.evaluate("document.querySelector('#before')") is None
    chromium.click("#send")
    chromium.until("document.querySelector('#answer')")
    assert '"status": "canceled"' in chromium.text


@needs_chromium
def test_forms_with_files(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """The page fills in the fields beside a file; where it cannot fill in a field, it shows why."""
    go(chromium, coze_sandbox, "operations/audio.voices.clone")
    assert chromium.evaluate("document.querySelector('#part-voice_name').value") == "Cheerful boy"
    go(chromium, coze_sandbox, "operations/oauth.token")
    assert "Needs a code" in chromium.text


@needs_chromium
def test_a_stream_is_shown_as_it_comes(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """The events of a chat are shown as text."""
    go(chromium, coze_sandbox, "operations/chat.create")
    body = '{"bot_id": "%s", "user_id": "me", "stream": true, "additional_messages": [{"role": "user", "content": "/say Good morning", "content_type": "text"}]}'
    chromium.evaluate(f"document.querySelector('#body').value = {body % BOT_ID!r}")
    chromium.click("#send")
    chromium.until("document.querySelector('#answer')?.textContent.includes('event:done')")
    assert "conversation.message.delta" in chromium.text


@needs_chromium
def test_list_of_requests_shows_why_one_was_refused(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """The list of requests shows why a request was refused, also for requests that arrive while the list is open."""
    go(chromium, coze_sandbox, "requests")
    headers = {"Authorization": f"Bearer {coze_sandbox.token}"}
    httpx.post(f"{coze_sandbox.base_url}/v1/bot/create", json={"space_id": "1", "name": 5}, headers=headers)
    chromium.until("document.querySelector('tr[data-number=\"1\"]')")
    chromium.click('tr[data-number="1"]')
    chromium.until("document.querySelector('#request h2')")
    assert "body.name: 5 is not of type" in chromium.text
    assert coze_sandbox.token not in chromium.evaluate("document.querySelector('#request').innerText")


@needs_chromium
def test_the_list_of_requests_follows_the_log(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """While the list is open, new requests are added to it, and requests that the log has dropped are removed."""
    httpx.get(f"{coze_sandbox.base_url}/v1/nowhere/1")
    go(chromium, coze_sandbox, "requests")
    httpx.get(f"{coze_sandbox.base_url}/v1/nowhere/2")
    chromium.until("document.querySelectorAll('tr[data-number]').length === 2")
    coze_sandbox.requests.clear()
    httpx.get(f"{coze_sandbox.base_url}/v1/nowhere/3")
    chromium.until("document.querySelectorAll('tr[data-number]').length === 1")
    assert "/v1/nowhere/3" in chromium.text


@needs_chromium
def test_what_callers_send_does_not_become_markup(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """A request that holds HTML is shown as text."""
    httpx.get(
        f"{coze_sandbox.base_url}/v1/<img src=x onerror=console.log(1)>",
        params={"q": "<script>console.log(2)</script>"},
    )
    go(chromium, coze_sandbox, "requests/1")
    chromium.until("document.querySelector('#request h2')")
    assert "onerror" in chromium.text
    assert chromium.evaluate("document.querySelectorAll('#main img, #main script').length") == 0


@needs_chromium
def test_code_in_descriptions(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """What descriptions set off by backticks is shown as code, and what looks like markup in it stays text."""
    for operation in ("chat.create", "audio.voices.clone"):  # in parameters of the one, in parts of the other
        go(chromium, coze_sandbox, f"operations/{operation}")
        assert "`" not in chromium.text
        codes = "[...document.querySelectorAll('section > p code, td.soft code')].map((one) => one.textContent)"
        assert set(chromium.evaluate(codes)) & {"chat.retrieve", "audio.speech.create"}
        assert chromium.evaluate("document.querySelectorAll('td.soft code').length") > 0
    make = "import('/_sandbox/page/dom.js').then(({ el, prose }) => el('p', {}, prose(%r)).innerHTML)"
    assert chromium.evaluate(make % "a `<b>` <i>") == "a <code>&lt;b&gt;</code> &lt;i&gt;"
    assert chromium.evaluate(make % "one ` is not code") == "one ` is not code"


@needs_chromium
def test_the_state_can_be_browsed_and_reset(chromium: Chromium, coze_sandbox: Sandbox) -> None:
    """What was made is found under its kind, and is gone after a reset."""
    headers = {"Authorization": f"Bearer {coze_sandbox.token}"}
    conversation_id = httpx.post(f"{coze_sandbox.base_url}/v1/conversation/create", json={}, headers=headers).json()[
        "data"
    ]["id"]
    go(chromium, coze_sandbox, "state/conversation")
    chromium.until(f"document.querySelector('#main').innerText.includes({conversation_id!r})")
    chromium.click("#reset")
    chromium.until(f"!document.querySelector('#main').innerText.includes({conversation_id!r})")
    assert "bot" in chromium.text
    assert len(coze_sandbox.requests) == 0


@needs_chromium
def test_the_page_as_it_looks(chromium: Chromium, coze_sandbox: Sandbox, tmp_path: Path) -> None:
    """The page fills the window and is not wider; COZEKIT_SCREENSHOT names a file to keep the picture in."""
    chat: dict[str, Any] = {
        "bot_id": BOT_ID,
        "user_id": "me",
        "additional_messages": [{"role": "user", "content": "Hello", "content_type": "text"}],
    }
    headers = {"Authorization": f"Bearer {coze_sandbox.token}"}
    with httpx.Client(base_url=coze_sandbox.base_url, headers=headers) as http:
        http.get("/v1/workspaces")
        http.post("/v3/chat", json={**chat, "stream": True})
        http.post("/v3/chat", json=chat | {"user_id": 7})
        http.get("/v1/users/me", headers={"X-Sandbox-Fault": "rate_limit"})
    go(chromium, coze_sandbox, "requests/3")
    chromium.until("document.querySelector('#request h2')")
    assert chromium.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture = Path(os.environ.get("COZEKIT_SCREENSHOT", tmp_path / "page.png"))
    chromium.screenshot(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_other_pages_cannot_control_the_sandbox(coze_sandbox: Sandbox) -> None:
    """A page from elsewhere, or under another name of this machine, is refused; the sandbox's own is not."""
    reset = f"{coze_sandbox.base_url}/_sandbox/reset"
    host = coze_sandbox.base_url.removeprefix("http://")
    port = host.rpartition(":")[2]
    assert httpx.post(reset, json={}, headers={"Origin": coze_sandbox.base_url}).status_code == 200
    assert httpx.post(reset, json={}, headers={"Origin": "https://evil.test"}).status_code == 403
    rebound = {"Origin": f"http://evil.test:{port}", "Host": f"evil.test:{port}"}
    assert httpx.post(reset, json={}, headers=rebound).status_code == 403


def test_state_shows_no_secrets(coze_sandbox: Sandbox) -> None:
    """Tokens that were given out are counted, and not shown."""
    state = f"{coze_sandbox.base_url}/_sandbox/state"
    coze_sandbox.store.put("token", "czu_secret", {"expires_at": 0})
    assert httpx.get(state).json()["kinds"]["token"] == 1
    assert "czu_secret" not in httpx.get(state, params={"kind": "token"}).text


def test_long_states_are_not_read_whole(coze_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many documents of a kind the newest 500 are listed, newest first, and no others are read."""
    for number in range(600):
        coze_sandbox.store.put("conversation", str(number), {"id": str(number)})
    read: list[str] = []

    def document(body: str) -> Any:
        read.append(body)
        return json.loads(body)

    monkeypatch.setattr("coze_sandbox._state.store._document", document)
    state = httpx.get(f"{coze_sandbox.base_url}/_sandbox/state", params={"kind": "conversation"}).json()
    assert [document["id"] for document in state["documents"]] == [str(number) for number in range(599, 99, -1)]
    assert len(read) == 500


def test_files_of_the_page(coze_sandbox: Sandbox) -> None:
    """Only the page's own files are served, with a policy that lets nothing else in."""
    page = httpx.get(coze_sandbox.base_url)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert httpx.get(f"{coze_sandbox.base_url}/_sandbox/page/main.js").status_code == 200
    assert httpx.get(f"{coze_sandbox.base_url}/_sandbox/page/..%2Fstatic_files.py").status_code == 404
    assert httpx.post(coze_sandbox.base_url).status_code == 405
