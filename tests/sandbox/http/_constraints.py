"""Every constraint that the description puts on a request, as one request that breaks it and one that just fits."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from coze_sandbox import Options
from coze_sandbox._spec.spec import Operation, Spec, load_spec

__all__ = ["DESCRIPTION", "HTTP", "Case", "Request", "cases", "example_request", "fields", "node_of"]

DESCRIPTION: Spec = load_spec(Options())
HTTP = [operation for operation in DESCRIPTION.operations.values() if operation.status != 101]

_WRONG = {
    "string": 7,
    "integer": "seven",
    "number": "seven",
    "boolean": "perhaps",
    "array": "no list",
    "object": "no object",
}
_MISSING = object()
# Their lengths count bytes, where all others count characters.
_IN_BYTES = {("audio.speech.create", "body.input")}


@attrs.define
class Request:
    """A request in parts, so that one value can be changed at a time."""

    operation: Operation
    path: dict[str, Any] = attrs.Factory(dict)
    query: dict[str, Any] = attrs.Factory(dict)
    header: dict[str, Any] = attrs.Factory(dict)
    body: Any = None
    files: dict[str, bytes] = attrs.Factory(dict)

    @property
    def is_form(self) -> bool:
        return "multipart/form-data" in self.operation.bodies

    def arguments(self) -> dict[str, Any]:
        """Return it as arguments for httpx."""
        url = self.operation.path
        for name, value in self.path.items():
            url = url.replace("{" + name + "}", _text(value))
        query = {name: _text(value) for name, value in self.query.items()}
        result = {"method": self.operation.method, "url": url, "params": query, "headers": dict(self.header)}
        if self.is_form:
            result["data"] = {name: _text(value, form=True) for name, value in self.body.items()}
            result["files"] = {name: ("a.wav", content, "audio/wav") for name, content in self.files.items()}
            if not self.files:  # httpx would send a form of another kind
                result["files"] = {name: (None, value) for name, value in result.pop("data").items()} or {
                    "": (None, "")
                }
        elif self.body is not None:
            result["json"] = self.body
        return result


@attrs.frozen
class Case:
    """One constraint of one field.

    Attributes:
        name: Field and constraint.
        where: How the refusal names the field.
        broken: A request that breaks it.
        fitting: A request that just fits, or None where no value lies on a boundary.
    """

    name: str
    where: str
    broken: Request
    fitting: Request | None


def node_of(operation: Operation) -> Mapping[str, Any]:
    """Return the operation as it stands in the document."""
    return DESCRIPTION.document["paths"][operation.path][operation.method.lower()]


def example_request(operation: Operation) -> Request:
    """Return the described example."""
    request = Request(operation)
    for entry in node_of(operation).get("parameters", []):
        parameter, _ = DESCRIPTION.follow(entry, "")
        if parameter.get("example") is not None:
            getattr(request, parameter["in"])[parameter["name"]] = copy.deepcopy(parameter["example"])
    for media in operation.bodies.values():
        request.body = copy.deepcopy(media.example)
        if request.is_form:
            files = {
                name for name in request.body if merged(media.schema["properties"][name]).get("format") == "binary"
            }
            request.files = dict.fromkeys(files, b"RIFF")
            request.body = {name: value for name, value in request.body.items() if name not in files}
    return request


def fields(operation: Operation) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any], bool]]:
    """Walk all fields of a request: where they are, how to get there, their schema, whether they are required."""
    for parameter in operation.parameters:
        yield parameter.location, (parameter.name,), dict(parameter.schema), parameter.required
        for steps, schema, required in _inside(merged(parameter.schema)):
            yield parameter.location, (parameter.name, *steps), schema, required
    for media in operation.bodies.values():
        if media.type == "application/json":
            yield "body", (), merged(media.schema), operation.body_required
        for steps, schema, required in _inside(merged(media.schema)):
            yield "body", steps, schema, required


def cases(operation: Operation) -> Iterator[Case]:
    """Make the cases of an operation."""
    for place, steps, schema, required in fields(operation):
        if schema.get("format") == "binary":
            continue  # files have tests of their own
        where = ".".join([place, *map(str, steps)])

        def case(
            keyword: str,
            broken: Any,
            fitting: Any = _MISSING,
            below: str = "",
            *,
            place: str = place,
            steps: tuple[Any, ...] = steps,
            where: str = where,
        ) -> Case:
            fits = None if fitting is _MISSING else _with(operation, place, steps, fitting)
            return Case(f"{where} {keyword}", where + below, _with(operation, place, steps, broken), fits)

        in_text = place != "body" or (example_request(operation).is_form and len(steps) == 1)
        letter = "x" if (operation.id, where) in _IN_BYTES else "字"
        yield from _of_value(schema, case, letter, in_text=in_text)
        yield from _of_containers(schema, case)
        if required and steps and steps[-1] != "*" and not isinstance(steps[-1], int) and place != "path":
            yield Case(
                f"{where} required",
                where,
                _without(operation, place, steps),
                _with(operation, place, steps, sample(schema)),
            )


def _of_value(schema: Mapping[str, Any], case: Callable[..., Case], letter: str, *, in_text: bool) -> Iterator[Case]:
    kind = schema.get("type")
    if kind in _WRONG and not (in_text and kind in {"string", "array"}):
        yield case("type", _WRONG[kind], sample(schema))
    if kind == "integer":
        yield case("fraction", 1.5)
    if schema.get("format") == "int64":
        yield case("int64", 2**63, schema.get("maximum", 2**63 - 1))
    if "enum" in schema:
        yield case("enum", "no such value" if kind == "string" else 987_654, schema["enum"][-1])
    if "const" in schema:
        yield case("const", "no such value", schema["const"])
    if "minimum" in schema:
        yield case("minimum", schema["minimum"] - 1, schema["minimum"])
    if "maximum" in schema:
        yield case("maximum", schema["maximum"] + 1, schema["maximum"])
    if schema.get("minLength"):
        yield case("minLength", letter * (schema["minLength"] - 1), letter * schema["minLength"])
    if "maxLength" in schema:
        yield case("maxLength", letter * (schema["maxLength"] + 1), letter * schema["maxLength"])


def _of_containers(schema: Mapping[str, Any], case: Callable[..., Case]) -> Iterator[Case]:
    items = merged(schema.get("items", {}))
    if "maxItems" in schema:
        most = schema["maxItems"]
        yield case("maxItems", [sample(items)] * (most + 1), [sample(items)] * most)
    if schema.get("minItems"):
        least = schema["minItems"]
        yield case("minItems", [sample(items)] * (least - 1), [sample(items)] * least)
    values = merged(schema["additionalProperties"]) if isinstance(schema.get("additionalProperties"), dict) else {}
    if "maxProperties" in schema:
        most = schema["maxProperties"]
        yield case("maxProperties", _members(most + 1, values), _members(most, values))
    longest = merged(schema.get("propertyNames", {})).get("maxLength")
    if longest is not None:
        yield case("propertyNames", {"k" * (longest + 1): sample(values)}, {"k" * longest: sample(values)})


def _members(count: int, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"key{number}": sample(values) for number in range(count)}


def _inside(schema: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[tuple[Any, ...], dict[str, Any], bool]]:
    if depth > 12:
        return
    for name, member in schema.get("properties", {}).items():
        inner_schema = merged(member)
        yield (name,), inner_schema, name in schema.get("required", ())
        for steps, inner, required in _inside(inner_schema, depth + 1):
            yield (name, *steps), inner, required
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and others:
        inner_schema = merged(others)
        yield ("key",), inner_schema, False
        for steps, inner, required in _inside(inner_schema, depth + 1):
            yield ("key", *steps), inner, required
    if schema.get("items"):
        inner_schema = merged(schema["items"])
        yield (0,), inner_schema, False
        for steps, inner, required in _inside(inner_schema, depth + 1):
            yield (0, *steps), inner, required


def merged(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Follow references, and keep what stands beside them."""
    result: dict[str, Any] = {}
    while "$ref" in schema:
        result = {**{name: value for name, value in schema.items() if name != "$ref"}, **result}
        schema = DESCRIPTION.follow({"$ref": schema["$ref"]}, "")[0]
    return {**schema, **result}


def sample(schema: Mapping[str, Any]) -> Any:
    """Make a small valid value."""
    schema = merged(schema)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    properties = schema.get("properties", {})
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [sample(schema.get("items", {}))] * schema.get("minItems", 1)
        case "object":
            return {name: sample(properties[name]) for name in schema.get("required", ())}
        case _:
            return "x" * max(schema.get("minLength", 1), 1)


def _with(operation: Operation, place: str, steps: tuple[Any, ...], value: Any) -> Request:
    request = example_request(operation)
    if not steps:
        request.body = value
        return request
    container, schema = getattr(request, place), _root(operation, place)
    if container is None:
        container = request.body = {}
    for step in steps[:-1]:
        schema = _member(schema, step)
        if isinstance(container, list):
            if not container:
                container.append(sample(schema))
        elif not isinstance(container.get(step), dict | list) or not container[step]:
            container[step] = copy.deepcopy(sample(schema))
        container = container[step]
    if isinstance(container, list) and not container:
        container.append(None)
    container[steps[-1]] = value
    return request


def _without(operation: Operation, place: str, steps: tuple[Any, ...]) -> Request:
    request = _with(operation, place, steps, None)
    container = getattr(request, place)
    for step in steps[:-1]:
        container = container[step]
    del container[steps[-1]]
    return request


def _root(operation: Operation, place: str) -> dict[str, Any]:
    if place == "body":
        return merged(next(iter(operation.bodies.values())).schema)
    return {
        "type": "object",
        "properties": {
            parameter.name: parameter.schema for parameter in operation.parameters if parameter.location == place
        },
    }


def _member(schema: Mapping[str, Any], step: Any) -> dict[str, Any]:
    if isinstance(step, int):
        return merged(schema["items"])
    return merged(schema.get("properties", {}).get(step) or schema["additionalProperties"])


def _text(value: Any, *, form: bool = False) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not form:
        return ",".join(_text(item) for item in value)
    return json.dumps(value)
