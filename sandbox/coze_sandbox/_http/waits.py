"""Waiting that ends early: at a reset, and when the client leaves."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.types import Receive

from .._state.state import SandboxState

__all__ = ["sleep_until_reset", "wait_for_reset"]

_LEFT = {"http.disconnect", "websocket.disconnect"}


async def sleep_until_reset(
    state: SandboxState, epoch: str, seconds: float | None, receive: Receive | None = None
) -> bool:
    """Wait, but no longer than until the state is reset, or until the client leaves.

    Args:
        state: The state.
        epoch: The state's epoch when the wait began.
        seconds: How long at most; None for no limit.
        receive: The server's own, which tells when the client leaves, if that is to be noticed. The body was read.

    Returns:
        Whether the client left.
    """
    if receive is None:
        await wait_for_reset(state, epoch, seconds)  # without a task, since events wait like this
        return False
    leaving = asyncio.create_task(_wait_for_disconnect(receive))
    waits = [leaving, asyncio.create_task(wait_for_reset(state, epoch))]
    try:
        done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()  # raises what went wrong
        return leaving in done
    finally:
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def wait_for_reset(state: SandboxState, epoch: str, seconds: float | None = None) -> None:
    """Wait until the state is no longer that of a session, or for so many seconds."""
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
    while (await receive())["type"] not in _LEFT:
        pass
