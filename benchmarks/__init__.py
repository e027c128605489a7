"""Compares the client with the vendor's SDK, stock generated code, plain httpx and the plain JSON parser.

    python -m benchmarks                     # everything, about three minutes
    python -m benchmarks stream --rounds 21  # one part, more rounds

Absolute times depend on the machine and its load, so the results are ratios: in every round all cases of a table run
one after the other, each ratio compares two of the same round, and the median over the rounds is reported. Within one
process the clock is its CPU time, which other processes disturb least; whole processes are measured in wall time.

Nothing leaves the machine: transports are in memory or on 127.0.0.1.
"""

from __future__ import annotations
