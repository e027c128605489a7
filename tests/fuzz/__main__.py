"""The command `python -m tests.fuzz`, which `make fuzz` runs."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.fuzz._answers import answers
from tests.fuzz._cases import Case, Finding, Runner, close_loop, report
from tests.fuzz._logins import logins
from tests.fuzz._sockets import hostile_sockets
from tests.fuzz._streams import streaming
from tests.fuzz._surroundings import surroundings
from tests.fuzz._websockets import websockets

KINDS = {
    "answers": answers,
    "streams": streaming,
    "logins": logins,
    "sockets": hostile_sockets,
    "surroundings": surroundings,
    "websockets": websockets,
}
_IN_TIME = {"sockets", "surroundings", "websockets"}
_DEFAULTS = {
    "answers": 100_000,
    "streams": 20_000,
    "logins": 4_000,
    "sockets": 400,
    "surroundings": 2_000,
    "websockets": 600,
}


def main() -> int:
    """Run the fuzzers and report their findings; the status is 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides every case, with its number (default: 1)")
    for kind, number in _DEFAULTS.items():
        parser.add_argument(f"--{kind}", type=int, default=number, help=f"how many (default: {number:,})")
    parser.add_argument("--first", type=int, default=0, help="number of the first case of each kind")
    parser.add_argument("--case", help="run one case alone, such as answers:1234")
    parser.add_argument("--shown", type=int, default=2, help="findings shown of each group (default: 2)")
    parser.add_argument("--traces", action="store_true", help="show the traceback of the first of each group")
    options = parser.parse_args()
    if options.case:
        kind, _, number = options.case.partition(":")
        return _one(Case(kind, options.seed, int(number)))
    everything: list[Finding] = []
    for kind in _DEFAULTS:
        count = getattr(options, kind)
        if not count:
            continue
        runner, started = Runner(KINDS, progress=True, in_time=kind in _IN_TIME), time.monotonic()
        interrupted = False
        try:
            runner.run(Case(kind, options.seed, options.first + number) for number in range(count))
        except KeyboardInterrupt:  # the findings until then are reported
            interrupted = True
        everything += runner.findings
        outcomes = runner.outcomes.get(kind, Counter())
        counts = ", ".join(f"{outcome} {times:,}" for outcome, times in outcomes.most_common(6))
        print(
            f"{outcomes.total():,} {kind} in {time.monotonic() - started:.0f} s: {len(runner.findings):,} findings ({counts})",
            flush=True,
        )
        if interrupted:
            break
    close_loop()
    if everything:
        print(report(everything, options.shown))
        if options.traces:
            for finding in {finding.group: finding for finding in reversed(everything)}.values():
                print(f"\n--- {finding.error} in {finding.frame}\n{finding.trace}")
    return 1 if everything else 0


def _one(case: Case) -> int:
    runner = Runner(KINDS, in_time=case.kind in _IN_TIME)
    findings = runner.run([case])
    close_loop()
    print(f"{case.kind} {case.number}: {case.operation}: {'; '.join(case.done)}")
    print(f"outcome: {case.outcome or 'a result'}, after: {case.step}")
    for finding in findings:
        print(finding.trace)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
