"""Every described operation as a call of the generated client, with what it sends and returns in hand."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, Literal
from urllib.parse import parse_qsl

import attrs
import httpx

from coze_api import AsyncClient, Client, Model
from coze_api._core._operation import Operation

__all__ = [
    "BASE",
    "MODES",
    "TOKEN",
    "Call",
    "Mode",
    "Outcome",
    "calls",
    "document",
    "perform",
    "resolve",
    "same",
    "wire",
]

BASE = "https://coze.test"
TOKEN = "pat_contract"
Mode = Literal["sync", "async"]
MODES: tuple[Mode, ...] = ("sync", "async")


@cache
def document() -> dict[str, Any]:
    """Return the description that the client carries."""
    text = resources.files("coze_api").joinpath("coze.openapi.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def resolve(value: dict[str, Any]) -> dict[str, Any]:
    """Follow `$ref`."""
    while "$ref" in value:
        found: Any = document()
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


@attrs.frozen
class Call:
    """A method of the client. An operation that streams only if asked to has two.

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
        """The parameters outside the body."""
        return [resolve(parameter) for parameter in self.described.get("parameters", ())]

    @property
    def body(self) -> dict[str, Any] | None:
        """The JSON body's media type, with schema and example."""
        return _json_of(resolve(self.described.get("requestBody", {})))

    @property
    def is_upload(self) -> bool:
        """Whether it sends a file."""
        return "multipart/form-data" in resolve(self.described.get("requestBody", {})).get("content", {})

    @property
    def answer(self) -> dict[str, Any] | None:
        """The JSON answer's media type, with schema and example."""
        return _json_of(resolve(self.described["responses"]["200"]))

    @property
    def protocol(self) -> dict[str, Any]:
        """The events, where it streams."""
        return resolve(self.described["x-coze-stream"]["protocol"])

    @property
    def result(self) -> str:
        """Which member of the answer is returned; `.` for all of it, as for pages whose marks lie outside `data`."""
        paging = self.described.get("x-coze-pagination", {})
        marks = [paging[key] for key in ("items", "total", "has_more", "next") if key in paging]
        default = "data" if all(mark.startswith("data.") for mark in marks) else "."
        return str(self.described.get("x-coze-result", default))

    def payload(self, answer: dict[str, Any]) -> Any:
        """Pick what the method returns of an answer. Null and nothing read as an empty object."""
        found = answer if self.result == "." else answer.get(self.result)
        return {} if found is None else found

    def arguments(self, values: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """Turn parameters and body members into arguments; members that are not described go the way for such."""
        names = {argument.wire: name for name, argument in self._data.arguments.items()}
        members = {key: value for key, value in body.items() if key not in self.constants}
        given = {names[key]: value for key, value in {**values, **members}.items() if key in names}
        more = {key: value for key, value in members.items() if key not in names}
        assert values.keys() <= names.keys(), f"{self.id} lacks arguments for {sorted(values.keys() - names.keys())}"
        if self.is_upload:
            given["file"] = ("notes.txt", b"one\r\n--two")
        return {**given, "extra_body": more} if more else given

    def example(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the described example: the parameters, and the body without what the method sets."""
        values = {item["name"]: item["example"] for item in self.parameters}
        body = self.body["example"] if self.body is not None else {}
        return values, {key: value for key, value in body.items() if key not in self.constants}

    def example_answer(self) -> bytes | dict[str, Any]:
        """Return the described answer; of streams nothing."""
        if self.streams:
            return b""
        assert self.answer is not None
        found: dict[str, Any] = self.answer["example"]
        return found

    def method(self, client: Any) -> Any:
        """Find the method on a client."""
        for name in self.id.split("."):
            client = getattr(client, name)
        return client

    @property
    def _data(self) -> Operation[Any]:
        module = importlib.import_module(f"coze_api.operations.{self.id.partition('.')[0]}")
        return next(item for item in vars(module).values() if isinstance(item, Operation) and item.id == self.id)


@cache
def calls() -> tuple[Call, ...]:
    """Return all calls, in the order of the description."""
    found = []
    for path, item in document()["paths"].items():
        for verb, operation in item.items():
            name, stream = operation["operationId"], operation.get("x-coze-stream", {})
            flag = stream.get("flag")
            if not stream or "method" in stream:
                constants = {flag: False} if flag else {}
                found.append(Call(name, path, verb.upper(), operation, constants))
            if stream:
                twin = name if "method" not in stream else _beside(name, stream["method"])
                found.append(Call(twin, path, verb.upper(), operation, {flag: True} if flag else {}, streams=True))
    return tuple(found)


def _json_of(described: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = described.get("content", {}).get("application/json")
    return found


def _beside(name: str, method: str) -> str:
    return ".".join([*name.split(".")[:-1], method])


@attrs.define
class Outcome:
    """What a call sent and returned.

    Attributes:
        requests: The requests, in order.
        result: What the method returned; of streams the events.
        error: What reading a stream ended with, unless it was the stream's own end.
    """

    requests: list[httpx.Request] = attrs.field(factory=list)
    result: Any = None
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


def perform(call: Call, mode: Mode, answer: bytes | dict[str, Any], arguments: dict[str, Any]) -> Outcome:
    """Call a method on a client whose transport gives the answer."""
    outcome = Outcome()

    def handle(request: httpx.Request) -> httpx.Response:
        outcome.requests.append(request)
        if isinstance(answer, bytes):
            return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=answer)
        return httpx.Response(200, json=answer)

    transport = httpx.MockTransport(handle)
    if mode == "sync":
        _perform(call, transport, arguments, outcome)
    else:
        asyncio.run(_aperform(call, transport, arguments, outcome))
    return outcome


def _perform(call: Call, transport: httpx.MockTransport, arguments: dict[str, Any], outcome: Outcome) -> None:
    with httpx.Client(transport=transport) as http:
        result = call.method(Client(BASE, TOKEN, http_client=http))(**arguments)
        if not call.streams:
            outcome.result = result
            return
        outcome.result = []
        try:
            for event in result:
                outcome.result.append(event)  # one by one: those before an error count
        except Exception as error:
            outcome.error = error


async def _aperform(call: Call, transport: httpx.MockTransport, arguments: dict[str, Any], outcome: Outcome) -> None:
    async with httpx.AsyncClient(transport=transport) as http:
        result = call.method(AsyncClient(BASE, TOKEN, http_client=http))(**arguments)
        if not call.streams:
            outcome.result = await result
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
