"""Rules for WebSockets and callbacks: their messages, and how callbacks are signed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Rule, Violation, mapping, strings, violation
from ._keys import check_keys

__all__ = ["MESSAGE_RULES"]

_CLASS = re.compile(r"[A-Z][A-Za-z0-9]{,59}\Z", re.ASCII)
_PROTOCOL = ("description", "uplink", "downlink")
_UPLINK = ("union", "messages")
_DOWNLINK = ("union", "detail", "messages")
_SENT = ("class", "description", "data", "answers")
_RECEIVED = ("class", "description", "data", "ends", "fails")
_NAMED = ("class", "description")
_SCHEMA = "#/components/schemas/"
_CALLBACK = ("signature", "answer_within_seconds", "class")
_SIGNATURE = ("description", "algorithm", "input", "encoding", "header_names", "challenge", "example")
_PARTS = ("timestamp", "nonce", "token", "body")
_HEADERS = ("timestamp", "nonce", "signature")


def websocket(description: Description) -> Iterator[Violation]:
    """`x-coze-websocket` stands on every GET whose response is 101, beside the `wss://` servers, and only there."""
    for operation in description.operations.values():
        body = operation.body
        switches = "101" in mapping(body.get("responses"))
        if "x-coze-websocket" not in body:
            if switches:
                yield violation(body, "the response is 101: add x-coze-websocket")
            continue
        rule = mapping(body["x-coze-websocket"])
        yield from check_keys(rule, body, "x-coze-websocket", ("protocol",), ("protocol",))
        if operation.method != "get" or not switches:
            yield violation(body, "a WebSocket is opened by GET and the response 101", "x-coze-websocket")
        listed = body.get("servers")
        servers = [mapping(server) for server in listed] if isinstance(listed, list) else []
        if not servers or not all(str(server.get("url")).startswith("wss://") for server in servers):
            yield violation(body, "name the wss:// addresses as servers", "servers")


def socket_protocol(description: Description) -> Iterator[Violation]:
    """The protocol of a WebSocket has the shape that extensions.md shows."""
    for name, protocol in description.components("x-coze-websockets").items():
        body = mapping(protocol)
        yield from check_keys(body, description.document, name, _PROTOCOL, _PROTOCOL)
        uplink, downlink = mapping(body.get("uplink")), mapping(body.get("downlink"))
        yield from check_keys(uplink, body, f"uplink of {name}", _UPLINK, _UPLINK)
        yield from check_keys(downlink, body, f"downlink of {name}", _DOWNLINK, _UPLINK)
        known = mapping(downlink.get("messages"))
        for event, message in mapping(uplink.get("messages")).items():
            sent = mapping(message)
            yield from check_keys(sent, uplink, f"message {event}", _SENT, _NAMED)
            for answer in strings(sent.get("answers")):
                if answer not in known:
                    yield violation(sent, f"{answer} is not in the downlink of {name}", "answers")
        for event, message in known.items():
            received = mapping(message)
            yield from check_keys(received, downlink, f"message {event}", _RECEIVED, _NAMED)
            if received.get("ends", "always") != "always":
                yield violation(received, "ends is always; leave it out if something may follow", "ends")
            if received.get("fails", True) is not True:
                yield violation(received, "fails is true; leave it out otherwise", "fails")


def callback(description: Description) -> Iterator[Violation]:
    """A callback is a POST named after its event, with a signature, a deadline, and the class of its body."""
    for operation in description.operations.values():
        if "x-coze-callback" in operation.body:
            yield violation(operation.body, "move the callback to webhooks", "x-coze-callback")
    for operation in description.callbacks.values():
        body = operation.body
        rule = mapping(body.get("x-coze-callback"))
        yield from check_keys(rule, body, "x-coze-callback", _CALLBACK, _CALLBACK)
        expected = f"webhooks.{operation.path.replace('.', '_')}"
        if operation.method != "post" or operation.id != expected:
            yield violation(body, f"make it a post called {expected}", "operationId")
        content = mapping(description.resolve(body.get("requestBody")).get("content"))
        media = mapping(content.get("application/json"))
        reference = f"{_SCHEMA}{rule.get('class')}"
        if mapping(media.get("schema")).get("$ref") != reference:
            yield violation(
                media or body, f"make the schema of the body a $ref to one called {rule.get('class')}", "schema"
            )
        if "200" not in mapping(body.get("responses")):
            yield violation(body, "describe the response 200", "responses")


def signature(description: Description) -> Iterator[Violation]:
    """A signature names its input, digest and headers, and has an example that is correct."""
    for operation in description.callbacks.values():
        rule = mapping(operation.body.get("x-coze-callback"))
        if "signature" not in rule:
            continue
        value = mapping(rule["signature"])
        yield from check_keys(value, rule, "signature", _SIGNATURE, _SIGNATURE)
        example, headers = mapping(value.get("example")), mapping(value.get("header_names"))
        yield from check_keys(headers, value, "headers of the signature", _HEADERS, _HEADERS)
        parts = value.get("input")
        if not strings(parts) or any(part not in _PARTS for part in strings(parts)):
            yield violation(value, f"input lists some of {', '.join(_PARTS)}", "input")
        elif value.get("algorithm") not in hashlib.algorithms_guaranteed:
            yield violation(
                value, f"algorithm is one of {', '.join(sorted(hashlib.algorithms_guaranteed))}", "algorithm"
            )
        elif value.get("encoding") != "hex":
            yield violation(value, "encoding is hex", "encoding")
        elif not isinstance(value.get("challenge"), str):
            yield violation(value, "challenge names the member that is to be returned unchanged", "challenge")
        else:
            text = "".join(str(example.get(part)) for part in strings(parts))
            digest = hashlib.new(str(value["algorithm"]), text.encode()).hexdigest()
            if example.get("signature") != digest:
                yield violation(example or value, f"the signature of the example is {digest}", "signature")


def message_class(description: Description) -> Iterator[Violation]:
    """The class of a message or event, and each union, has a name of its own, also when lower-cased."""
    seen = {name.lower(): name for name in description.components("schemas")}
    for owner, key in _classes(description):
        name = owner.get(key)
        if name is None:
            continue
        if not isinstance(name, str) or not _CLASS.match(name):
            yield violation(owner, f"write {name} in PascalCase, ASCII, with at most 60 characters", key)
            continue
        if name.lower() in seen:
            yield violation(owner, f"rename {name}: there is {seen[name.lower()]} already", key)
        seen.setdefault(name.lower(), name)


def _classes(description: Description) -> Iterator[tuple[LocatedMapping, str]]:
    for protocol in description.components("x-coze-streams").values():
        body: Any = mapping(protocol)
        yield body, "event"
        for event in mapping(body.get("events")).values():
            yield mapping(event), "class"
    for protocol in description.components("x-coze-websockets").values():
        for side in ("uplink", "downlink"):
            body = mapping(mapping(protocol).get(side))
            yield body, "union"
            for message in mapping(body.get("messages")).values():
                yield mapping(message), "class"


MESSAGE_RULES: dict[str, Rule] = {
    "websocket": websocket,
    "socket-protocol": socket_protocol,
    "callback": callback,
    "signature": signature,
    "message-class": message_class,
}
