"""Chat with bots: streams, results, tools, recovery."""

__all__: list[str] = []
