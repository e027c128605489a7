"""Running cases: each is decided by its seed and number only, watched, judged, and grouped by its error."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import logging
import signal
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import anyio

from cozekit.errors import CozeError

__all__ = ["Case", "Finding", "Hang", "Kind", "Runner", "drive", "report"]

logging.getLogger("cozekit").addHandler(logging.NullHandler())  # logs of tools and stores are not an outcome

_OWN = ("generated/coze_api/", "overlays/cozekit/", "site-packages/coze_api/", "site-packages/cozekit/")
_SECONDS = 60  # per case: far more than any needs, even on a busy machine
_LONGEST_SLEEP = 3600.0
_COLLECTED_AFTER = 250
_STRAY: list[str] = []  # background warnings and exceptions, which reach no caller


class Hang(BaseException):
    """A case does not end. No `Exception`, so that no handler takes it."""


@dataclass
class Case:
    """One case.

    Attributes:
        kind: The fuzzer to which it belongs.
        seed: Seed of the run.
        number: Its number in the run.
        operation: Operation that is called; set by the fuzzer.
        done: What was mutated; set by the fuzzer.
        step: What the caller was doing.
    """

    kind: str
    seed: int
    number: int
    operation: str = ""
    done: list[str] = field(default_factory=list)
    step: str = "call"
    outcome: str = ""

    def rng(self) -> Random:
        """Return the random numbers of this case, which no other case has."""
        return Random(f"{self.kind}/{self.seed}/{self.number}")

    @property
    def command(self) -> str:
        """Return the command line that runs only this case."""
        return f"python -m tests.fuzz --seed {self.seed} --case {self.kind}:{self.number}"


@dataclass
class Finding:
    """An outcome that is neither a result nor a CozeError."""

    case: Case
    error: str
    text: str
    frame: str
    trace: str

    @property
    def group(self) -> tuple[str, str]:
        return (self.error, self.frame)


def _frame_of(error: BaseException) -> str:
    """Return the deepest frame of the client in a traceback, else the deepest of all."""
    deepest = "?"
    for frame in traceback.extract_tb(error.__traceback__):
        for package in _OWN:
            if package in frame.filename.replace("\\", "/"):
                short = frame.filename.replace("\\", "/").rpartition(package.partition("/")[0] + "/")[2]
                return_ = f"{short}:{frame.name}"
                deepest = return_
    if deepest == "?":
        stack = traceback.extract_tb(error.__traceback__)
        deepest = f"{Path(stack[-1].filename).name}:{stack[-1].name}" if stack else "?"
    return deepest


Kind = Callable[[Case], None]
"""A fuzzer: runs one case. It sets `case.operation` and `case.done`; what it raises is judged."""


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits without an event loop, so that code for sync and async clients is written once."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("a sync call waited for an event loop")


class _Sleeps:
    """Replaces sleeping: it takes no time, but validates its argument as the real one does."""

    def __init__(self) -> None:
        self.total = 0.0

    def _check(self, seconds: float) -> None:
        if seconds != seconds or seconds < 0:  # NaN
            raise ValueError(f"sleep length is {seconds}")
        if seconds > _LONGEST_SLEEP:
            raise Hang(f"sleeps for {seconds:.4g} s")
        self.total += seconds

    def sleep(self, seconds: float) -> None:
        self._check(seconds)

    async def asleep(self, seconds: float, *_: Any) -> None:
        self._check(seconds)


@contextmanager
def no_sleep() -> Iterator[None]:
    """Make sleeping take no time."""
    sleeps = _Sleeps()
    old = time.sleep, anyio.sleep
    time.sleep, anyio.sleep = sleeps.sleep, sleeps.asleep  # type: ignore[assignment]
    try:
        yield
    finally:
        time.sleep, anyio.sleep = old  # type: ignore[assignment]


class Runner:
    """Runs cases and keeps findings."""

    def __init__(self, kinds: dict[str, Kind], *, progress: bool = False, in_time: bool = False) -> None:
        self.kinds = kinds
        self.progress = progress
        self.in_time = in_time
        self.findings: list[Finding] = []
        self.outcomes: dict[str, Counter[str]] = {}
        self._stray = _STRAY
        self._recent: list[Case] = []

    def run(self, cases: Iterable[Case]) -> list[Finding]:
        """Run cases one after the other, and return the findings."""
        found_before = len(self.findings)
        gc.collect()  # resources that other code did not close are not counted
        self._stray.clear()
        gc.freeze()
        with self._noticing(), self._watching():
            for number, case in enumerate(cases):
                self._run(case)
                self._recent.append(case)
                if len(self._recent) >= _COLLECTED_AFTER:
                    self._collect()
                if self.progress and number and number % 5000 == 0:
                    print(f"  {case.kind} {number:,}: {len(self.findings):,} findings", file=sys.stderr, flush=True)
            self._collect()
        gc.unfreeze()
        return self.findings[found_before:]

    def _run(self, case: Case) -> None:
        self._alarm(_SECONDS)
        try:
            with nullcontext() if self.in_time else no_sleep():
                self.kinds[case.kind](case)
        except (KeyboardInterrupt, SystemExit):
            raise
        except CozeError as error:
            case.outcome = type(error).__name__  # a fuzzer raises unexpected outcomes
            self._found(case, error)
        except BaseException as error:  # any other exception is a finding
            case.outcome = type(error).__name__
            self._found(case, error)
        finally:
            self._alarm(0)
        self.outcomes.setdefault(case.kind, Counter())[case.outcome or "result"] += 1

    def _found(self, case: Case, error: BaseException) -> None:
        trace = "".join(traceback.format_exception(error, limit=-6))
        name = type(error).__name__
        if type(error).__module__ not in {"builtins", __name__} and not isinstance(error, CozeError):
            name = f"{type(error).__module__}.{name}"
        self.findings.append(Finding(case, name, f"{error}"[:300], _frame_of(error), trace[-3000:]))

    def _collect(self) -> None:
        """Look for resources that were not closed. If there are any, each of the recent cases runs again separately."""
        gc.collect()
        recent, self._recent = self._recent, []
        if not self._stray:
            return
        stray = self._stray[:]
        self._stray.clear()
        culprits = 0
        for case in recent:
            again = Case(case.kind, case.seed, case.number)
            known = len(self.findings)
            self._run(again)
            del self.findings[known:]
            gc.collect()
            if self._stray:
                culprits += 1
                text = self._stray[0]
                self.findings.append(Finding(again, text.partition(":")[0], text[:300], "garbage collection", text))
                self._stray.clear()
        if not culprits:
            text = f"{stray[0]} (in none of {len(recent)} cases alone)"
            self.findings.append(Finding(recent[-1], stray[0].partition(":")[0], text, "garbage collection", text))

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """Record resource warnings, and exceptions that reach no caller."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", ResourceWarning)
            old = warnings.showwarning, sys.unraisablehook
            warnings.showwarning = self._warned
            sys.unraisablehook = self._unraisable
            try:
                yield
            finally:
                warnings.showwarning, sys.unraisablehook = old

    def _unraisable(self, unraisable: Any) -> None:
        # The collector can run at any stack depth, even where the parser of deeply nested JSON has used up the stack.
        if not isinstance(unraisable.exc_value, RecursionError):
            self._stray.append(f"unraisable {unraisable.exc_value!r}: {unraisable.object!r}")

    def _warned(self, message: Any, category: Any, *_: Any) -> None:
        self._stray.append(f"{category.__name__}: {message}")

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """End cases that hang: with an exception, or by ending the process where none can be raised."""
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
            yield
            return

        def ring(*_: Any) -> None:
            raise Hang(f"no end after {_SECONDS} s")

        old = signal.signal(signal.SIGALRM, ring)
        try:
            yield
        finally:
            signal.signal(signal.SIGALRM, old)

    def _alarm(self, seconds: float) -> None:
        if hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, seconds)
            if not self.progress:
                return
            if seconds:
                faulthandler.dump_traceback_later(5 * seconds, exit=True)
            else:
                faulthandler.cancel_dump_traceback_later()


def report(findings: list[Finding], shown: int = 2) -> str:
    """Group findings by exception and frame, most frequent first, with some examples of each group."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.group, []).append(finding)
    lines = []
    for (error, frame), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        lines.append(f"{len(members):6,} x {error} in {frame}")
        for finding in members[:shown]:
            case = finding.case
            lines.append(f"         {case.operation or case.kind}, while: {case.step}; {'; '.join(case.done)[:200]}")
            lines.append(f"         {finding.text[:200]!r}")
            lines.append(f"         seed {case.seed}, case {case.number}: {case.command}")
    return "\n".join(lines)


_LOOP: asyncio.AbstractEventLoop | None = None


def on_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on one event loop that all cases share."""
    global _LOOP
    if _LOOP is None or _LOOP.is_closed():
        _LOOP = asyncio.new_event_loop()
        _LOOP.set_exception_handler(lambda _, context: _STRAY.append(f"background: {context}"))
    try:
        return _LOOP.run_until_complete(coroutine)
    except Hang:
        _LOOP.close()  # its state is unknown
        raise


def close_loop() -> None:
    """Close the event loop."""
    global _LOOP
    if _LOOP is not None and not _LOOP.is_closed():
        _LOOP.run_until_complete(_LOOP.shutdown_asyncgens())
        _LOOP.run_until_complete(_LOOP.shutdown_default_executor())
        _LOOP.close()
        _LOOP = None
