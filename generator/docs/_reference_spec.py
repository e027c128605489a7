"""Turns the description into one whose texts explain our own keys.

A viewer knows nothing of `x-coze-*`. This module adds them to the texts and removes the keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..spec.bundler import Bundle, operations_of
from ._errors import codes_list
from ._markdown import NOTHING, code, prose
from ._operations import grades
from ._protocols import events_table, messages_table, rooms
from ._python import Samples
from ._samples import code_samples

__all__ = ["readable"]

_OURS = "x-coze-"
_LITERALS = {"const", "default", "enum", "example", "examples"}
_ROOMS, _ERRORS = "rtc_rooms", "error_codes"
_TITLES = {_ROOMS: "RTC rooms", _ERRORS: "Error codes"}
_PAGES = {"page": "numbered from 1", "token": "by an opaque token", "cursor": "by the id of the last item seen"}


def readable(bundled: Bundle, samples: Samples) -> dict[str, Any]:
    """Make the document that the reference page shows. The description itself stays as it is.

    Args:
        bundled: The description.
        samples: Python programs by the id of their operation.
    """
    source = bundled.document
    document: dict[str, Any] = _plain(source)
    for part in ("paths", "webhooks"):
        for path, method, operation in operations_of(source, part):
            _explain(document[part][path][method], source, path, operation)
            if part == "paths":
                document[part][path][method]["x-codeSamples"] = [
                    {"lang": language, "label": title, "source": text}
                    for language, title, text in code_samples(source, path, method, operation, samples)
                ]
    document["info"]["description"] = f"{document['info'].get('description', '')}\n\n{grades(bundled)}".strip()
    _add_sections(document, bundled)
    return document


def _plain(value: Any, place: str = "") -> Any:
    """Copy all but our own keys. Members of `properties` are names, which may be spelled like any key."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if place == "properties":
        return {name: _plain(member) for name, member in value.items()}
    copied = {
        key: member if key in _LITERALS else _plain(member, key)
        for key, member in value.items()
        if not key.startswith(_OURS)
    }
    if place == "responses" and "default" in value:
        copied["default"] = _plain(value["default"])
    if isinstance(value.get("description"), str):
        copied["description"] = " ".join([prose(value["description"]), *_remarks(value)])
    elif remarks := list(_remarks(value)):
        copied["description"] = " ".join(remarks)
    if meanings := value.get("x-coze-enum-descriptions"):
        copied["x-enumDescriptions"] = {name: prose(meaning) for name, meaning in meanings.items()}
    return copied


def _remarks(schema: Mapping[str, Any]) -> Iterator[str]:
    known = [str(value) for value in schema.get("x-coze-known-values", ())]
    if any(value not in schema.get("description", "") for value in known):
        yield f"Known values: {', '.join(code(value) for value in known)}."
    if schema.keys() & {"contentSchema", "x-coze-json-text"}:
        yield "The text holds JSON."


def _explain(target: dict[str, Any], source: Any, path: str, operation: Mapping[str, Any]) -> None:
    """Add the meaning of an operation's `x-coze-*` to its description."""
    facts = "".join(f"- {fact}\n" for fact in _facts(operation, path))
    parts = [target["description"], facts, *_message_tables(source["components"], operation)]
    target["description"] = "\n\n".join(part for part in parts if part)
    if "externalDocs" in target:
        target["externalDocs"].setdefault("description", "Official page")
    if "x-coze-callback" in operation:
        target["security"] = []  # the token of the client has no part in what Coze sends


def _facts(operation: Mapping[str, Any], path: str) -> Iterator[str]:
    if callback := operation.get("x-coze-callback"):
        signature = callback["signature"]
        inputs, names = signature["input"], signature["header_names"]
        yield f"Event: {code(path)}"
        yield f"Respond within {prose(str(callback['answer_within_seconds']))} seconds"
        digest = prose(f"{signature['algorithm'].upper()} in {signature['encoding']} of {', '.join(inputs)}, joined")
        yield f"Signed in {code(names['signature'])}: {digest}"
    else:
        yield f"Name: {code(operation['operationId'])}"
        yield f"Permission: {code(operation['x-coze-permission']) if 'x-coze-permission' in operation else NOTHING}"
    if paging := operation.get("x-coze-pagination"):
        size = f", of size {code(paging['size'])}" if "size" in paging else ""
        yield f"Pages: {_PAGES[paging['style']]}, chosen with {code(paging['param'])}{size}"
    if poll := operation.get("x-coze-poll"):
        when = f"With {code(poll['flag'])} it continues" if "flag" in poll else "Continues"
        each = " of each" if "items" in poll else ""
        states = ", ".join(code(str(state)) for state in poll["terminal"])
        until = f", or {code(poll['waiting'])} is there" if "waiting" in poll else ""
        polled = code(poll["operation"])
        yield f"{when} after the response: poll {polled} until {code(poll['status'])}{each} is {states}{until}"
    if limit := operation.get("x-coze-max-body-bytes"):
        yield f"Largest body: {limit:,} bytes"
    if operation.get("x-coze-idempotent"):
        yield "May be repeated: a second time has no further effect"
    for note in operation.get("x-coze-notes", []):
        yield prose(note)


def _message_tables(components: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the messages of the operation's stream or WebSocket in their order."""
    for key, tables in (("x-coze-stream", events_table), ("x-coze-websocket", messages_table)):
        if key in operation:
            protocol = components[f"{key}s"][operation[key]["protocol"]["$ref"].rpartition("/")[2]]
            flag = operation[key].get("flag")
            when = f"With {code(flag)} the response is a stream. " if flag else ""
            yield f"**{'Events' if key == 'x-coze-stream' else 'Messages'}**"
            yield when + prose(protocol["description"])
            yield tables(protocol)


def _add_sections(document: dict[str, Any], bundled: Bundle) -> None:
    """Add sections without operations, for RTC rooms and error codes, and group all sections in the menu."""
    sections = {
        _ROOMS: "\n\n".join(
            f"{prose(protocol['description'])}\n\n{messages_table(protocol)}" for _, protocol in rooms(bundled)
        ),
        _ERRORS: codes_list(bundled),
    }
    names = [tag["name"] for tag in document.get("tags", [])]
    last = [name for name in ("websockets", "webhooks") if name in names]
    document["tags"] = document.get("tags", []) + [
        {"name": name, "x-displayName": _TITLES[name], "description": text, "x-traitTag": True}
        for name, text in sections.items()
        if text
    ]
    groups = {
        "HTTP": [name for name in names if name not in last],
        "WebSockets, rooms and callbacks": [*last[:1], _ROOMS, *last[1:]],
        "Errors": [_ERRORS],
    }
    there = {tag["name"] for tag in document["tags"]}
    document["x-tagGroups"] = [
        {"name": title, "tags": [name for name in members if name in there]} for title, members in groups.items()
    ]
