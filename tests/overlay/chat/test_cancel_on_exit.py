"""Streams that are closed before their end, and cancel their chat with `cancel_on_exit`."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import anyio
import anyio.from_thread
import pytest

from coze_api import models
from coze_sandbox import BOT_ID, Sandbox
from cozekit import AsyncCoze, errors, tool
from tests.overlay._clients import at_once

CHAT: dict[str, Any] = {"bot_id": BOT_ID, "user_id": "u"}


def canceled(sandbox: Sandbox) -> list[str]:
    return [record.body["chat_id"] for record in sandbox.requests.of("chat.cancel")]


@pytest.mark.parametrize("leave", ["break", "exception", "close"])
def test_early_exit_cancels_the_chat(coze, coze_sandbox, leave):
    """A stream that is closed early, in any way, cancels its running chat; its connection is free before that."""
    stream = coze.chat.stream(**CHAT, additional_messages=["/slow 60 Hello"], cancel_on_exit=True)
    try:
        with stream:
            next(iter(stream))
            if leave == "exception":
                raise KeyError(leave)
            if leave == "close":
                stream.close()
    except KeyError:
        assert leave == "exception"
    assert canceled(coze_sandbox) == [stream.chat.id]
    assert [chat["status"] for chat in coze_sandbox.store.list("chat")] == ["canceled"]
    stream.close()
    assert len(canceled(coze_sandbox)) == 1


def test_chat_continues_without_cancel_on_exit(coze, coze_sandbox):
    """Without `cancel_on_exit` the chat runs to its end and has its answer."""
    with coze.chat.stream(**CHAT, additional_messages=["/slow 60 Hello"]) as stream:
        next(iter(stream))
    chat = coze.chat.retrieve(conversation_id=stream.chat.conversation_id, chat_id=stream.chat.id)
    assert chat.status == "in_progress"
    while coze_sandbox.requests[0].seconds is None:
        time.sleep(0.01)
    coze_sandbox.clock.advance(120)
    list(stream.recover())
    assert (stream.chat.status, stream.answer) == ("completed", "You said: Hello")


def test_chat_is_not_canceled_when_off_ended_unstarted_or_interrupted(coze, coze_sandbox):
    """No chat is canceled if `cancel_on_exit` is off, after its end, before its first event, or after an interruption."""
    with coze.chat.stream(**CHAT, additional_messages=["/long 50"]) as stream:
        next(iter(stream))
    coze.chat.stream(**CHAT, additional_messages=["hi"], cancel_on_exit=True).until_done().close()
    stream = coze.chat.stream(**CHAT, additional_messages=["/fail 5000 no"], cancel_on_exit=True)
    with stream, pytest.raises(errors.ChatFailed):
        stream.until_done()
    with coze.chat.stream(**CHAT, additional_messages=["/long 50"], cancel_on_exit=True):
        pass
    coze_sandbox.faults.add("cut", operation="chat.create", events=3)
    stream = coze.chat.stream(**CHAT, additional_messages=["/long 50"], cancel_on_exit=True)
    with pytest.raises(errors.StreamInterrupted), stream:
        stream.until_done()
    assert canceled(coze_sandbox) == []


def test_chat_that_waits_for_tools_is_not_canceled(coze, coze_sandbox):
    """A chat that waits for tool outputs cannot be canceled, and no cancel request is sent."""
    stream = coze.chat.run_stream(**CHAT, additional_messages=["/tool a {}"], tools=[], cancel_on_exit=True)
    with pytest.raises(errors.ActionRequired), stream:
        stream.until_done()
    with pytest.raises(errors.ActionRequired):
        coze.chat.run(**CHAT, additional_messages=["/tool a {}"], tools=[], cancel_on_exit=True, poll_interval=0)
    assert canceled(coze_sandbox) == []


def test_early_exit_in_any_round_cancels_the_chat(coze, coze_sandbox):
    """A tool run that is closed in any round cancels its chat."""
    text = tool(lambda: "word " * 50, name="text")
    stream = coze.chat.run_stream(**CHAT, additional_messages=["/tool text {}"], tools=[text], cancel_on_exit=True)
    with stream:
        for event in stream:
            if event.event == "conversation.message.delta":
                break
    assert len(stream.tool_runs) == 1
    assert canceled(coze_sandbox) == [stream.chat.id]


@pytest.mark.parametrize("method", ["create_and_poll", "run"])
def test_poll_timeout_cancels_the_chat(coze, coze_sandbox, method):
    """A poll that times out cancels the chat if `cancel_on_exit` is set."""
    more = {"tools": []} if method == "run" else {}
    for cancel in (False, True):
        with pytest.raises(errors.PollTimeout) as late:
            getattr(coze.chat, method)(
                **CHAT, **more, additional_messages=["/slow 60"], cancel_on_exit=cancel, poll_timeout=0
            )
        chat = late.value.chat
        now = coze.chat.retrieve(conversation_id=chat.conversation_id, chat_id=chat.id)
        assert now.status is (models.ChatStatus.CANCELED if cancel else models.ChatStatus.IN_PROGRESS)


def test_failed_cancellation_is_logged(coze, coze_sandbox, caplog):
    """If the cancellation fails, the original exception is raised, and the failure is logged."""
    coze_sandbox.faults.add("status", operation="chat.cancel", status=500, times=9)
    caplog.set_level(logging.INFO, "cozekit.chat")
    stream = coze.chat.stream(**CHAT, additional_messages=["/long 50"], cancel_on_exit=True)
    with pytest.raises(KeyError, match="mine"), stream:
        next(iter(stream))
        raise KeyError("mine")
    assert f"chat {stream.chat.id} could not be canceled" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["stream", "run_stream", "create_and_poll", "run"])
async def test_canceled_task_cancels_the_chat(coze_sandbox, how):
    """A task that is canceled while it reads or polls still cancels its chat."""
    options: dict[str, Any] = {**CHAT, "additional_messages": ["/slow 60"], "cancel_on_exit": True}
    if "run" in how:
        options["tools"] = []
    async with AsyncCoze(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=at_once()) as coze:
        started = anyio.Event()

        async def read() -> None:
            async with getattr(coze.chat, how)(**options) as stream:
                async for _ in stream:
                    started.set()

        async def wait() -> None:
            await getattr(coze.chat, how)(**options, poll_interval=0.01)

        async with anyio.create_task_group() as group:
            group.start_soon(read if "stream" in how else wait)
            if "stream" in how:
                await started.wait()
            else:
                while not coze_sandbox.requests.of("chat.retrieve"):  # noqa: ASYNC110  (the sandbox has no event for it)
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        assert len(canceled(coze_sandbox)) == 1
        assert (await coze.users.me()).user_id  # the connections are still usable


@pytest.mark.anyio
@pytest.mark.parametrize("is_async", [True, False], ids=["async tools", "sync tools"])
async def test_canceled_task_does_not_wait_for_its_tools(coze_sandbox, is_async):
    """A task that is canceled while its tools run does not wait for them; async tools are canceled with it."""
    begun, ended, freed = anyio.Event(), [], threading.Event()
    portal = anyio.from_thread

    async def wait() -> None:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("canceled")

    def hold() -> None:
        portal.run_sync(begun.set)
        freed.wait(60)

    name = "wait" if is_async else "hold"
    options: dict[str, Any] = {**CHAT, "additional_messages": [f"/tool {name}\n/tool {name}"], "tools": [wait, hold]}
    try:
        async with AsyncCoze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: coze.chat.run(**options, poll_interval=0))
                await begun.wait()
                group.cancel_scope.cancel()
            assert not freed.is_set()
            assert ended == (["canceled"] * 2 if is_async else [])
            assert not coze_sandbox.requests.of("chat.submit_tool_outputs")
    finally:
        freed.set()
