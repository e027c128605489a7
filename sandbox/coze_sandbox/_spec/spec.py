"""The bundled OpenAPI description: its operations and schemas."""

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
        required: Whether it is required.
        pointer: JSON pointer to its schema.
        schema: The schema, references resolved.
    """

    name: str
    location: str
    required: bool
    pointer: str
    schema: Mapping[str, Any]


@attrs.frozen
class Media:
    """A content type of a request body or a response.

    Attributes:
        type: The content type.
        pointer: JSON pointer to its schema, or None.
        schema: The schema, references resolved.
        example: The example, or None.
    """

    type: str
    pointer: str | None
    schema: Mapping[str, Any]
    example: Any


@attrs.frozen
class SocketMessage:
    """A message type of a WebSocket.

    Attributes:
        pointer: JSON pointer to the schema of its data, or None for a message without data.
        schema: The schema, references resolved.
        data_required: Whether the data is required.
    """

    pointer: str | None
    schema: Mapping[str, Any]
    data_required: bool


@attrs.frozen
class SocketProtocol:
    """The protocol of a WebSocket.

    Attributes:
        uplink: Messages of clients, by event type.
        downlink: Messages of Coze, by event type.
        detail: JSON pointer to the schema of the member `detail`, which Coze adds to each message.
    """

    uplink: Mapping[str, SocketMessage]
    downlink: Mapping[str, SocketMessage]
    detail: str | None


@attrs.frozen
class Operation:
    """An operation of the spec.

    Attributes:
        id: Operation id.
        method: HTTP method in upper case.
        path: Path template.
        public: Whether it can be called without a token.
        grants: Whether it issues tokens. Its bearer is then not a token but a credential, such as a JWT, and its
            errors have another format.
        permission: Permission that the token needs.
        parameters: Its parameters.
        bodies: Content types of its body, by type.
        body_required: Whether a body must be sent.
        max_body_bytes: Maximum size of the body.
        status: HTTP status of success; 101 for a WebSocket.
        success: Content types of the successful response, by type.
        location: Example of the `Location` of a redirect.
        failure: The JSON response for errors.
        client_failure: The same for HTTP 400 to 499.
        events: Stream protocol: pointers to the schemas of the data by event name (None: no schema).
        stream_flag: Member of the body that requests a stream; None if the operation always streams.
        stream_end: Final event of a successful stream.
        socket: Protocol of its WebSocket, or None.
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
    """The bundled OpenAPI description.

    Args:
        document: The OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations = {operation.id: operation for operation in self._operations()}
        listed = document.get("components", {}).get("x-coze-errors", [])
        self.errors: dict[int, dict[str, Any]] = {entry["code"]: entry for entry in listed}

    def follow(self, node: Any, pointer: str) -> tuple[Any, str]:
        """Resolve `$ref` repeatedly. Returns the node and its JSON pointer.

        Raises:
            KeyError: A reference cannot be resolved.
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
            parameters=(*self._parameters(item, pointer), *self._parameters(node, here)),
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
    """Load the description of the options.

    Raises:
        FileNotFoundError: The options have no description and none is installed.
        ValueError: The file is not a bundled description.
    """
    if isinstance(options.document, Mapping):
        return Spec(options.document)
    path = options.document_path or _installed()
    try:
        document = json.loads(path.read_bytes())
        return Spec(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a bundled description: {type(error).__name__}: {error}") from error


def _installed() -> Path:
    # The package is located but never imported: a shared defect would go unnoticed.
    spec = importlib.util.find_spec("coze_api")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    raise FileNotFoundError(f"no {_FILE} is installed: run `make generate`, or pass its path as document")


def _ends_well(event: Mapping[str, Any]) -> bool:
    return event.get("ends") == "always" and not event.get("fails")


def _escape(segment: str) -> str:
    return segment.replace("~", "~0").replace("/", "~1")
