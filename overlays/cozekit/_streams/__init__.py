"""Streams that are made of several streams."""

__all__: list[str] = []
