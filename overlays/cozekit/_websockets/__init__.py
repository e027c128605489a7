"""WebSockets: sessions over `websockets`, which the extra `ws` installs."""

__all__: list[str] = []
