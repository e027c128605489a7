"""Compares what several operations share: servers, error codes, the events of streams, the messages of WebSockets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .changes import Change, Direction, Impact, added_or_removed, renamed
from .schemas import SchemaComparison, canonical

__all__ = ["compare_errors", "compare_servers", "compare_socket", "compare_stream"]

_Protocol = Mapping[str, Any]


def compare_servers(subject: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """List the addresses that came and went."""
    before, after = ({server["url"]: server for server in servers} for servers in (old, new))
    for url in sorted(before.keys() | after.keys()):
        if url not in after or url not in before:
            yield added_or_removed(subject, f"server {url}", added=url in after)
        elif before[url] != after[url]:
            yield Change(Impact.DOCUMENTATION, subject, f"server {url}", "has other texts")


def compare_errors(old: list[_Protocol] | None, new: list[_Protocol] | None) -> Iterator[Change]:
    """List the error codes that came, went, or are handled in another way by the client."""
    before, after = ({error["code"]: error for error in codes or ()} for codes in (old, new))
    for code in sorted(before.keys() | after.keys()):
        subject = f"error {code}"
        if code not in after:
            yield Change(Impact.BREAKING, subject, "", f"is gone ({before[code]['name']})")
            continue
        if code not in before:
            yield Change(Impact.ADDITIVE, subject, "", f"is new ({after[code]['name']}): {after[code]['meaning']}")
            continue
        for key in sorted(before[code].keys() | after[code].keys()):
            was, value = before[code].get(key), after[code].get(key)
            if was == value:
                continue
            if key in {"name", "category"}:
                yield Change(Impact.BREAKING, subject, "", f"has the {key} {value} now, not {was}")
            elif key == "retryable":
                text = "is retried" if value else "is not retried any more"
                yield Change(Impact.ADDITIVE if value else Impact.BREAKING, subject, "", text)
            else:
                yield Change(Impact.DOCUMENTATION, subject, key, "has other texts")


def compare_stream(name: str, old: _Protocol, new: _Protocol, schemas: SchemaComparison) -> Iterator[Change]:
    """List what is different about the events of a stream."""
    subject = f"stream {name}"
    yield from _head(subject, "", old, new, ("event", "ids"))
    yield from _messages(subject, "event", old["events"], new["events"], Direction.RESPONSE, schemas)


def compare_socket(name: str, old: _Protocol, new: _Protocol, schemas: SchemaComparison) -> Iterator[Change]:
    """List what is different about the messages of a WebSocket: those that are sent, and those that are received."""
    subject = f"WebSocket {name}"
    yield from _head(subject, "", old, new, ())
    for side, direction in (("uplink", Direction.REQUEST), ("downlink", Direction.RESPONSE)):
        before, after = old.get(side, {}), new.get(side, {})
        yield from _head(subject, side, before, after, ("union",))
        details = before.get("detail"), after.get("detail")
        if details[0] is not None and details[1] is not None:
            yield from schemas.compare(*details, direction, subject, f"{side} detail")
        elif details[0] is not details[1]:
            yield added_or_removed(subject, f"{side} detail", added=details[1] is not None)
        yield from _messages(
            subject, f"{side} message", before.get("messages", {}), after.get("messages", {}), direction, schemas
        )


def _head(subject: str, place: str, old: _Protocol, new: _Protocol, keys: tuple[str, ...]) -> Iterator[Change]:
    if old.get("description") != new.get("description"):
        yield Change(Impact.DOCUMENTATION, subject, place, "has other texts")
    for key in keys:
        if old.get(key) != new.get(key):
            yield Change(Impact.BREAKING, subject, place, f"has {key} {new.get(key)} now, not {old.get(key)}")


def _messages(
    subject: str, kind: str, old: _Protocol, new: _Protocol, direction: Direction, schemas: SchemaComparison
) -> Iterator[Change]:
    pairs = renamed(old.keys(), new.keys(), lambda name, other: _is_same(old[name], new[other]))
    for name in old.keys() - new.keys() - pairs.keys():
        yield Change(Impact.BREAKING, subject, f"{kind} {name}", "is gone")
    for name, other in pairs.items():
        yield Change(Impact.BREAKING, subject, f"{kind} {name}", f"is called {other} now")
    for name in new.keys() - old.keys() - set(pairs.values()):
        yield Change(Impact.ADDITIVE, subject, f"{kind} {name}", f"is new: {new[name].get('description', '')}")
    for name, other in {**{name: name for name in old.keys() & new.keys()}, **pairs}.items():
        yield from _message(subject, f"{kind} {other}", old[name], new[other], direction, schemas)


def _is_same(old: _Protocol, new: _Protocol) -> bool:
    return old.get("class") == new.get("class") or (
        canonical(old.get("data")) == canonical(new.get("data")) and old.get("description") == new.get("description")
    )


def _message(
    subject: str, place: str, old: _Protocol, new: _Protocol, direction: Direction, schemas: SchemaComparison
) -> Iterator[Change]:
    yield from _head(subject, place, old, new, ("class",))
    for key, words in (
        ("ends", ("ends what was requested", "does not end it any more")),
        ("fails", ("reports a failure", "reports no failure any more")),
    ):
        before, after = old.get(key), new.get(key)
        if before != after:
            yield Change(Impact.BREAKING, subject, place, words[0] if after else words[1])
    for key in ("counter", "answers"):
        if canonical(old.get(key)) != canonical(new.get(key)):
            yield Change(Impact.DOCUMENTATION, subject, place, f"has other {key}")
    data = old.get("data"), new.get("data")
    if data[0] is not None and data[1] is not None:
        yield from schemas.compare(*data, direction, subject, place)
    elif data[0] is not data[1]:
        texts = ("has data", "has no data any more")
        yield added_or_removed(subject, place, added=data[1] is not None, texts=texts)
