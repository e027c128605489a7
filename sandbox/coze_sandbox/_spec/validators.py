"""Compiled schema validators, and their violations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from .spec import Parameter, Spec

__all__ = ["SchemaViolation", "SchemaValidators", "first_violation"]

_URN = "urn:coze"
_LONGEST = 300
_SAFE = "/~!$&'()*+,;=:@"
_INT64 = {"minimum": -(2**63), "maximum": 2**63 - 1}


class SchemaViolation:
    """A position where a value violates its schema.

    Attributes:
        path: The position, such as `body.messages.0.role`.
        keyword: The violated schema keyword.
        message: The error message.
    """

    __slots__ = ("keyword", "message", "path")

    def __init__(self, path: str, keyword: str, message: str) -> None:
        self.path = path
        self.keyword = keyword
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SchemaValidators:
    """Validators for the schemas of the spec, compiled on first use.

    Args:
        spec: The description.
    """

    def __init__(self, spec: Spec) -> None:
        document = _bounded(dict(spec.document))
        self._registry = jsonschema_rs.Registry([(_URN, document)], draft=jsonschema_rs.Draft202012)
        self._compiled: dict[str, jsonschema_rs.Validator] = {}

    def check(self, pointer: str, value: Any, name: str) -> SchemaViolation | None:
        """Check a value against the schema at a JSON pointer.

        Args:
            pointer: JSON pointer to the schema.
            value: The parsed JSON value.
            name: Name of the value in violations.

        Returns:
            The first violation, or None.
        """
        validator = self._compiled.get(pointer)
        if validator is None:
            validator = self._compile({"$ref": _reference(pointer)})
            self._compiled[pointer] = validator
        return first_violation(validator, value, name)

    def check_parameters(
        self, key: str, parameters: Sequence[Parameter], value: Mapping[str, Any], name: str
    ) -> SchemaViolation | None:
        """Check all parameters of one location.

        Args:
            key: Cache key of the compiled validator.
            parameters: The described parameters.
            value: The sent parameters, converted to their types.
            name: Name of the value in violations.

        Returns:
            The first violation, or None.
        """
        validator = self._compiled.get(key)
        if validator is None:
            validator = self._compile(
                {
                    "type": "object",
                    "properties": {parameter.name: {"$ref": _reference(parameter.pointer)} for parameter in parameters},
                    "required": [parameter.name for parameter in parameters if parameter.required],
                }
            )
            self._compiled[key] = validator
        return first_violation(validator, value, name)

    def _compile(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        return jsonschema_rs.Draft202012Validator(schema, registry=self._registry)


def first_violation(validator: jsonschema_rs.Validator, value: Any, name: str) -> SchemaViolation | None:
    """Return the first violation of a value, or None.

    Args:
        validator: The compiled schema.
        value: The parsed JSON value.
        name: Name of the value in violations.
    """
    try:
        if validator.is_valid(value):
            return None
        error = next(iter(validator.iter_errors(value)))
    except ValueError as problem:  # numbers out of range
        return SchemaViolation(name, "type", str(problem))
    steps = [name, *(str(step) for step in error.instance_path)]
    keyword = str(error.schema_path[-1]) if error.schema_path else ""
    message = error.message
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        steps.append(error.kind.property)
        message = "is required"
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]}…"
    return SchemaViolation(".".join(steps), keyword, message)


def _bounded(node: Any) -> Any:
    """Add the bounds of `format: int64`, which JSON Schema does not check.

    Only changed nodes are copied.
    """
    if isinstance(node, list):
        items = [_bounded(item) for item in node]
        return items if any(new is not old for new, old in zip(items, node, strict=True)) else node
    if not isinstance(node, dict):
        return node
    changed = {name: new for name, old in node.items() if (new := _bounded(old)) is not old}
    if node.get("format") == "int64" and "type" in node:
        return {**_INT64, **node, **changed}
    return {**node, **changed} if changed else node


def _reference(pointer: str) -> str:
    # Braces of path templates are not allowed in a URI and must be written as %7B and %7D.
    return f"{_URN}#{quote(pointer, safe=_SAFE)}"
