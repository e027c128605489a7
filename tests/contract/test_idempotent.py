"""What the description calls idempotent is tried again after a lost answer: it must not make anything twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from coze_api import APIError, Client
from coze_sandbox import (
    APP_ID,
    BOT_ID,
    COLLEAGUE_IDS,
    ENTERPRISE_ID,
    ORGANIZATION_ID,
    VOICE_ID,
    WORKFLOW_ECHO,
    WORKSPACE_ID,
    Sandbox,
)
from tests.contract._calls import Call, calls, resolve

CALLS = [
    call for call in calls() if call.verb.lower() != "get" and call.takes_token and not call.id.startswith("oauth.")
]
AGAIN = [pytest.param(call, id=call.id) for call in CALLS if call.described["x-coze-idempotent"]]
ONCE = [pytest.param(call, id=call.id) for call in CALLS if not call.described["x-coze-idempotent"]]
# What is there for every call, so that few are refused for naming nothing.
KNOWN = {
    "app_id": APP_ID,
    "bot_id": BOT_ID,
    "connector_id": "1024",
    "enterprise_id": ENTERPRISE_ID,
    "file": ("sound.wav", b"RIFF"),
    "messages": [{"role": "user", "content": "Hello", "content_type": "text"}],
    "organization_id": ORGANIZATION_ID,
    "space_id": WORKSPACE_ID,
    "super_admin_user_id": "7300000000000000001",
    "voice_id": VOICE_ID,
    "workflow_id": WORKFLOW_ECHO,
    "workspace_id": WORKSPACE_ID,
    "users": [{"user_id": COLLEAGUE_IDS[0], "role_type": "member", "role": "enterprise_member"}],
}
NAMES = re.compile(r"_(id|uid|ids|version)$|^shortcut_command$|^knowledge$")
MAKERS = {
    "api_apps.create",
    "audio.voiceprint_groups.create",
    "audio.voiceprint_groups.features.create",
    "audio.voices.clone",
    "bots.create",
    "bots.publish",
    "chat.create",
    "conversations.create",
    "conversations.messages.create",
    "datasets.create",
    "datasets.documents.create",
    "enterprises.organizations.create",
    "files.upload",
    "templates.duplicate",
    "workflows.runs.create",
    "workspaces.create",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Run one sandbox for all calls."""
    with Sandbox() as sandbox:
        yield sandbox


def made_by(call: Call, sandbox: Sandbox) -> list[Counter[str]]:
    """Call twice, and return how much of each kind each call has added. Refusals add nothing."""
    sandbox.reset()
    with Client(sandbox.base_url, sandbox.token) as client:
        known = {**KNOWN, **things(client)}
        arguments = plain(call)
        arguments |= {name: value for name, value in known.items() if name in arguments}
        counts = [Counter(sandbox.store.kinds())]
        for _ in range(2):
            try:
                result = call.method(client)(**arguments)
                if call.streams:
                    with result as events:
                        list(events)
            except APIError:
                pass
            counts.append(Counter(sandbox.store.kinds()))
    return [after - before for before, after in pairwise(counts)]


def things(client: Client) -> dict[str, Any]:
    """Make some of what calls are about."""
    conversation = client.conversations.create(bot_id=BOT_ID)
    message = {"role": "assistant", "content": "Hello", "content_type": "text"}
    message = client.conversations.messages.create(conversation_id=conversation.id, **message)
    group = client.audio.voiceprint_groups.create(name="Home")
    dataset = client.datasets.create(name="Manuals", space_id=WORKSPACE_ID, format_type=0)
    return {
        "conversation_id": conversation.id,
        "message_id": message.id,
        "group_id": group.id,
        "dataset_id": dataset.dataset_id,
    }


def plain(call: Call) -> dict[str, Any]:
    """Return the described example without what names something and may be left out."""
    values, body = call.example()
    media = call.body or call.form
    needed = {parameter["name"] for parameter in call.parameters if parameter.get("required")}
    needed |= set(resolve(media["schema"]).get("required", ())) if media is not None else set()

    def without_names(members: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in members.items() if name in needed or not NAMES.search(name)}

    return call.arguments(without_names(values), without_names(body))


@pytest.mark.parametrize("call", AGAIN)
def test_again(call: Call, sandbox: Sandbox) -> None:
    """A second call makes nothing that the first one did not."""
    _, second = made_by(call, sandbox)
    assert not second


@pytest.mark.parametrize("call", [maker for maker in ONCE if maker.id in MAKERS])
def test_once(call: Call, sandbox: Sandbox) -> None:
    """What makes something makes it twice if it is called twice: calling it idempotent would be seen."""
    first, second = made_by(call, sandbox)
    assert first
    assert second


def test_makers_are_not_idempotent() -> None:
    """All that is known to make something is described as such."""
    assert {maker.id for maker in ONCE} >= MAKERS
