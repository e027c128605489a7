"""Files to upload, from paths, bytes and open files."""

__all__: list[str] = []
