"""Rules for what is deprecated: that replacements can be used, and that old names are free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..spec.diagnostics import suggestion
from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Operation, Rule, Violation, mapping, violation

__all__ = ["DEPRECATION_RULES"]

_REPLACED, _FORMERLY = "x-coze-replaced-by", "x-coze-formerly"


def replaced_by(description: Description) -> Iterator[Violation]:
    """What replaces a deprecated operation, argument or property is another one that is not deprecated."""
    operations = {operation.id: operation.body for operation in description.everything}
    for operation in description.everything:
        yield from _replacement(operation.body, operation.id, operations, "operation")
        arguments = _arguments(description, operation)
        for parameter in description.parameters_of(operation):
            yield from _replacement(parameter, str(parameter.get("name")), arguments, "argument")
    for node in description.nodes:
        properties = mapping(node.schema.get("properties"))
        for name, member in properties.items():
            yield from _replacement(mapping(member), name, properties, "property")


def former_operation(description: Description) -> Iterator[Violation]:
    """The old id of an operation is no longer that of a method, and belongs to one operation."""
    used = {method for operation in description.everything for method in _methods(operation)}
    for operation in description.everything:
        if _FORMERLY not in operation.body:
            continue
        if operation.id in description.callbacks:
            yield violation(operation.body, f"remove {_FORMERLY}: a callback is no method", _FORMERLY)
        yield from _former(operation.body, used)


def former_argument(description: Description) -> Iterator[Violation]:
    """The old name of an argument is no longer in use in its operation, and belongs to one argument."""
    bodies: set[str] = set()
    for operation in description.operations.values():
        bodies.add(str(description.request(operation).get("$ref")))
        arguments = _arguments(description, operation)
        used = set(arguments)
        for argument in arguments.values():
            yield from _former(argument, used)
    for node in description.nodes:
        if f"#/{'/'.join(node.pointer)}" in bodies:
            continue
        for member in map(mapping, mapping(node.schema.get("properties")).values()):
            if _FORMERLY in member:
                message = f"remove {_FORMERLY}: only members of a request body itself are arguments"
                yield violation(member, message, _FORMERLY)


def _replacement(
    place: LocatedMapping, name: str, others: dict[str, LocatedMapping] | LocatedMapping, kind: str
) -> Iterator[Violation]:
    if _REPLACED not in place:
        return
    replacement = str(place[_REPLACED])
    if place.get("deprecated") is not True:
        yield violation(place, f"add deprecated: true, or remove {_REPLACED}", _REPLACED)
    if replacement == name:
        yield violation(place, f"{name} cannot replace itself", _REPLACED)
    elif replacement not in others:
        yield violation(place, f"there is no {kind} {replacement}{suggestion(replacement, others)}", _REPLACED)
    elif mapping(others[replacement]).get("deprecated") is True:
        yield violation(place, f"{replacement} is deprecated too: name what is not", _REPLACED)


def _former(place: LocatedMapping, used: set[str]) -> Iterator[Violation]:
    """Check an old name against those in use, and add it to them."""
    if _FORMERLY not in place:
        return
    former = str(place[_FORMERLY])
    if former in used:
        yield violation(place, f"{former} is in use: remove {_FORMERLY}", _FORMERLY)
    used.add(former)


def _methods(operation: Operation) -> Iterable[str]:
    """Return the ids of an operation's methods."""
    method = mapping(operation.body.get("x-coze-stream")).get("method")
    return [operation.id, *([f"{operation.id.rpartition('.')[0]}.{method}"] if method else [])]


def _arguments(description: Description, operation: Operation) -> dict[str, LocatedMapping]:
    """Return the parameters and the members of the request body by their names."""
    members = mapping(description.resolve(description.request(operation)).get("properties"))
    parameters = {str(parameter.get("name")): parameter for parameter in description.parameters_of(operation)}
    return {**{name: mapping(member) for name, member in members.items()}, **parameters}


DEPRECATION_RULES: dict[str, Rule] = {
    "replaced-by": replaced_by,
    "former-operation": former_operation,
    "former-argument": former_argument,
}
