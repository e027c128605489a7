"""Rules for operations: their keys, names, tags, links and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..spec.diagnostics import suggestion
from ..spec.yaml_loader import LocatedMapping, load
from ._context import EMPTY_RESPONSE, Description, Operation, Rule, Violation, mapping, violation

__all__ = ["OPERATION_RULES"]

_REQUIRED = ("operationId", "summary", "description", "tags", "responses")
_OFFICIAL = ("https://www.coze.cn/", "https://docs.coze.com")
_EXCEPTIONS = "openapi/exceptions.yaml"
_MOST = 60
_PLACES = ("path", "query", "header")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_ERROR = "#/components/responses/Error"


def operation_keys(description: Description) -> Iterator[Violation]:
    """An operation has every key that readers and the generator rely on."""
    for operation in description.everything:
        for key in _REQUIRED:
            if not operation.body.get(key):
                yield violation(operation.body, f"add {key}")
    for operation in description.operations.values():
        if operation.method != "get" and not isinstance(operation.body.get("x-coze-idempotent"), bool):
            yield violation(operation.body, "add x-coze-idempotent: true or false; retries depend on it")


def summary(description: Description) -> Iterator[Violation]:
    """A summary fits on a line of a table: at most 60 characters, no full stop."""
    for operation in description.everything:
        text = operation.body.get("summary")
        if not isinstance(text, str):
            continue
        if len(text) > _MOST:
            yield violation(
                operation.body,
                f"shorten the summary from {len(text)} to {_MOST} characters",
                "summary",
            )
        if text.endswith((".", "。")):
            yield violation(operation.body, "remove the full stop from the summary", "summary")


def official_page(description: Description) -> Iterator[Violation]:
    """An operation links to its page in the official documentation, or is listed as having none."""
    path = description.bundle.root / _EXCEPTIONS
    listed = load(path, description.bundle.root) if path.is_file() else None
    without = {mapping(item).get("pointer") for item in listed} if isinstance(listed, list) else set()
    for operation in description.everything:
        docs = mapping(operation.body.get("externalDocs"))
        if "externalDocs" not in operation.body:
            if f"{operation.id} operation.externalDocs" not in without:
                yield violation(
                    operation.body,
                    f"add externalDocs with the official page, or record in {_EXCEPTIONS} why not",
                )
        elif not str(docs.get("url")).startswith(_OFFICIAL):
            yield violation(
                operation.body,
                f"externalDocs.url must begin with {' or '.join(_OFFICIAL)}",
                "externalDocs",
            )


def tags(description: Description) -> Iterator[Violation]:
    """The one tag of an operation is the first segment of its id; the index describes it, and no other tag."""
    listed = description.document.get("tags")
    described = [tag for tag in listed if isinstance(tag, LocatedMapping)] if isinstance(listed, list) else []
    known: set[Any] = set()
    used = {operation.id.partition(".")[0] for operation in description.everything}
    for tag in described:
        if not tag.get("description"):
            yield violation(tag, f"describe the tag {tag.get('name')}")
        if tag.get("name") not in used:
            yield violation(tag, f"remove the tag {tag.get('name')}: no operation has it")
        if tag.get("name") in known:
            yield violation(tag, f"remove the tag {tag.get('name')} here: it is listed twice")
        known.add(tag.get("name"))
    for operation in description.everything:
        first = operation.id.partition(".")[0]
        if operation.id and operation.body.get("tags") not in (None, [first]):
            yield violation(
                operation.body,
                f"write tags: [{first}], the first segment of the operation id",
                "tags",
            )
        elif operation.id and first not in known:
            yield violation(operation.body, f"describe the tag {first} in the index", "tags")


def security(description: Description) -> Iterator[Violation]:
    """The token is sent as a bearer token: no other scheme is declared or required."""
    for name, scheme in description.components("securitySchemes").items():
        if name != "bearer" or (scheme.get("type"), scheme.get("scheme")) != ("http", "bearer"):
            yield violation(
                scheme, f"remove the security scheme {name}: there is only bearer: {{type: http, scheme: bearer}}"
            )
    for place in (description.document, *(operation.body for operation in description.everything)):
        required = place.get("security")
        for requirement in required if isinstance(required, list) else []:
            if mapping(requirement) not in ({}, {"bearer": []}):
                yield violation(requirement, "requests are authorized by bearer: [] only, or not at all")


def operation_file(description: Description) -> Iterator[Violation]:
    """The operation id is the file's path with dots for slashes."""
    folder = "openapi/"
    for operation in description.everything:
        expected = operation.body.file.removeprefix(folder).removesuffix(".yaml").replace("/", ".")
        if operation.id and operation.id != expected:
            file = f"{folder}{operation.id.replace('.', '/')}.yaml"
            yield violation(
                operation.body,
                f"rename the operation to {expected}, or its file to {file}",
                "operationId",
            )


def body_name(description: Description) -> Iterator[Violation]:
    """The schema of a request body is called after its operation."""
    for operation in description.operations.values():
        body = description.resolve(operation.body.get("requestBody"))
        for media in mapping(body.get("content")).values():
            expected = f"#/components/schemas/{_pascal(operation)}Request"
            if mapping(mapping(media).get("schema")).get("$ref") != expected:
                message = f"make the body's schema a $ref to a schema called {_pascal(operation)}Request"
                yield violation(mapping(media), message, "schema")


def answer_name(description: Description) -> Iterator[Violation]:
    """A JSON response has a schema called after its operation, or is the shared empty one."""
    for operation in description.operations.values():
        responses = mapping(operation.body.get("responses"))
        for status, response in responses.items():
            if not status.startswith("2") or mapping(response).get("$ref") == EMPTY_RESPONSE:
                continue
            media = mapping(mapping(description.resolve(response).get("content")).get("application/json"))
            expected = f"#/components/schemas/{_pascal(operation)}Response"
            if media and mapping(media.get("schema")).get("$ref") != expected:
                remedy = f"make the schema a $ref to one called {_pascal(operation)}Response"
                yield violation(media, f"{remedy}, or the response one to shared/responses.yaml#/Empty", "schema")


def error_answer(description: Description) -> Iterator[Violation]:
    """Every operation describes its failure by the shared response."""
    for operation in description.operations.values():
        responses = mapping(operation.body.get("responses"))
        if responses and mapping(responses.get("default")).get("$ref") != _ERROR:
            key = "default" if "default" in responses else None
            yield violation(responses, "add default: {$ref: '…/shared/responses.yaml#/Error'}", key)


def path_parameter(description: Description) -> Iterator[Violation]:
    """The path parameters of an operation are the names in braces in its path."""
    for operation in description.operations.values():
        parameters = description.parameters_of(operation)
        described = {str(item.get("name")): item for item in parameters if item.get("in") == "path"}
        named = _IN_BRACES.findall(operation.path)
        missing = [name for name in named if name not in described]
        unknown = [name for name in described if name not in named]
        for name in unknown:
            message = f"there is no {{{name}}} in {operation.path}{suggestion(name, missing)}"
            yield violation(described[name], message, "name")
        for name in missing if not unknown else ():
            yield violation(operation.body, f"describe the path parameter {name}", "parameters")


def parameter_order(description: Description) -> Iterator[Violation]:
    """Parameters stand in the order path, query, header, the required ones of each first."""
    for operation in description.operations.values():
        before = (0, False)
        for parameter in description.parameters_of(operation):
            place = parameter.get("in")
            rank = (
                _PLACES.index(place) if place in _PLACES else 0,
                parameter.get("required") is not True,
            )
            if rank < before:
                order = "path, query, header, required ones of each first"
                yield violation(parameter, f"move {parameter.get('name')} up: {order}")
                break
            before = rank


def parameter_unique(description: Description) -> Iterator[Violation]:
    """An operation has each parameter once."""
    for operation in description.operations.values():
        seen = set()
        for parameter in description.parameters_of(operation):
            name, place = str(parameter.get("name")), parameter.get("in")
            if (name, place) in seen:
                yield violation(parameter, f"remove the parameter {name} here: {operation.id} lists it twice", "name")
            seen.add((name, place))


def parameter_schema(description: Description) -> Iterator[Violation]:
    """A parameter is described, and is a scalar, an array of scalars or a named enum."""
    for _, parameter in description.parameters:
        if not parameter.get("description"):
            yield violation(parameter, f"describe the parameter {parameter.get('name')}")
        schema = description.resolve(parameter.get("schema"))
        for part in (schema, description.resolve(schema.get("items"))):
            if part.get("type") == "object" or "properties" in part:
                yield violation(
                    parameter,
                    "make the parameter a scalar, an array of scalars or a named enum",
                    "schema",
                )


def _pascal(operation: Operation) -> str:
    return "".join(word[:1].upper() + word[1:] for word in operation.id.replace("_", ".").split("."))


OPERATION_RULES: dict[str, Rule] = {
    "operation-keys": operation_keys,
    "summary": summary,
    "official-page": official_page,
    "tags": tags,
    "security": security,
    "operation-file": operation_file,
    "body-name": body_name,
    "answer-name": answer_name,
    "error-answer": error_answer,
    "path-parameter": path_parameter,
    "parameter-order": parameter_order,
    "parameter-unique": parameter_unique,
    "parameter-schema": parameter_schema,
}
