"""Runs of workflows: streams, results, interrupts."""

__all__: list[str] = []
