"""The bundled description, read as a list of operations."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from .._config.options import Options

__all__ = ["Spec", "Media", "Operation", "Parameter", "SocketMessage", "SocketProtocol", "load_spec"]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SUCCESS = ("101", "200", "302")
_FILE = "coze.openapi.json"


@attrs.frozen
class Parameter:
    """A path, query or header parameter.

    Attributes:
        name: Its name.
        place: `path`, `query` or `header`.
        required: Whether the call is refused without it.
        pointer: Where its schema is in the document.
        schema: The schema, references followed.
    """

    name: str
    location: str
    required: bool
    pointer: str
    schema: Mapping[str, Any]


@attrs.frozen
class Media:
    """One content type of a request body or of an answer.

    Attributes:
        type: The content type.
        pointer: Where its schema is in the document, or None where it has none.
        schema: The schema, references followed.
        example: The described example, or None.
    """

    type: str
    pointer: str | None
    schema: Mapping[str, Any]
    example: Any


@attrs.frozen
class SocketMessage:
    """One kind of message of a WebSocket.

    Attributes:
        pointer: Where the schema of its data is in the document, or None where it has no data.
        schema: The schema, references followed.
        data_required: Whether the data may not be left out.
    """

    pointer: str | None
    schema: Mapping[str, Any]
    data_required: bool


@attrs.frozen
class SocketProtocol:
    """What is said over a WebSocket.

    Attributes:
        uplink: What clients send, by event type.
        downlink: What Coze sends, by event type.
        detail: Where the schema of the member `detail` is, which Coze adds to each message.
    """

    uplink: Mapping[str, SocketMessage]
    downlink: Mapping[str, SocketMessage]
    detail: str | None


@attrs.frozen
class Operation:
    """One operation of the description.

    Attributes:
        id: Operation id.
        method: HTTP method in upper case.
        path: Path template.
        public: Whether it can be called without a token.
        grants: Whether it gives tokens out. What it is sent as bearer then is no token, but what it
            gives the token for, and its failures have a shape of their own.
        permission: The permission that a token needs.
        parameters: Its parameters.
        bodies: Content types that its body may have.
        body_required: Whether a body must be sent.
        max_body_bytes: Largest body accepted.
        status: HTTP status of success; 101 where it opens a WebSocket.
        success: Content types of the answer of that status, by type.
        location: Example of the address that a redirect leads to.
        failure: The JSON answer for failures.
        client_failure: The same for the statuses 400 to 499.
        events: Stream protocol: event name to pointer of the schema of its data (None: not fixed).
        stream_flag: The member of the body that asks for a stream; None where it always is one.
        stream_end: The event with which a stream ends well.
        socket: What is said over the WebSocket that it opens, or None where it opens none.
    """

    id: str
    method: str
    path: str
    public: bool
    issues_tokens: bool
    permission: str | None
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, Media]
    body_required: bool
    max_body_bytes: int | None
    status: int
    success: Mapping[str, Media]
    location: str | None
    failure: Media | None
    client_failure: Media | None
    events: Mapping[str, str | None]
    stream_flag: str | None
    stream_end: str | None
    socket: SocketProtocol | None


class Spec:
    """The bundled document.

    Args:
        document: The OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations = {operation.id: operation for operation in self._operations()}
        listed = document.get("components", {}).get("x-coze-errors", [])
        self.errors: dict[int, dict[str, Any]] = {entry["code"]: entry for entry in listed}

    def follow(self, node: Any, pointer: str) -> tuple[Any, str]:
        """Follow `$ref` from a node until there is none. Returns the node and where it is.

        Raises:
            KeyError: A reference leads nowhere.
        """
        seen = set()
        while isinstance(node, Mapping) and "$ref" in node and pointer not in seen:
            seen.add(pointer)
            pointer = node["$ref"].removeprefix("#")
            node = self.document
            for segment in pointer.split("/")[1:]:
                node = node[segment.replace("~1", "/").replace("~0", "~")]
        return node, pointer

    def _operations(self) -> Iterator[Operation]:
        default_security = self.document.get("security", [])
        for path, item in self.document["paths"].items():
            for method in _METHODS:
                if method in item:
                    pointer = f"/paths/{_escape(path)}"
                    yield self._operation(path, method, item, pointer, default_security)

    def _operation(self, path: str, method: str, item: Mapping[str, Any], pointer: str, security: Any) -> Operation:
        node = item[method]
        here = f"{pointer}/{method}"
        body, body_at = self.follow(node.get("requestBody", {}), f"{here}/requestBody")
        responses = node.get("responses", {})
        status = next((key for key in responses if key in _SUCCESS), "200")
        success, success_at = self.follow(responses.get(status, {}), f"{here}/responses/{status}")
        failure = self._failure(responses, "default", here)
        client_failure = self._failure(responses, "4XX", here) or failure
        stream = node.get("x-coze-stream", {})
        protocol, protocol_at = self.follow(stream.get("protocol", {}), f"{here}/x-coze-stream/protocol")
        events = protocol.get("events", {})
        return Operation(
            id=node["operationId"],
            method=method.upper(),
            path=path,
            public=not all(node.get("security", security) or [{}]),
            issues_tokens=client_failure is not failure,
            permission=node.get("x-coze-permission"),
            parameters=(
                *self._parameters(item, pointer),
                *self._parameters(node, here),
            ),
            bodies=self._media(body, body_at),
            body_required=bool(body.get("required")),
            max_body_bytes=node.get("x-coze-max-body-bytes"),
            status=int(status),
            success=self._media(success, success_at),
            location=success.get("headers", {}).get("Location", {}).get("example"),
            failure=failure,
            client_failure=client_failure,
            events={
                name: f"{protocol_at}/events/{_escape(name)}/data" if "data" in event else None
                for name, event in events.items()
            },
            stream_flag=stream.get("flag"),
            stream_end=next((name for name, event in events.items() if _ends_well(event)), None),
            socket=self._socket(node["x-coze-websocket"], here) if "x-coze-websocket" in node else None,
        )

    def _socket(self, node: Mapping[str, Any], here: str) -> SocketProtocol:
        protocol, at = self.follow(node["protocol"], f"{here}/x-coze-websocket/protocol")
        downlink = protocol["downlink"]
        return SocketProtocol(
            uplink=dict(self._socket_messages(protocol["uplink"], f"{at}/uplink")),
            downlink=dict(self._socket_messages(downlink, f"{at}/downlink")),
            detail=f"{at}/downlink/detail" if "detail" in downlink else None,
        )

    def _socket_messages(self, side: Mapping[str, Any], at: str) -> Iterator[tuple[str, SocketMessage]]:
        for name, message in side["messages"].items():
            pointer = f"{at}/messages/{_escape(name)}/data"
            schema, _ = self.follow(message.get("data", {}), pointer)
            yield name, SocketMessage(pointer if "data" in message else None, schema, bool(schema.get("required")))

    def _failure(self, responses: Mapping[str, Any], status: str, here: str) -> Media | None:
        response, at = self.follow(responses.get(status, {}), f"{here}/responses/{status}")
        return self._media(response, at).get("application/json")

    def _parameters(self, node: Mapping[str, Any], pointer: str) -> Iterator[Parameter]:
        for number, entry in enumerate(node.get("parameters", [])):
            parameter, at = self.follow(entry, f"{pointer}/parameters/{number}")
            schema, _ = self.follow(parameter.get("schema", {}), f"{at}/schema")
            yield Parameter(
                name=parameter["name"],
                location=parameter["in"],
                required=bool(parameter.get("required")),
                pointer=f"{at}/schema",
                schema=schema,
            )

    def _media(self, node: Mapping[str, Any], pointer: str) -> dict[str, Media]:
        result = {}
        for name, media in node.get("content", {}).items():
            at = f"{pointer}/content/{_escape(name)}/schema"
            schema, _ = self.follow(media.get("schema", {}), at)
            example = media.get("example")
            if example is None:
                example = next((entry.get("value") for entry in media.get("examples", {}).values()), None)
            result[name] = Media(name, at if "schema" in media else None, schema, example)
        return result


def load_spec(options: Options) -> Spec:
    """Read the description that the options name.

    Raises:
        FileNotFoundError: No description was given and none is installed.
        ValueError: The file is no bundled description.
    """
    if isinstance(options.document, Mapping):
        return Spec(options.document)
    path = options.document_path or _installed()
    try:
        document = json.loads(path.read_bytes())
        return Spec(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no bundled description: {type(error).__name__}: {error}") from error


def _installed() -> Path:
    # The package is located but never imported: a defect shared with the client could hide itself.
    spec = importlib.util.find_spec("coze_api")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    raise FileNotFoundError(f"no {_FILE} is installed; generate the client, or name the file of the description")


def _ends_well(event: Mapping[str, Any]) -> bool:
    return event.get("ends") == "always" and not event.get("fails")


def _escape(segment: str) -> str:
    return segment.replace("~", "~0").replace("/", "~1")
