"""Secrets: texts that `repr` does not show, and masks for those that other texts quote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, SupportsIndex, TypeVar

__all__ = [
    "MASK",
    "SecretStr",
    "hidden",
    "hidden_or_none",
    "hidden_text",
    "hidden_userinfo",
    "mask",
    "without",
    "without_parts",
]

T = TypeVar("T")
MASK = "…"
"""Stands for a secret."""


class SecretStr(str):
    """A text whose `repr` hides it, so that tracebacks which show variables, and logs of containers, do so too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{MASK}'"

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        return SecretStr(super().__getitem__(key))  # tools that shorten a value show `repr` of a slice


class _SecretBytes(bytes):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"b'{MASK}'"

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return _SecretBytes(part) if isinstance(part, bytes) else part


def hidden(value: T) -> T:
    """Return a text as a secret, a map, list or tuple with all its texts as secrets, and anything else as it is."""
    wrapped: Any = value
    if isinstance(value, str):
        wrapped = value if isinstance(value, SecretStr) else SecretStr(value)
    elif isinstance(value, bytes):
        wrapped = _SecretBytes(value)
    elif isinstance(value, Mapping):
        wrapped = {key: hidden(item) for key, item in value.items()}
    elif isinstance(value, list):
        wrapped = [hidden(item) for item in value]
    elif isinstance(value, tuple):
        wrapped = tuple(hidden(item) for item in value)
    return wrapped  # type: ignore[no-any-return]  # of the same type, or one that stands in for it


def hidden_userinfo(address: T) -> T:
    """Return an address as a secret where it holds a user name or a password, which are refused later."""
    return hidden(address) if isinstance(address, str) and "@" in address else address


def hidden_text(value: str) -> str:
    """Is `hidden`, for fields of classes."""
    return hidden(value)


def hidden_or_none(value: str | None) -> str | None:
    """Is `hidden`, for fields of classes."""
    return hidden(value)


# Names under which secrets stand, in JSON, forms, headers and addresses, each with its value in or without quotes.
_NAMES = (
    r"(?:access|refresh|id|auth|verify|session|bearer|security)[_-]?token|(?:client|app)[_-]?secret|private[_-]?key"
    r"|device[_-]?code|code[_-]?verifier|(?:x[_-])?api[_-]?key|password|passwd|assertion"
)
_SHORT_NAMES = "token|secret|pwd"  # words of sentences, too: their values must be in quotes or follow "="
_QUOTE = r"""(?:\\{0,9}["']|%5C%22|%22|%27|&quot;|&\#0?3[49];)"""
_BLANK = r"(?:\s|%20|\+){0,9}"
_IS = rf"{_BLANK}(?::|=|%3A|%3D){_BLANK}"
_EQUALS = rf"{_BLANK}(?:=|%3D)"  # and no blank: "give token= or auth=" names arguments
_QUOTED = rf"(?P<quote>{_QUOTE})(?:(?!(?<!\\)(?P=quote)).)*"  # behind a backslash, a quote is part of the text
_BARE = r"""(?:[^\s&,;"'<>{}\[\]()\\%]|%(?!2[267]))+"""
_START = r"(?:(?<![a-z0-9_-])|(?<=%[0-9a-f]{2})|(?<=\\[nrt]))"
_PATTERNS = (
    r"(?P<kept>-----BEGIN(?:[A-Z +]|%20){0,30}PRIVATE(?: |\+|%20)KEY-----).*?(?:(?=-----END)|$)",
    rf"{_START}(?P<kept>(?:proxy-)?authorization{_QUOTE}?{_IS}{_QUOTE}?)[^\r\n\"'<&]+",
    rf"{_START}(?P<kept>(?:set-)?cookie{_QUOTE}?{_IS}{_QUOTE}?)[^\r\n\"'<]+",
    rf"{_START}(?P<kept>(?:{_NAMES}){_QUOTE}?{_IS})(?:{_QUOTED}|{_BARE})",
    rf"{_START}(?P<kept>(?:{_SHORT_NAMES}){_QUOTE}?{_IS}){_QUOTED}",
    rf"{_START}(?P<kept>(?:{_SHORT_NAMES}){_EQUALS}){_BARE}",
    r"(?P<kept>[?&](?:code|state|token|signature|sign|ticket)=)[^&\s\"'<>]+",
    rf"{_START}(?P<kept>Bearer(?:\s|%20|\+|:){{1,9}})[\w.~+/=%-]{{8,}}",
    rf"{_START}(?P<kept>Basic(?:\s|%20|\+){{1,9}})(?=[a-z+/%-]*[0-9=])[\w+/=%-]{{8,}}",
    rf"{_START}(?P<kept>(?:pat|sat|czu|czs|cztei)_)[\w.~+/-]{{4,}}",
    rf"{_START}(?P<kept>code_)(?=[a-z-]*[0-9])[a-z0-9-]{{8,}}",
    rf"{_START}(?P<kept>)(?-i:eyJ)[\w-]{{8,}}(?:(?:\.|%2E)[\w-]*)*",  # a JWT
    r"(?P<kept>[a-z0-9]://[^\s:/@?\#\"']{0,200}:)[^\s/@?\#\"']{1,2000}(?=@)",  # a password in an address
)
_LONGEST = 20_000


@cache
def _patterns() -> list[re.Pattern[str]]:
    """Compile the patterns, which takes longer than the rest of this module: most programs never need them."""
    return [re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in _PATTERNS]


def mask(text: str) -> str:
    """Return a text with a mask in place of each token, key and password that it quotes, url-encoded or cut off too.

    Only the beginning of a very long text is kept.
    """
    text = str(text)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}{MASK}"
    for pattern in _patterns():
        text = pattern.sub(_masked, text)
    return text


def _masked(match: re.Match[str]) -> str:
    return f"{match['kept']}{match.groupdict().get('quote') or ''}{MASK}"


def without(text: str, secrets: Iterable[Any]) -> str:
    """Return a text with a mask in place of secrets that are known."""
    for secret in sorted({str(secret) for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


_SHORTEST_PART = 12


def without_parts(text: str, secret: str) -> str:
    """Return a text with a mask in place of a known secret, and of beginnings and ends of it where the text was cut."""
    text = text.replace(secret, MASK)
    for size in range(len(secret) - 1, _SHORTEST_PART - 1, -1):
        if secret[:_SHORTEST_PART] not in text and secret[-_SHORTEST_PART:] not in text:
            break
        text = text.replace(secret[:size], MASK).replace(secret[-size:], MASK)
    return text
