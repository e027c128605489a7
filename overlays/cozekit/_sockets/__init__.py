"""WebSockets: sessions over `websockets`, which the extra `ws` installs."""
