"""Holds requests to the description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from coze_sandbox import Sandbox
from coze_sandbox._spec.spec import Operation, Spec

__all__ = ["judge"]


async def judge(requests: list[httpx.Request]) -> dict[str, set[str]]:
    """Hold requests to the description, with no leniency.

    Members that are null are reported one by one; then the request is judged without them, since a judge that stops at the
    first fault would not see the others.

    Returns:
        For each operation, or method and path, that was called in a way that is not described, what was wrong.
    """
    strict = Sandbox(lenient=False, examples=True)
    faults_by_operation: dict[str, set[str]] = {}
    transport = httpx.ASGITransport(strict.app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            for request in requests:
                nulls: set[str] = set()
                content, body = request.content, None
                if "json" in request.headers.get("content-type", "") and content:
                    body = without_nulls(json.loads(content), "body", nulls)
                    content = json.dumps(body).encode()
                headers = {**request.headers, "authorization": f"Bearer {strict.token}"}
                headers.pop("content-length", None)
                path = request.url.raw_path.decode()
                async with http.stream(request.method, path, headers=headers, content=content or None):
                    record = strict.requests[-1]
                faults = {f"{path}: null" for path in nulls}
                faults |= {record.reason} if record.verdict != "ok" else set()
                if record.operation is not None:
                    faults |= set(undescribed(strict.description, record.operation, request, body))
                if faults:
                    faults_by_operation.setdefault(record.operation or f"{record.method} {record.path}", set()).update(
                        faults
                    )
    finally:
        strict.close()
    return faults_by_operation


def without_nulls(value: Any, path: str, nulls: set[str]) -> Any:
    """Copy a body without the members that are null, whose paths are added to *nulls*."""
    if isinstance(value, list):
        return [without_nulls(each, f"{path}[]", nulls) for each in value]
    if not isinstance(value, dict):
        return value
    nulls.update(f"{path}.{name}" for name, member in value.items() if member is None)
    return {
        name: without_nulls(member, f"{path}.{name}", nulls) for name, member in value.items() if member is not None
    }


def undescribed(description: Spec, name: str, request: httpx.Request, body: Any) -> Iterator[str]:
    """Find parameters and members that the description does not know, which a server may ignore."""
    operation: Operation = description.operations[name]
    known = {parameter.name for parameter in operation.parameters if parameter.location == "query"}
    for parameter in request.url.params:
        if parameter not in known:
            yield f"query.{parameter}: not described"
    if body is not None and "application/json" in operation.bodies:
        yield from strangers(description, operation.bodies["application/json"].schema, body, "body")


def strangers(description: Spec, schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """Find members of objects whose schema does not name them."""
    schema, _ = description.follow(schema, "")
    if isinstance(value, list):
        for each in value:
            yield from strangers(description, schema.get("items", {}), each, f"{path}[]")
    elif isinstance(value, dict) and "properties" in schema:
        for name, member in value.items():
            if name in schema["properties"]:
                yield from strangers(description, schema["properties"][name], member, f"{path}.{name}")
            elif not schema.get("additionalProperties"):
                yield f"{path}.{name}: not described"
