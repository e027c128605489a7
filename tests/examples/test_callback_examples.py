"""The examples of callbacks receive callbacks."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_api.models import ApiAppEventType, ApiAppType
from coze_sandbox import BOT_ID, Sandbox
from cozekit import Coze
from tests._callbacks import TOKEN, signed

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/callbacks"


def posted(message: Any) -> dict[str, Any]:
    """Return what a client must be given to post *message* as Coze would have done on a day long ago."""
    body = json.dumps(message).encode()
    return {"content": body, "headers": signed(body, at=1749038258.245)}


@contextmanager
def running(token: str) -> Iterator[subprocess.Popen[str]]:
    """Run the example's server."""
    environment = {**os.environ, "COZE_VERIFY_TOKEN": token, "PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "wsgi_server.py")],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """Run the example's server, with the token that `signed` signs with."""
    with running(TOKEN) as process:
        yield process


def test_the_server_prints_what_it_receives(server: subprocess.Popen[str]) -> None:
    """The example server of the standard library accepts a published bot and prints a deleted one."""
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    published = {"header": {"event_type": "bot.published", "event_id": "1"}, "event": {"bot_name": "Guide"}}
    assert httpx.post(url, **posted(published)).json() == {"audit": {"audit_status": 2}}
    deleted = {"header": {"event_type": "bot.deleted", "event_id": "2"}, "event": {"bot_name": "Guide"}}
    assert httpx.post(url, **posted(deleted)).status_code == 200
    assert [server.stdout.readline() for _ in range(2)] == ["published: Guide\n", "deleted: Guide\n"]


@pytest.mark.anyio
async def test_the_application_reviews_and_refuses_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ASGI example answers the check of its address, and refuses a message from another year."""
    monkeypatch.setenv("COZE_VERIFY_TOKEN", TOKEN)
    app = runpy.run_path(str(EXAMPLES / "asgi_app.py"))["app"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://own") as http:
        assert (await http.post("/", json={"challenge": "c"})).json() == {"challenge": "c"}
        old = await http.post("/", **posted({"header": {"event_type": "bot.published", "event_id": "1"}}))
    assert old.status_code == 401
    assert "max_age is 1800 s" in old.json()["error"]


@pytest.mark.anyio
async def test_the_route_of_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    """The guide's application for Starlette receives a callback at the path that it shows, without a redirect."""
    guide = (EXAMPLES.parents[1] / "docs/guides/callbacks.md").read_text(encoding="utf-8")
    [code] = [block for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "Route(" in block]
    shown: dict[str, Any] = {"verify_token": TOKEN}
    exec(code, shown)
    deleted = {"header": {"event_type": "bot.deleted", "event_id": "1"}, "event": {"bot_name": "Guide"}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shown["app"]), base_url="http://own") as http:
        assert (await http.post("/coze", **posted(deleted))).status_code == 200
    assert capsys.readouterr().out == "bot.deleted\n"


def test_the_sandbox_sends_callbacks_to_the_server(coze_sandbox: Sandbox) -> None:
    """When a bot is published to the API channel, the sandbox sends a signed callback to the app that subscribes to it."""
    with Coze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
        app = coze.api_apps.create(app_type=ApiAppType.NORMAL, name="Bell")
        with running(app.verify_token) as process:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            coze.api_apps.update(api_app_id=app.id, callback_url=url)
            coze.api_apps.events.create(api_app_id=app.id, event_types=[ApiAppEventType.BOT_PUBLISHED])
            coze.bots.publish(bot_id=BOT_ID, connector_ids=["1024"])
            assert process.stdout.readline() == "published: Sandbox bot\n"
            coze_sandbox.callbacks.wait()
    assert [delivery.state for delivery in coze_sandbox.callbacks.deliveries] == ["delivered"]
