"""Which of some keys stands in the wrong place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import attrs

__all__ = ["Misplaced", "misplaced"]


@attrs.frozen
class Misplaced:
    """The first key that must move, and a message that names the right order."""

    key: str
    message: str


def misplaced(written: Sequence[str], expected: Sequence[str]) -> Misplaced | None:
    """Compare the order of keys with the expected one.

    Args:
        written: Keys in the order in which they were written.
        expected: All known keys in their order. A key that ends in `*` stands for all that begin
            so, in any order.

    Returns:
        The first key that stands after one that it should stand before, or None. Unknown keys are
        not judged.
    """
    ranks = {key: rank for rank, key in enumerate(expected)}
    prefixes = [key[:-1] for key in expected if key.endswith("*")]

    def rank(key: str) -> int | None:
        prefix = next((prefix for prefix in prefixes if key.startswith(prefix)), None)
        return ranks.get(key if prefix is None else f"{prefix}*")

    known = [(position, key) for key in written if (position := rank(key)) is not None]
    for (before, _), (position, key) in pairwise(known):
        if position < before:
            order = ", ".join(name for _, name in sorted(known, key=lambda item: item[0]))
            return Misplaced(key, f"move {key} up: the order is {order}")
    return None
