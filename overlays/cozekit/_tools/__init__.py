"""Python functions that bots call."""

__all__: list[str] = []
