"""A WebSocket session: receives and sends messages concurrently."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

from starlette.types import Receive

from .._common.errors import INTERNAL, CallError
from .._http.context import StreamEvent
from .._http.request_log import RequestRecord
from .._http.responses import ResponseBuilder
from .._http.waits import wait_for_reset
from .connection import Connection
from .frames import Frames, write_frame
from .protocols import ProtocolHandler

__all__ = ["Session"]

_ERROR = "error"
_INTERNAL_ERROR = 1011
_SERVICE_RESTART = 1012


class Session:
    """Runs a protocol handler over a connection.

    Args:
        handler: The protocol handler.
        frames: Parses the messages of the client.
        connection: Sends messages.
        record: The record of the request, to which messages are added.
        responses: Checks the sent messages.
    """

    def __init__(
        self,
        handler: ProtocolHandler,
        frames: Frames,
        connection: Connection,
        record: RequestRecord,
        responses: ResponseBuilder,
    ) -> None:
        self._handler = handler
        self._frames = frames
        self._connection = connection
        self._record = record
        self._responses = responses
        self._wakeup = asyncio.Event()
        self._epoch = handler.state.epoch
        self._has_left = False

    async def run(self, receive: Receive) -> None:
        """Run until either side closes.

        Args:
            receive: ASGI `receive`.
        """
        watching = wait_for_reset(self._handler.state, self._epoch)
        tasks = [asyncio.create_task(coroutine) for coroutine in (self._read(receive), self._write(), watching)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            self._handler.close()
        for end in ends:
            # A disconnect makes sending fail in the writer.
            if isinstance(end, Exception) and (self._connection.closed or not isinstance(end, OSError)):
                raise end
        if self._is_out_of_date and not self._connection.closed and not self._has_left:
            await self._connection.close(_SERVICE_RESTART, "the sandbox was reset")

    async def _read(self, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            frame: dict[str, Any] = {}
            try:
                frame = self._frames.parse(message.get("text"))
                uplink = self._frames.check(frame, self._record.tolerate)
                state = self._handler.state
                with state.store.transaction(), state.acting_as(self._handler.call.user_id):
                    if self._is_out_of_date:
                        return
                    self._handler.on_message(uplink.event, uplink.data)
                self._log("client", frame)
            except CallError as failure:
                self._log("client", frame, "refused", failure.msg)
                self._refuse(failure)
            except Exception as error:
                self._log("client", frame, "failed", repr(error))
                await self._fail(error)
            self._wakeup.set()
        self._has_left = True

    @property
    def _is_out_of_date(self) -> bool:
        return self._handler.state.epoch != self._epoch

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._connection.closed and not self._is_out_of_date:
            self._wakeup.clear()
            try:
                event, wait = self._handler.next(loop.time())
                if event is not None:
                    await self._send(event)
                    self._handler.prepare(loop.time())
                    await asyncio.sleep(0)  # sending alone may not yield to other sessions
                    continue
            except CallError as failure:
                self._refuse(failure)
                continue
            except OSError:
                raise
            except Exception as error:
                await self._fail(error)
                continue
            try:
                async with asyncio.timeout(wait):
                    await self._wakeup.wait()
            except TimeoutError:
                pass

    async def _send(self, event: StreamEvent) -> None:
        if not self._handler.is_subscribed(event.event):
            return
        frame: dict[str, Any] = {"event_type": event.event, "id": self._handler.state.event_ids.next()}
        if event.data is not None:
            frame["data"] = event.data
        moment = int(self._handler.state.clock.now() * 1000)
        frame["detail"] = {"logid": self._record.logid, "respond_at": str(moment)}
        violation = self._responses.check_message(self._handler.call.operation, frame)
        if violation is not None:
            raise RuntimeError(f"the sandbox's own message is not as described: {violation}")
        content = write_frame(frame)
        steps = self._connection.plan(content)
        # Logged before it is sent: tests may read the log on receipt.
        if steps and not any(step.faulty for step in steps):
            self._log("server", frame)
        else:
            self._log("server", frame, "fault", self._record.reason)
        await self._connection.send(content, steps)

    def _refuse(self, failure: CallError) -> None:
        self._handler.send(_ERROR, {"code": failure.code, "msg": failure.msg})

    async def _fail(self, error: Exception) -> None:
        traceback.print_exception(error)
        self._record.code, self._record.verdict, self._record.reason = INTERNAL, "failed", repr(error)
        if not self._connection.closed:
            await self._connection.close(_INTERNAL_ERROR, f"defect of the sandbox: {error!r}")

    def _log(self, sender: str, frame: dict[str, Any], verdict: str = "ok", reason: str = "") -> None:
        event = frame.get("event_type")
        self._record.add_message(sender, event if isinstance(event, str) else "", frame.get("data"), verdict, reason)
