"""Startup: processes that import a client, or prepare one for its first call."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from ._clients import Layer
from ._measure import BASE, Case, Table
from ._stock import PACKAGE, Stock

__all__ = ["tables"]

_PEAK = """
try:
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
except OSError:
    import resource, sys
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(peak)
"""
# VmHWM, since ru_maxrss of a child starts with the value of its parent.

_UNCACHED = """
import os, sys
print(sum(not os.path.exists(m.__cached__) for m in [*sys.modules.values()] if getattr(m, "__cached__", None)))
"""


def _environment(stock: Stock | None) -> dict[str, str]:
    # Without bytecode files an import measures the compiler, which takes ten times as long.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if stock is not None:
        path = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{path}{os.pathsep}{stock.folder}" if path else str(stock.folder)
    return environment


def _timed(code: str, environment: dict[str, str]) -> Callable[[], float]:
    def sample() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True, stderr=subprocess.DEVNULL)
        return time.perf_counter() - begin

    return sample


def _printed(code: str, environment: dict[str, str]) -> int:
    command = [sys.executable, "-P", "-c", code]
    return int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def tables(layer: Layer, stock: Stock | None) -> Iterator[Table]:
    """Yield the tables of this part."""
    environment = _environment(stock)
    floor = {"python alone": ("pass", None), "import httpx": ("import httpx", None)}
    importing: dict[str, tuple[str, float | None]] = {
        BASE: ("import cozepy", None),
        layer.package: (f"import {layer.package}", 10.0),
        **floor,
    }
    ready: dict[str, tuple[str, float | None]] = {
        BASE: ("from cozepy import Coze, TokenAuth; Coze(auth=TokenAuth('t')).chat", None),
        layer.package: (layer.statement, 2.5),
        "httpx.Client()": ("import httpx; httpx.Client()", None),
    }
    if stock is not None:
        importing["stock"] = (f"import {PACKAGE}", None)
        load = f"from {PACKAGE} import AuthenticatedClient; import {PACKAGE}.api.chat.chat_create"
        make = "AuthenticatedClient(base_url='https://api.coze.com', token='t').get_httpx_client()"
        ready["stock"] = (f"{load}; {make}", None)
    for title, statements in (("import", importing), ("client ready for its first chat", ready)):
        notes = []
        for name, (code, _) in statements.items():
            _printed(code + _UNCACHED, environment)  # writes the bytecode files
            if uncached := _printed(code + _UNCACHED, environment):
                notes.append(f"{name}: {uncached} modules have no bytecode file, so they are compiled each time")
        cases = [Case(name, _timed(code, environment), aim) for name, (code, aim) in statements.items()]
        yield Table("import", f"{title}, whole process", "ms", "process", cases, notes)
        memory = [Case(name, partial(_printed, code + _PEAK, environment)) for name, (code, _) in statements.items()]
        yield Table("import", f"{title}, peak memory", "MiB", "process", memory)
