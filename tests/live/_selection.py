"""Which operations can be called on a real account without changing anything, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from tests.contract._calls import Call, calls, resolve

__all__ = ["Ids", "Question", "questions"]

_SAME = {"space_id": "workspace_id"}  # older operations call a workspace a space


@attrs.frozen
class Question:
    """An operation that only reads.

    Attributes:
        call: The operation.
    """

    call: Call

    @property
    def needs(self) -> list[str]:
        """Names of all required arguments."""
        schema = resolve(self.call.body["schema"]) if self.call.body is not None else {}
        outside = [parameter["name"] for parameter in self.call.parameters if parameter.get("required")]
        return [*outside, *schema.get("required", ())]

    @property
    def argument_names(self) -> tuple[str, str]:
        """Names of the arguments that take the id of a listed resource, in full and in short."""
        resource = self.call.operation.split(".")[-2].removesuffix("s")
        return f"{resource}_id", f"{resource.rpartition('_')[2]}_id"

    def arguments(self, ids: Ids) -> dict[str, Any] | None:
        """Return values for all required arguments, or None if one is unknown."""
        outside = {parameter["name"]: parameter["schema"] for parameter in self.call.parameters}
        schemas = {**outside, **self.call.members}
        ids_by_name = {name: ids.find(name, resolve(schemas[name])) for name in self.needs}
        return None if None in ids_by_name.values() else ids_by_name


class Ids:
    """The ids of an account's resources that are known so far."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def find(self, name: str, schema: dict[str, Any]) -> Any:
        """Return a value for an argument, or None if none is known."""
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "integer":
            return schema.get("minimum", 1)
        return self._known.get(_SAME.get(name, name))

    def learn(self, question: Question, answer: Any) -> None:
        """Store the ids of a response, each under the names of the arguments that take it."""
        for is_item, name, value in _texts(answer):
            names = question.argument_names if name == "id" and is_item else (name,)
            for parameter in names:
                if parameter.endswith("_id") and value:
                    self._known.setdefault(_SAME.get(parameter, parameter), value)


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


def questions() -> list[Question]:
    """List the operations that only read: GET and lists. Redirects are left out, since they are for a browser."""
    plain = [call for call in calls() if call.id == call.operation and call.kind == "json" and call.takes_token]
    return [Question(call) for call in plain if call.verb == "GET" or "x-coze-pagination" in call.described]
