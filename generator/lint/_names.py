"""Rules for names: of components, which become the names of classes, and of all that is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..spec.bundler import LITERALS
from ..spec.diagnostics import suggestion
from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Rule, Violation, mapping, strings, violation

__all__ = ["NAME_RULES"]

_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*\Z", re.ASCII)
_MOST = 60
_MOST_SENT = 200
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, section 5.6.2
_HEADER = re.compile(_WORD)
_MEDIA_TYPE = re.compile(f"{_WORD}/{_WORD}")
_PATH = re.compile(r"(/([\w.~:@!$&'()*+,;=-]|\{\w+\})+)+", re.ASCII)  # RFC 3986, section 3.3
_DOTTED = re.compile(r"`([a-z0-9_]+(?:\.[a-z0-9_]+)+)`")
_KINDS = ("schemas", "responses", "parameters", "x-coze-streams", "x-coze-websockets")  # not headers: HTTP names them


def component_name(description: Description) -> Iterator[Violation]:
    """A component's name is PascalCase, ASCII, at most 60 characters."""
    for kind in _KINDS:
        for name, component in description.components(kind).items():
            if not _PASCAL.match(name) or len(name) > _MOST:
                remedy = f"in PascalCase, ASCII, with at most {_MOST} characters"
                yield violation(mapping(component), f"rename {name} {remedy}")


def name_unique(description: Description) -> Iterator[Violation]:
    """No two schemas differ only in case: their modules would overwrite each other."""
    seen: dict[str, str] = {}
    for name, component in description.components("schemas").items():
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield violation(mapping(component), f"rename {name}: it differs from {other} only in case")


def client_name(description: Description) -> Iterator[Violation]:
    """openapi-python-client leaves the name as it is, so that the description names the class."""
    # The import takes longer than all other rules together.
    from openapi_python_client.strings import ClassName

    for name, component in description.components("schemas").items():
        renamed = str(ClassName(name, ""))
        if _PASCAL.match(name) and renamed != name:
            yield violation(mapping(component), f"rename {name}: the client would call it {renamed}")


def wire_name(description: Description) -> Iterator[Violation]:
    """What is sent under a name, or as one, can be printed, and has at most 200 characters and no space at its ends."""
    for place, name, key in _sent(description):
        if not name or len(name) > _MOST_SENT or not name.isprintable() or name != name.strip():
            remedy = f"1 to {_MOST_SENT} characters that can be printed, without spaces at its ends"
            yield violation(place, f"correct the name {name[:60]!a}: {remedy}", key)


def http_name(description: Description) -> Iterator[Violation]:
    """Paths, headers and media types are spelled as HTTP requires."""
    paths = mapping(description.document.get("paths"))
    named: list[tuple[LocatedMapping, str, str, re.Pattern[str]]] = [(paths, path, path, _PATH) for path in paths]
    for _, parameter in description.parameters:
        if parameter.get("in") == "header":
            named.append((parameter, str(parameter.get("name")), "name", _HEADER))
    bodies = [mapping(operation.body.get("requestBody")) for operation in description.everything]
    answers = [
        answer for operation in description.everything for answer in mapping(operation.body.get("responses")).values()
    ]
    for owner in map(mapping, [*bodies, *answers, *description.components("responses").values()]):
        for part, shape in (("headers", _HEADER), ("content", _MEDIA_TYPE)):
            named += [(mapping(owner.get(part)), name, name, shape) for name in mapping(owner.get(part))]
    for place, name, key, shape in named:
        if not shape.fullmatch(name):
            kind = {_PATH: "path", _HEADER: "header"}.get(shape, "media type")
            yield violation(place, f"correct {name[:60]!a}: HTTP allows no such {kind}", key)


def named_in_text(description: Description) -> Iterator[Violation]:
    """A dotted name in backticks is the id of an operation, a name that is sent, or a path of members."""
    operations = {operation.id for operation in description.everything}
    sent = {name for _, name, _ in _sent(description)}
    for place, key, text in _texts(description.document):
        for name in _DOTTED.findall(text):
            if name not in operations | sent and not sent.issuperset(name.split(".")):
                yield violation(place, f"there is no operation {name}{suggestion(name, operations)}", key)


def _texts(value: Any, place: LocatedMapping | None = None, key: str = "") -> Iterator[tuple[LocatedMapping, str, str]]:
    """Yield every text for readers, with its mapping and key."""
    if isinstance(value, str) and place is not None:
        yield place, key, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, place, key)
    elif isinstance(value, LocatedMapping):
        for name, member in value.items():
            if name not in LITERALS:
                yield from _texts(member, value, name)


def _sent(description: Description) -> Iterator[tuple[LocatedMapping, str, str]]:
    """Yield every name that is sent, with its mapping and key."""
    for node in description.nodes:
        properties = mapping(node.schema.get("properties"))
        yield from ((properties, name, name) for name in properties)
        yield from ((node.schema, value, "enum") for value in strings(node.schema.get("enum")) if value)
    for _, parameter in description.parameters:
        yield parameter, str(parameter.get("name")), "name"
    kinds = map(description.components, ("x-coze-streams", "x-coze-websockets"))
    protocols = [mapping(protocol) for kind in kinds for protocol in kind.values()]
    sides = [mapping(protocol.get(side)) for protocol in protocols for side in ("uplink", "downlink")]
    events = [*(protocol.get("events") for protocol in protocols), *(side.get("messages") for side in sides)]
    for named in (*map(mapping, events), mapping(description.document.get("webhooks"))):
        yield from ((named, name, name) for name in named)


NAME_RULES: dict[str, Rule] = {
    "component-name": component_name,
    "name-unique": name_unique,
    "client-name": client_name,
    "wire-name": wire_name,
    "http-name": http_name,
    "named-in-text": named_in_text,
}
