"""Every described operation as a call of the generated client, with what it sends and returns in hand."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, Literal
from urllib.parse import parse_qsl

import attrs
import httpx

from coze_api import AsyncClient, Client, Model
from coze_api._core._argument_types import ListOf, MapOf, Object, Value
from coze_api._core._operation import Operation

__all__ = [
    "BASE",
    "CONTENT",
    "LOCATION",
    "LOGID",
    "MODES",
    "TOKEN",
    "Call",
    "Kind",
    "Mode",
    "Outcome",
    "Part",
    "calls",
    "document",
    "perform",
    "resolve",
    "same",
    "wire",
]

BASE = "https://coze.test"
TOKEN = "pat_contract"
LOGID = "logid-of-the-header"
LOCATION = "https://www.coze.test/consent?key=a%20b&next=%2F"
CONTENT = bytes(range(256)) * 600  # more than is read at once
Mode = Literal["sync", "async"]
MODES: tuple[Mode, ...] = ("sync", "async")
Kind = Literal["json", "stream", "file", "redirect"]
_FILE = ("notes.txt", b"one\r\n--two")


@cache
def document() -> dict[str, Any]:
    """Return the description that the client carries."""
    text = resources.files("coze_api").joinpath("coze.openapi.json").read_text(encoding="utf-8")
    description: dict[str, Any] = json.loads(text)
    return description


def resolve(value: dict[str, Any]) -> dict[str, Any]:
    """Follow `$ref`."""
    while "$ref" in value:
        node: Any = document()
        for step in value["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        value = node
    return value


@attrs.frozen
class Call:
    """A method of the client. An operation that streams only on request has two.

    Attributes:
        id: The method's place on the client.
        path: Path of its operation.
        verb: HTTP verb.
        described: Its operation.
        constants: Body members that the method sets, not the caller.
        streams: Whether it returns a stream.
    """

    id: str
    path: str
    verb: str
    described: dict[str, Any] = attrs.field(repr=False)
    constants: dict[str, Any] = attrs.field(factory=dict, repr=False)
    streams: bool = False

    @property
    def operation(self) -> str:
        """Id of the operation."""
        return str(self.described["operationId"])

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The parameters outside the body that are arguments. Those that can only have one value are not."""
        return [item for item in self._parameters if "const" not in item["schema"]]

    @property
    def fixed_headers(self) -> dict[str, str]:
        """The headers that the method sends by itself."""
        return {item["name"]: item["schema"]["const"] for item in self._parameters if "const" in item["schema"]}

    @property
    def kind(self) -> Kind:
        """What it is answered with."""
        responses = self.described["responses"]
        if self.streams:
            return "stream"
        if "200" not in responses:
            assert "302" in responses, f"{self.id} has an answer of no known kind"
            return "redirect"
        return "json" if self.answer is not None else "file"

    @property
    def takes_token(self) -> bool:
        """Whether the token is sent: where the operation needs it, and not where it is only possible."""
        return {} not in (security := self.described.get("security", document()["security"])) and security != []

    @property
    def body(self) -> dict[str, Any] | None:
        """The JSON body's media type, with schema and example."""
        return _json_of(resolve(self.described.get("requestBody", {})))

    @property
    def form(self) -> dict[str, Any] | None:
        """The multipart body's media type, with schema and example."""
        form_schema: dict[str, Any] | None = self._content.get("multipart/form-data")
        return form_schema

    @property
    def is_upload(self) -> bool:
        """Whether it sends a file."""
        return self.form is not None

    @property
    def members(self) -> dict[str, Any]:
        """The schemas of the body's members, whether it is JSON or multipart."""
        media = self.body or self.form
        properties: dict[str, Any] = resolve(media["schema"])["properties"] if media is not None else {}
        return properties

    @property
    def files(self) -> set[str]:
        """Names of the body's members that are files."""
        return {name for name, schema in self.members.items() if resolve(schema).get("format") == "binary"}

    @property
    def answer(self) -> dict[str, Any] | None:
        """The JSON response's media type, with schema and example."""
        return _json_of(self._answer)

    @property
    def content_type(self) -> str:
        """The media type of a response that is a stream or a file."""
        return "text/event-stream" if self.streams else str(next(iter(self._answer["content"])))

    @property
    def protocol(self) -> dict[str, Any]:
        """The events, where it streams."""
        return resolve(self.described["x-coze-stream"]["protocol"])

    @property
    def result(self) -> str:
        """Which member of the response is returned; `.` for all of it, as for pages whose marks lie outside `data`."""
        paging = self.described.get("x-coze-pagination", {})
        marks = [paging[key] for key in ("items", "total", "has_more", "next") if key in paging]
        default = "data" if all(mark.startswith("data.") for mark in marks) else "."
        return str(self.described.get("x-coze-result", default))

    def payload(self, answer: dict[str, Any]) -> Any:
        """Pick what the method returns of a response. Null and nothing read as an empty object."""
        part = answer if self.result == "." else answer.get(self.result)
        return {} if part is None else part

    def arguments(self, values: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """Turn parameters and body members into arguments; members that are not described go the way for such."""
        known = self._data.arguments.items()
        names = {argument.wire: name for name, argument in known if argument.place not in {"body", "part"}}
        inside = {argument.wire: name for name, argument in known if argument.place in {"body", "part"}}
        members = {key: value for key, value in body.items() if key not in self.constants}
        assert values.keys() <= names.keys(), f"{self.id} lacks arguments for {sorted(values.keys() - names.keys())}"
        arguments = {names[key]: value for key, value in values.items()}
        arguments |= {
            inside[key]: _FILE if key in self.files else value for key, value in members.items() if key in inside
        }
        more = {key: value for key, value in members.items() if key not in inside}
        return {**arguments, "extra_body": more} if more else arguments

    def with_models(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn objects among arguments into the models that the method takes in their place."""
        kinds = {name: argument.value for name, argument in self._data.arguments.items()}
        return {name: _as_model(value, kinds[name]) if name in kinds else value for name, value in arguments.items()}

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the described example: the parameters, and the body without what the method sets."""
        values = {item["name"]: item["example"] for item in self.parameters}
        media = self.body or self.form or {"example": {}}
        body = media["example"]
        return values, {key: value for key, value in body.items() if key not in self.constants}

    def example_answer(self) -> bytes | dict[str, Any]:
        """Return the described response; of streams nothing, for files and redirects some content or address."""
        match self.kind:
            case "stream":
                return b""
            case "file":
                return CONTENT
            case "redirect":
                return LOCATION.encode()
        assert self.answer is not None
        example: dict[str, Any] = self.answer["example"]
        return example

    def method(self, client: Any) -> Any:
        """Find the method on a client."""
        for name in self.id.split("."):
            client = getattr(client, name)
        return client

    @property
    def _parameters(self) -> list[dict[str, Any]]:
        return [resolve(parameter) for parameter in self.described.get("parameters", ())]

    @property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = resolve(self.described.get("requestBody", {})).get("content", {})
        return content

    @property
    def _answer(self) -> dict[str, Any]:
        return resolve(self.described["responses"].get("200", {}))

    @property
    def _data(self) -> Operation[Any]:
        module = importlib.import_module(f"coze_api.operations.{self.id.partition('.')[0]}")
        return next(item for item in vars(module).values() if isinstance(item, Operation) and item.id == self.id)


def _as_model(value: Any, kind: Value) -> Any:
    if isinstance(kind, Object) and isinstance(value, dict):
        return kind.model().from_dict(value)
    if isinstance(kind, ListOf) and isinstance(value, list):
        return [_as_model(item, kind.item) for item in value]
    if isinstance(kind, MapOf) and isinstance(value, dict):
        return {key: _as_model(item, kind.item) for key, item in value.items()}
    return value


@cache
def calls() -> tuple[Call, ...]:
    """Return all calls, in the order of the description. WebSockets are not calls."""
    result = []
    for path, item in document()["paths"].items():
        for verb, operation in item.items():
            if "x-coze-websocket" in operation:
                continue
            name, stream = operation["operationId"], operation.get("x-coze-stream", {})
            flag = stream.get("flag")
            if not stream or "method" in stream:
                constants = {flag: False} if flag else {}
                result.append(Call(name, path, verb.upper(), operation, constants))
            if stream:
                twin = name if "method" not in stream else _beside(name, stream["method"])
                result.append(Call(twin, path, verb.upper(), operation, {flag: True} if flag else {}, streams=True))
    return tuple(result)


def _json_of(described: dict[str, Any]) -> dict[str, Any] | None:
    media: dict[str, Any] | None = described.get("content", {}).get("application/json")
    return media


def _beside(name: str, method: str) -> str:
    return ".".join([*name.split(".")[:-1], method])


@attrs.frozen
class Part:
    """A part of a multipart body.

    Attributes:
        name: Its name.
        file: Its name as a file, None if it is none.
        headers: Names of its headers.
        content: Its content.
    """

    name: str
    file: str | None
    headers: list[str]
    content: bytes

    @classmethod
    def read(cls, text: str) -> Part:
        """Read what is between two boundaries, bytes as characters."""
        head, _, content = text.removeprefix("\r\n").partition("\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n"))
        match = re.fullmatch(r'form-data; name="([^"]*)"(?:; filename="([^"]*)")?', headers["Content-Disposition"])
        assert match is not None
        return cls(match[1], match[2], list(headers), content.encode("latin-1"))


@attrs.define
class Outcome:
    """What a call sent and returned.

    Attributes:
        requests: The requests, in order.
        result: What the method returned; of streams the events.
        content: What was read of a file.
        error: What reading a stream ended with, unless it was the stream's own end.
    """

    requests: list[httpx.Request] = attrs.field(factory=list)
    result: Any = None
    content: bytes | None = None
    error: Exception | None = None

    @property
    def request(self) -> httpx.Request:
        """The only request."""
        (request,) = self.requests
        return request

    @property
    def query(self) -> dict[str, str]:
        """The only request's query."""
        pairs = parse_qsl(self.request.url.query.decode(), keep_blank_values=True, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs), f"a parameter was sent twice: {pairs}"
        return dict(pairs)

    @property
    def body(self) -> Any:
        """The only request's JSON body; None without a body."""
        return json.loads(self.request.content) if self.request.content else None

    @property
    def parts(self) -> dict[str, Part]:
        """The parts of the only request's multipart body, by name."""
        kind, _, boundary = self.request.headers["Content-Type"].partition("; boundary=")
        assert kind == "multipart/form-data"
        first, *parts, last = f"\r\n{self.request.content.decode('latin-1')}".split(f"\r\n--{boundary}")
        assert (first, last) == ("", "--\r\n")
        read = [Part.read(part) for part in parts]
        by_name = {part.name: part for part in read}
        assert len(by_name) == len(read), f"a part was sent twice: {list(by_name)}"
        return by_name


def perform(
    call: Call, mode: Mode, answer: bytes | dict[str, Any], arguments: dict[str, Any], **settings: Any
) -> Outcome:
    """Call a method on a client whose transport gives the answer: JSON, else content, of redirects the address.

    Settings are those of the client.
    """
    outcome = Outcome()
    settings = {"base_url": BASE, "token": TOKEN, **settings}

    def handle(request: httpx.Request) -> httpx.Response:
        outcome.requests.append(request)
        headers = {"X-Tt-Logid": LOGID}
        if isinstance(answer, dict):
            return httpx.Response(200, headers=headers, json=answer)
        if call.kind == "redirect":
            return httpx.Response(302, headers={**headers, "Location": answer.decode()})
        return httpx.Response(200, headers={**headers, "Content-Type": call.content_type}, content=answer)

    transport = httpx.MockTransport(handle)
    if mode == "sync":
        with httpx.Client(transport=transport) as http:
            _perform(call, Client(http_client=http, **settings), arguments, outcome)
    else:
        asyncio.run(_aperform(call, transport, settings, arguments, outcome))
    return outcome


def _perform(call: Call, client: Client, arguments: dict[str, Any], outcome: Outcome) -> None:
    result = call.method(client)(**arguments)
    if not call.streams:
        outcome.result = result
        outcome.content = result.read() if call.kind == "file" else None
        return
    outcome.result = []
    try:
        for event in result:
            outcome.result.append(event)  # one by one: those before an error count
    except Exception as error:
        outcome.error = error


async def _aperform(
    call: Call, transport: httpx.MockTransport, settings: dict[str, Any], arguments: dict[str, Any], outcome: Outcome
) -> None:
    async with httpx.AsyncClient(transport=transport) as http:
        result = call.method(AsyncClient(http_client=http, **settings))(**arguments)
        if not call.streams:
            outcome.result = await result
            outcome.content = await outcome.result.read() if call.kind == "file" else None
            return
        outcome.result = []
        try:
            async for event in result:
                outcome.result.append(event)  # as above
        except Exception as error:
            outcome.error = error


def wire(result: Any) -> Any:
    """Write a result, or a part of one, as JSON again."""
    if isinstance(result, Model):
        return result.to_dict()
    if hasattr(result, "answer"):  # a page
        return wire(result.answer)
    if isinstance(result, list):
        return [wire(item) for item in result]
    return result


_Dump: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def same(left: Any, right: Any) -> None:
    """Compare JSON values, in which 1, 1.0 and true are three things."""
    assert _Dump(left) == _Dump(right)
