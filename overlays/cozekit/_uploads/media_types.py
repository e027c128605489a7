"""Media types of files, by their first bytes."""

from __future__ import annotations

__all__ = ["EXTENSIONS", "HEAD_SIZE", "sniff"]

# Extensions of each recognized type; the first one is added to names without an extension.
# AAC and FLAC files may begin with an ID3 tag, too.
EXTENSIONS = {
    "image/png": (".png", ".apng"),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "audio/wav": (".wav", ".wave"),
    "audio/mpeg": (".mp3", ".mpga", ".aac", ".flac"),
    "audio/ogg": (".ogg", ".oga", ".ogv", ".ogx", ".opus", ".spx"),
}
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
    b"ID3": "audio/mpeg",
    b"OggS": "audio/ogg",
}
_RIFF_FORMS = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
HEAD_SIZE = 12
"""Number of bytes that `sniff` needs."""


def sniff(head: bytes) -> str | None:
    """Return the media type of content that begins with *head*, or None if it is not recognized."""
    for magic, media_type in _MAGIC.items():
        if head.startswith(magic):
            return media_type
    if head.startswith(b"RIFF"):
        return _RIFF_FORMS.get(head[8:12])
    # An MPEG audio frame: eleven set bits, then any version, then layer III.
    if head[:1] == b"\xff" and head[1:2] and head[1] & 0b11100110 == 0b11100010:
        return "audio/mpeg"
    return None
