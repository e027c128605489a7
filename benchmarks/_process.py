"""Servers in processes of their own, which cost the measured process only the socket."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

__all__ = ["RunningServer", "serve", "server_process"]


@dataclass
class RunningServer:
    """A server that runs.

    Attributes:
        port: Its port on 127.0.0.1.
        report: What it printed when it ended.
    """

    port: int
    report: str = ""


@contextmanager
def server_process(module: str, *arguments: str) -> Iterator[RunningServer]:
    """Run a module of this package, which calls `serve`. It ends with this context."""
    command = [sys.executable, "-m", f"{__package__}.{module}", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        server = RunningServer(int(process.stdout.readline()))
        try:
            yield server
        finally:
            process.stdin.close()
            server.report = process.stdout.read()


async def serve(port: int, report: Callable[[], str] | None = None) -> NoReturn:
    """Serve until `server_process` ends, or its process does, even by a crash.

    Args:
        port: The port of the server, which runs in this event loop.
        report: Returns what to print then.
    """
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)  # which is closed then
    if report is not None:
        print(report(), flush=True)
    os._exit(0)  # connections that are still open would keep the loop busy
