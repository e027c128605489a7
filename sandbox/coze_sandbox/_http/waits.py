"""Waits that end early: on a reset of the state, and when the client disconnects."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.types import Receive

from .._state.state import SandboxState

__all__ = ["sleep_until_reset", "wait_for_reset"]

_DISCONNECT = {"http.disconnect", "websocket.disconnect"}


async def sleep_until_reset(
    state: SandboxState, epoch: str, seconds: float | None, receive: Receive | None = None
) -> bool:
    """Wait until a timeout, a reset of the state, or a disconnect of the client.

    Args:
        state: The state.
        epoch: The state's epoch when the wait began.
        seconds: The timeout; None for no limit.
        receive: ASGI `receive` of a request whose body was read, to detect a disconnect; None to ignore it.

    Returns:
        Whether the client disconnected.
    """
    if receive is None:
        await wait_for_reset(state, epoch, seconds)  # without a task: this runs for every event
        return False
    disconnect = asyncio.create_task(_wait_for_disconnect(receive))
    waits = [disconnect, asyncio.create_task(wait_for_reset(state, epoch))]
    try:
        done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # raises its exception
        return disconnect in done
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def wait_for_reset(state: SandboxState, epoch: str, seconds: float | None = None) -> None:
    """Wait until the state has another epoch, or until a timeout."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop may just have been closed
            loop.call_soon_threadsafe(over.set)

    timer = None if seconds is None else loop.call_later(seconds, over.set)
    try:
        with state.on_reset(wake):
            if state.epoch == epoch:
                await over.wait()
    finally:
        if timer is not None:
            timer.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] not in _DISCONNECT:
        pass
