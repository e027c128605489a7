"""Resources whose methods do more than one request."""

__all__: list[str] = []
