"""Calls the operations of the real service that only read, and records requests and responses as a HAR file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from ..runtime._secrets import MASK, mask, without_parts
from ..spec.bundler import Bundle
from ..spec.diagnostics import DescriptionError, Diagnostic
from .facts import Address, Operation, resolved
from .har_file import read_entries

if TYPE_CHECKING:
    import httpx

__all__ = ["read_live", "reading_operations"]

_SAME = {"space_id": "workspace_id"}  # older operations call a workspace a space
_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "set-cookie"}
_LONGEST = 20_000  # what `mask` reads of a text


@attrs.frozen
class ReadingOperation:
    """An operation that only reads.

    Attributes:
        name: Operation id.
        path: Path with `{name}` for its parameters.
        method: HTTP method in lower case.
        places: Where each parameter goes, those of the body aside.
        schemas: The schemas of parameters and body members.
        needed: Names of the required ones.
        headers: Headers that always have one value.
        has_body: Whether it takes a JSON body.
        permission: The permission that the token needs, or "".
    """

    name: str
    path: str
    method: str
    places: Mapping[str, str]
    schemas: Mapping[str, Mapping[str, Any]]
    needed: tuple[str, ...]
    headers: Mapping[str, str]
    has_body: bool
    permission: str

    @property
    def argument_names(self) -> tuple[str, str]:
        """Names of the arguments that take the id of a listed resource, in full and in short."""
        resource = self.name.split(".")[-2].removesuffix("s")
        return f"{resource}_id", f"{resource.rpartition('_')[2]}_id"


class _Ids:
    """The ids of an account's resources that are known so far."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def find(self, name: str, schema: Mapping[str, Any]) -> Any:
        """Return a value for an argument, or None if none is known."""
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "integer":
            return schema.get("minimum", 1)
        return self._known.get(_SAME.get(name, name))

    def learn(self, operation: ReadingOperation, response: Any) -> None:
        """Store the ids of a response, each under the names of the arguments that take it."""
        for is_item, name, value in _texts(response):
            for argument in operation.argument_names if name == "id" and is_item else (name,):
                if argument.endswith("_id") and value:
                    self._known.setdefault(_SAME.get(argument, argument), value)


def _texts(value: Any, *, is_item: bool = False) -> Iterator[tuple[bool, str, str]]:
    """Yield all strings of a value with their names, and whether they are in an item of a list."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, is_item=True)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                yield is_item, name, item
            else:
                yield from _texts(item)


def reading_operations(bundled: Bundle) -> list[ReadingOperation]:
    """List the operations that only read: GET, and lists by POST. Redirects are left out, since they need a browser."""
    document = bundled.document
    found = []
    for name, (path, method, operation) in bundled.operations().items():
        security = operation.get("security", document.get("security", []))
        content = resolved(operation["responses"].get("200", {}), document).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        is_json = "application/json" in content and schema.get("format") != "binary"
        is_stream = bool(operation.get("x-coze-stream")) and "flag" not in operation["x-coze-stream"]
        only_reads = method == "get" or "x-coze-pagination" in operation
        if only_reads and is_json and not is_stream and security and {} not in security:
            found.append(_reading(name, path, method, operation, document))
    return found


def _reading(
    name: str, path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> ReadingOperation:
    parameters = [resolved(parameter, document) for parameter in operation.get("parameters", ())]
    fixed = {item["name"]: str(item["schema"]["const"]) for item in parameters if "const" in item["schema"]}
    given = [item for item in parameters if item["name"] not in fixed]
    content = resolved(operation.get("requestBody", {}), document).get("content", {})
    body = resolved(content.get("application/json", {}).get("schema", {}), document)
    schemas = {**{item["name"]: item["schema"] for item in given}, **body.get("properties", {})}
    return ReadingOperation(
        name,
        path,
        method,
        {item["name"]: item["in"] for item in given},
        {key: resolved(schema, document) for key, schema in schemas.items()},
        (*(item["name"] for item in given if item.get("required")), *body.get("required", ())),
        fixed,
        "application/json" in content,
        operation.get("x-coze-permission", ""),
    )


@attrs.define
class _Session:
    """One check of a service: what was recorded, and what became known on the way."""

    http: httpx.Client
    token: str
    ids: _Ids = attrs.field(factory=_Ids)
    entries: list[dict[str, Any]] = attrs.field(factory=list)
    succeeded: list[str] = attrs.field(factory=list)
    refused: dict[str, str] = attrs.field(factory=dict)
    not_called: dict[str, str] = attrs.field(factory=dict)

    def run(self, waiting: list[ReadingOperation], pause: float) -> None:
        while ready := [operation for operation in waiting if self._arguments(operation) is not None]:
            for operation in ready:
                waiting.remove(operation)
                self._call(operation)
                time.sleep(pause)
        for operation in waiting:
            unknown = [name for name in operation.needed if self.ids.find(name, operation.schemas[name]) is None]
            self.not_called[operation.name] = ", ".join(unknown)

    def _arguments(self, operation: ReadingOperation) -> dict[str, Any] | None:
        found = {name: self.ids.find(name, operation.schemas[name]) for name in operation.needed}
        return None if None in found.values() else found

    def _call(self, operation: ReadingOperation) -> None:
        arguments = self._arguments(operation) or {}
        path = operation.path
        for name, value in arguments.items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        started, now = datetime.now(UTC), time.perf_counter()
        response = self.http.request(
            operation.method.upper(),
            path,
            params={name: str(value) for name, value in arguments.items() if operation.places.get(name) == "query"},
            headers=dict(operation.headers),
            json={name: value for name, value in arguments.items() if name not in operation.places}
            if operation.has_body
            else None,
        )
        self.entries.append(_entry(response, started, 1000 * (time.perf_counter() - now), self.token))
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.is_success and isinstance(body, dict) and not body.get("code"):
            self.succeeded.append(operation.name)
            self.ids.learn(operation, body)
            return
        body = body if isinstance(body, dict) else {}
        reason = f"HTTP status {response.status_code}, code {body.get('code', 'none')}: {body.get('msg', '')!s:.200}"
        if response.status_code == 403 and operation.permission:
            reason += f" (needs the permission {operation.permission})"
        self.refused[operation.name] = _redacted_text(reason, self.token)

    def summary(self) -> str:
        """Return which operations were not compared, and why."""
        lines = [
            f"{len(self.succeeded)} operations succeeded, {len(self.refused)} failed, {len(self.not_called)} not called"
        ]
        for title, found in (
            ("Failed", self.refused),
            ("Not called, since these arguments are unknown", self.not_called),
        ):
            lines += [f"{title}:", *(f"  {name}: {why}" for name, why in sorted(found.items()))] if found else []
        return "\n".join(lines)


def read_live(
    bundled: Bundle,
    addresses: Mapping[Address, str],
    *,
    base_url: str | None = None,
    har: Path | None = None,
    pause: float = 0.5,
) -> tuple[list[Operation], str]:
    """Call all operations that only read, with ids from earlier responses.

    Args:
        bundled: The description.
        addresses: The addresses of the described operations, with their ids.
        base_url: Address of the service. Default: COZE_API_BASE, or the first server of the description.
        har: File for the requests and responses. Tokens, cookies and other secrets are taken out.
        pause: Seconds between requests.

    Returns:
        What the responses show, and a text about the operations that were not compared.

    Raises:
        DescriptionError: COZE_API_TOKEN is not set, the service cannot be reached, or no operation succeeded.
    """
    import httpx

    token = os.environ.get("COZE_API_TOKEN", "")
    if not token:
        raise _problem("set COZE_API_TOKEN to an access token of the account to read from")
    base = base_url or os.environ.get("COZE_API_BASE") or str(bundled.document["servers"][0]["url"])
    try:
        with httpx.Client(base_url=base, timeout=30, headers={"Authorization": f"Bearer {token}"}) as http:
            session = _Session(http, token)
            session.run(reading_operations(bundled), pause)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _problem(_redacted_text(f"cannot be read: {type(error).__name__}: {error}", token)) from None
    if har is not None:
        _write(har, session.entries)
    if not session.succeeded:
        first = next(iter(session.refused.items()), ("", "nothing could be called"))
        raise _problem(f"no operation succeeded; check COZE_API_TOKEN and the address. {': '.join(first)}")
    return list(read_entries(session.entries, addresses, "live")), session.summary()


def _problem(message: str) -> DescriptionError:
    return DescriptionError([Diagnostic("live", 1, "source", message)])


def _entry(response: httpx.Response, started: datetime, milliseconds: float, token: str) -> dict[str, Any]:
    """Return an exchange as an entry of a HAR file (version 1.2), without secrets."""
    request = response.request
    body, text = request.content.decode("utf-8", "replace"), _redacted_body(response.text, token)
    sent = {"postData": {"mimeType": "application/json", "text": _redacted_body(body, token)}} if body else {}
    common = {"httpVersion": response.http_version, "cookies": [], "headersSize": -1}
    return {
        "startedDateTime": started.isoformat(),
        "time": milliseconds,
        "request": {
            "method": request.method,
            "url": _redacted_text(str(request.url), token),
            "headers": _redacted_headers(request.headers, token),
            "queryString": [
                {"name": name, "value": _redacted(value, name, token)}
                for name, value in request.url.params.multi_items()
            ],
            "bodySize": len(body.encode()),
            **sent,
            **common,
        },
        "response": {
            "status": response.status_code,
            "statusText": response.reason_phrase,
            "headers": _redacted_headers(response.headers, token),
            "content": {
                "size": len(response.content),
                "mimeType": response.headers.get("content-type", ""),
                "text": text,
            },
            "redirectURL": "",
            "bodySize": -1,
            **common,
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _redacted_headers(headers: httpx.Headers, token: str) -> list[dict[str, str]]:
    return [
        {"name": name, "value": MASK if name.lower() in _SECRET_HEADERS else _redacted(value, name, token)}
        for name, value in headers.multi_items()
    ]


def _redacted_body(text: str, token: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return _redacted_text(text, token)
    return json.dumps(_redacted(value, "", token), ensure_ascii=False)


def _redacted(value: Any, name: str, token: str) -> Any:
    """Return a JSON value without secrets: texts under names of secrets, and what texts quote."""
    if isinstance(value, dict):
        return {key: _redacted(item, key, token) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, name, token) for item in value]
    if not isinstance(value, str) or not value:
        return value
    probe = f'"{name}": "value"'
    return MASK if mask(probe) != probe else _redacted_text(value, token)


def _redacted_text(text: str, token: str) -> str:
    return "".join(
        without_parts(mask(text[start : start + _LONGEST]), token) for start in range(0, len(text), _LONGEST)
    )


def _write(path: Path, entries: list[dict[str, Any]]) -> None:
    """Write a HAR file that only its owner can read: responses hold what the account has."""
    log = {"version": "1.2", "creator": {"name": "cozekit", "version": "1"}, "entries": entries}
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"log": log}, file, ensure_ascii=False, indent=1)
    except OSError as error:
        raise DescriptionError([Diagnostic(str(path), 1, "har", f"cannot be written: {error.strerror}")]) from error
