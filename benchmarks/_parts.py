"""The parts of the benchmarks, by their names on the command line.

A part is a module with a function that yields tables. It is measured table by table, each as soon as it is yielded, so
that servers may run around a `yield`. To add one, write the module and add it to `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property

from . import _answers, _imports, _paced, _sockets, _streams
from ._clients import Layer
from ._measure import Table
from ._stock import Stock, generated

__all__ = ["PARTS", "Context"]


class Context:
    """What the command line sets, and what parts share.

    Args:
        layer: Which package of ours is measured.
        streams: Numbers of paced streams at once; empty for those that the part names.
        stack: Closes what the parts share.
    """

    def __init__(self, layer: Layer, streams: Sequence[int], stack: ExitStack) -> None:
        self.layer = layer
        self.streams = streams
        self._stack = stack

    @cached_property
    def stock(self) -> Stock | None:
        """Code that openapi-python-client generates without changes; None if that is not installed."""
        return self._stack.enter_context(generated())


PARTS: Mapping[str, Callable[[Context], Iterator[Table]]] = {
    "import": lambda context: _imports.tables(context.layer, context.stock),
    "stream": lambda context: _streams.tables(context.layer),
    "paced": lambda context: _paced.tables(context.streams or _paced.COUNTS),
    "sockets": lambda _: _sockets.tables(),
    "page": lambda context: _answers.page_tables(context.layer, context.stock),
    "request": lambda context: _answers.request_tables(context.layer, context.stock),
}
