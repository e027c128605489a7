"""Measures the client against the vendor's SDK, stock generated code, bare httpx and the bare JSON parser.

    python -m benchmarks                     # everything, about three minutes
    python -m benchmarks stream --rounds 21  # one part, more rounds

Absolute times depend on the machine and on what else it does, so what counts are ratios: in every round all
cases of a table run one after the other, each ratio compares two of the same round, and the median over the
rounds is reported. Within one process the clock is its CPU time, which other processes disturb least; whole
processes are measured by the clock on the wall.

Nothing leaves the machine: transports are in memory or on 127.0.0.1.
"""

from __future__ import annotations
