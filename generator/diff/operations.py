"""Compares one operation: what it is called with, what it returns, and what is true of it as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .changes import Change, Direction, Impact, added_or_removed, former_name, is_raised, renamed, requirement
from .protocols import compare_servers
from .schemas import SchemaComparison, canonical

__all__ = ["compare_operation"]

_TEXTS = ("summary", "description", "externalDocs", "x-coze-notes", "tags", "x-coze-evidence")
# Which states of a thing that is waited for mean what.
_STATES = ("pending", "terminal", "failed")
_Operation = Mapping[str, Any]


def compare_operation(name: str, old: _Operation, new: _Operation, schemas: SchemaComparison) -> Iterator[Change]:
    """List what is different about an operation or callback that both descriptions have."""
    is_callback = "x-coze-callback" in new
    sent, received = (Direction.RESPONSE, Direction.REQUEST) if is_callback else (Direction.REQUEST, Direction.RESPONSE)
    yield from _texts(name, old, new)
    yield from _whole(name, old, new)
    yield from _parameters(name, old, new, sent, schemas)
    yield from _body(name, old.get("requestBody"), new.get("requestBody"), sent, schemas)
    yield from _responses(name, old.get("responses", {}), new.get("responses", {}), received, schemas)
    yield from _stream(name, old.get("x-coze-stream"), new.get("x-coze-stream"))
    yield from _callback(name, old.get("x-coze-callback"), new.get("x-coze-callback"))


def _texts(name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
    for key in _TEXTS:
        if old.get(key) != new.get(key):
            yield Change(Impact.DOCUMENTATION, name, key.removeprefix("x-coze-"), "has other texts")
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        instead = f"; use {new['x-coze-replaced-by']}" if new.get("x-coze-replaced-by") else ""
        text = f"is deprecated{instead}" if new.get("deprecated") else "is not deprecated any more"
        yield Change(Impact.DOCUMENTATION, name, "", text)
    elif old.get("x-coze-replaced-by") != (replacement := new.get("x-coze-replaced-by")):
        text = f"is replaced by {replacement}" if replacement else "has no replacement any more"
        yield Change(Impact.DOCUMENTATION, name, "", text)


def _whole(name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
    before, after = old.get("x-coze-permission"), new.get("x-coze-permission")
    if before != after:
        text = f"needs the permission {after}" if after else f"does not need the permission {before} any more"
        yield Change(Impact.BREAKING if after else Impact.ADDITIVE, name, "", text)
    needs_token = [operation.get("security") != [] for operation in (old, new)]
    if needs_token[0] != needs_token[1]:
        text = "needs a token" if needs_token[1] else "needs no token any more"
        yield Change(Impact.BREAKING if needs_token[1] else Impact.ADDITIVE, name, "", text)
    before, after = old.get("x-coze-idempotent"), new.get("x-coze-idempotent")
    if before != after:
        text = "is idempotent: it may be sent twice" if after else "is not idempotent: a lost call is not retried"
        yield Change(Impact.ADDITIVE if after else Impact.BREAKING, name, "", text)
    before, after = old.get("x-coze-max-body-bytes"), new.get("x-coze-max-body-bytes")
    if before != after:
        text = f"accepts bodies of {f'up to {after} bytes' if after else 'any size'}"
        yield Change(Impact.ADDITIVE if is_raised(before, after) else Impact.BREAKING, name, "", text)
    if old.get("x-coze-result") != new.get("x-coze-result"):
        yield Change(Impact.BREAKING, name, "", "returns another member of the response")
    before, after = old.get("x-coze-pagination"), new.get("x-coze-pagination")
    if canonical(before) != canonical(after):
        text = "returns pages" if before is None else "returns no pages any more"
        yield Change(Impact.BREAKING, name, "", "pages in another way" if before and after else text)
    yield from _poll(name, old.get("x-coze-poll"), new.get("x-coze-poll"))
    yield from compare_servers(name, old.get("servers", []), new.get("servers", []))


def _poll(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        if old is not new:
            texts = ("can be waited for", "cannot be waited for any more")
            yield added_or_removed(name, "", added=new is not None, texts=texts)
        return
    if any(old.get(key) != new.get(key) for key in old.keys() | new.keys() if key not in _STATES):
        yield Change(Impact.BREAKING, name, "", "is waited for in another way")
    for key in _STATES:
        before, after = old.get(key, []), new.get(key, [])
        if before != after:
            impact = Impact.ADDITIVE if all(state in after for state in before) else Impact.BREAKING
            states = ", ".join(map(str, after))
            yield Change(impact, name, "", f"counts as {key} in the states {states}" if after else f"is never {key}")


def _parameters(
    name: str, old: _Operation, new: _Operation, direction: Direction, schemas: SchemaComparison
) -> Iterator[Change]:
    before, after = (
        {(parameter["in"], parameter["name"]): parameter for parameter in op.get("parameters", [])} for op in (old, new)
    )
    pairs = renamed(before.keys(), after.keys(), lambda key, other: _is_renamed(before[key], after[other]))
    for key in before.keys() - after.keys() - pairs.keys():
        yield Change(Impact.BREAKING, name, f"parameter {key[1]}", "is gone")
    for key, other in pairs.items():
        if key[1] == other[1]:
            yield Change(Impact.BREAKING, name, f"parameter {key[1]}", f"moved from {key[0]} to {other[0]}")
        else:
            formerly = after[other].get("x-coze-formerly") == key[1]
            impact = Impact.ADDITIVE if formerly else Impact.BREAKING
            yield Change(impact, name, f"parameter {key[1]}", f"is called {other[1]} now")
    for key in after.keys() - before.keys() - set(pairs.values()):
        required = after[key].get("required", False)
        text = "is new, and required" if required else "is new"
        yield Change(Impact.BREAKING if required else Impact.ADDITIVE, name, f"parameter {key[1]}", text)
    for key, other in {**{key: key for key in before.keys() & after.keys()}, **pairs}.items():
        place = f"parameter {other[1]}"
        was_required, required = (bool(parameter.get("required")) for parameter in (before[key], after[other]))
        if was_required != required:
            yield requirement(name, place, required=required)
        if key == other:
            yield from former_name(name, place, before[key], after[other])
        if any(before[key].get(text) != after[other].get(text) for text in ("description", "example")):
            yield Change(Impact.DOCUMENTATION, name, place, "has other texts")
        yield from schemas.compare(before[key]["schema"], after[other]["schema"], direction, name, place)


def _is_renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if new.get("x-coze-formerly") == old["name"]:
        return True
    same = canonical(old["schema"]) == canonical(new["schema"])
    return same and (old["name"] == new["name"] or old.get("description") == new.get("description"))


def _body(name: str, old: Any, new: Any, direction: Direction, schemas: SchemaComparison) -> Iterator[Change]:
    if old is None or new is None:
        if old is not new:
            impact = Impact.ADDITIVE if new is not None and not new.get("required") else Impact.BREAKING
            yield Change(impact, name, "request", "has a body now" if new is not None else "has no body any more")
        return
    if bool(old.get("required")) != bool(new.get("required")):
        yield requirement(name, "request", required=bool(new.get("required")))
    yield from _content(name, "request", old.get("content", {}), new.get("content", {}), direction, schemas)


def _responses(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, schemas: SchemaComparison
) -> Iterator[Change]:
    for status in sorted(old.keys() | new.keys()):
        place = "response" if status == "200" else f"response {status}"
        before, after = old.get(status), new.get(status)
        if before is None or after is None:
            yield added_or_removed(name, place, added=after is not None)
        elif ("$ref" in before) != ("$ref" in after) and status == "200":
            texts = ("returns something now", "returns nothing any more")
            yield added_or_removed(name, place, added="$ref" in before, texts=texts)
        elif before.get("$ref") != after.get("$ref"):
            yield Change(Impact.BREAKING, name, place, "is another response")
        else:
            if before.get("description") != after.get("description"):
                yield Change(Impact.DOCUMENTATION, name, place, "has other texts")
            yield from _content(name, place, before.get("content", {}), after.get("content", {}), direction, schemas)


def _content(
    name: str,
    place: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    direction: Direction,
    schemas: SchemaComparison,
) -> Iterator[Change]:
    for media_type in sorted(old.keys() | new.keys()):
        before, after = old.get(media_type), new.get(media_type)
        if before is None or after is None:
            text = f"may be {media_type}" if after is not None else f"is not {media_type} any more"
            added = after is not None and (direction is Direction.REQUEST or bool(old))
            yield Change(Impact.ADDITIVE if added else Impact.BREAKING, name, place, text)
            continue
        if before.get("example") != after.get("example"):
            yield Change(Impact.DOCUMENTATION, name, place, "has other texts")
        if canonical(before.get("encoding")) != canonical(after.get("encoding")):
            yield Change(Impact.BREAKING, name, place, "is encoded in another way")
        yield from schemas.compare_flat(before.get("schema", {}), after.get("schema", {}), direction, name, place)


def _stream(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        if old is not new:
            texts = ("can be streamed", "cannot be streamed any more")
            yield added_or_removed(name, "", added=new is not None, texts=texts)
    elif {**old, "protocol": None} != {**new, "protocol": None}:
        yield Change(Impact.BREAKING, name, "", "is streamed by another method or flag")
    elif old["protocol"] != new["protocol"]:
        yield Change(Impact.BREAKING, name, "", "is streamed by another protocol")


def _callback(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    if canonical(old.get("signature")) != canonical(new.get("signature")):
        yield Change(Impact.BREAKING, name, "", "is signed in another way")
    if old.get("class") != new.get("class"):
        yield Change(Impact.BREAKING, name, "", f"has the class {new.get('class')} now, not {old.get('class')}")
    before, after = old.get("answer_within_seconds"), new.get("answer_within_seconds")
    if before != after:
        text = f"must be responded to within {after} seconds" if after else "may be responded to at any time"
        yield Change(Impact.ADDITIVE if is_raised(before, after) else Impact.BREAKING, name, "", text)
