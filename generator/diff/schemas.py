"""Compares schemas by direction: what callers send may only be widened, what they receive only be narrowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from .changes import Change, Direction, Impact, added_or_removed, former_name, renamed

__all__ = ["SchemaComparison", "canonical", "schema_names"]

_PREFIX = "#/components/schemas/"
_TEXTS = {
    "description", "example", "examples", "title", "externalDocs", "x-coze-enum-descriptions", "x-coze-known-values",
    "x-coze-evidence",
}  # fmt: skip
_UPPER = {
    "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "x-coze-max-bytes",
}  # fmt: skip
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_OTHER_LIMITS = {"pattern", "multipleOf", "uniqueItems", "propertyNames"}
_UNIONS = ("anyOf", "oneOf")
_INNER = {"items": "[]", "additionalProperties": ".*"}
# What a text holds: always, or where it holds JSON.
_CONTENTS = ("contentSchema", "x-coze-json-text")
# Names of members are alike enough for one to be the other's new name where nothing else decides.
_SIMILAR = 0.6


def canonical(value: Any) -> str:
    """Write a part of a description without its texts, the same for the same meaning."""
    return json.dumps(_without_texts(value), sort_keys=True, ensure_ascii=False)


def _without_texts(value: Any, *, names: bool = False) -> Any:
    """Return a copy without texts; *names* where the keys are names, such as a property called `description`."""
    if isinstance(value, Mapping):
        return {
            key: _without_texts(member, names=key in {"properties", "responses"} and not names)
            for key, member in value.items()
            if names or key not in _TEXTS
        }
    return [_without_texts(item) for item in value] if isinstance(value, list) else value


def schema_names(document: Mapping[str, Any], value: Any) -> set[str]:
    """Return the names of all schemas that *value* refers to, over other components, too."""
    names: set[str] = set()
    seen: set[str] = set()
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, Mapping):
            reference = part.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                if reference.startswith(_PREFIX):
                    names.add(reference.removeprefix(_PREFIX))
                pending.append(_target(document, reference))
            pending += part.values()
    return names


def _target(document: Mapping[str, Any], reference: str) -> Any:
    value: Any = document
    for segment in reference.removeprefix("#/").split("/"):
        value = value[segment.replace("~1", "/").replace("~0", "~")]
    return value


def _change_of_texts(subject: str, place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Report that the texts of a thing differ."""
    if any(old.get(key) != new.get(key) for key in _TEXTS):
        yield Change(Impact.DOCUMENTATION, subject, place, "has other texts")


@attrs.frozen
class _Node:
    """A schema whose reference was followed, and from which `null` was taken out."""

    name: str | None
    schema: Mapping[str, Any]
    nullable: bool

    @property
    def types(self) -> frozenset[str]:
        types = self.schema.get("type", [])
        return frozenset({types} if isinstance(types, str) else types) - {"null"}

    @property
    def described_type(self) -> str:
        if self.name:
            return f"`{self.name}`"
        for union in _UNIONS:
            if union in self.schema:
                return "one of several types"
        if "const" in self.schema:
            return json.dumps(self.schema["const"])
        items = " of other items" if self.types == {"array"} else ""
        return " or ".join(sorted(self.types)) + items if self.types else "anything"


@attrs.define
class SchemaComparison:
    """Compares the schemas of two documents, each pair of named schemas once for each direction."""

    _old: Mapping[str, Any]
    _new: Mapping[str, Any]
    _pairs: dict[tuple[str, str, Direction], None] = attrs.field(factory=dict)

    def run(
        self, old_users: Mapping[tuple[str, Direction], set[str]], new_users: Mapping[tuple[str, Direction], set[str]]
    ) -> Iterator[Change]:
        """Compare the named schemas that were met, and those that they lead to.

        Args:
            old_users: The operations that send or receive each schema of the old document.
            new_users: Those of the new one.
        """
        reported: set[str] = set()
        finished = 0
        while finished < len(self._pairs):  # comparing schemas leads to more of them
            old, new, direction = list(self._pairs)[finished]
            finished += 1
            users = old_users.get((old, direction), set()) & new_users.get((new, direction), set())
            subject = f"schema {new}"
            if old != new and old not in reported:
                reported.add(old)
                yield Change(Impact.BREAKING, f"schema {old}", "", f"is called {new} now", tuple(sorted(users)))
            before, after = (self._named(document, name) for document, name in ((self._old, old), (self._new, new)))
            for change in self._compare(_node(self._old, before), _node(self._new, after), direction, subject, ""):
                yield attrs.evolve(change, operations=tuple(sorted(users)))

    def compare(self, old: Any, new: Any, direction: Direction, subject: str, place: str) -> Iterator[Change]:
        """Compare what stands in one place of both documents; a schema with a name is compared later, by `run`."""
        yield from _change_of_texts(subject, place, old, new)
        before, after = _node(self._old, old), _node(self._new, new)
        yield from self._nullability(before, after, direction, subject, place)
        if before.name and after.name and self._is_same_thing(before.name, after.name):
            self._pairs[before.name, after.name, direction] = None
            yield from _other_keys(_beside(old), _beside(new), direction, subject, place)
            return
        if before.name != after.name and {"object"} & (before.types | after.types):  # another class, or none
            text = f"is {after.described_type} now, not {before.described_type}"
            yield Change(Impact.BREAKING, subject, place, text)
        yield from self._compare(before, after, direction, subject, place, with_null=False)

    def compare_flat(self, old: Any, new: Any, direction: Direction, subject: str, place: str) -> Iterator[Change]:
        """Compare bodies whose members are arguments, or which are unwrapped: their names are nobody's concern."""
        yield from self._compare(_node(self._old, old), _node(self._new, new), direction, subject, place)

    def _is_same_thing(self, old: str, new: str) -> bool:
        """Return whether a schema is the other under the same name or a new one."""
        if old == new:
            return True
        return old not in self._schemas(self._new) and new not in self._schemas(self._old)

    @staticmethod
    def _schemas(document: Mapping[str, Any]) -> Mapping[str, Any]:
        schemas: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        return schemas

    def _named(self, document: Mapping[str, Any], name: str) -> Any:
        return self._schemas(document)[name]

    def _nullability(self, old: _Node, new: _Node, direction: Direction, subject: str, place: str) -> Iterator[Change]:
        if old.nullable != new.nullable:
            text = "may be null now" if new.nullable else "is never null any more"
            yield Change(_rating(new.nullable, direction), subject, place, text)

    def _compare(
        self, old: _Node, new: _Node, direction: Direction, subject: str, place: str, *, with_null: bool = True
    ) -> Iterator[Change]:
        if with_null:
            yield from self._nullability(old, new, direction, subject, place)
            yield from _change_of_texts(subject, place, old.schema, new.schema)
        yield from self._types(old, new, direction, subject, place)
        yield from _values(old.schema, new.schema, direction, subject, place)
        yield from _limits(old.schema, new.schema, direction, subject, place)
        yield from _other_keys(old.schema, new.schema, direction, subject, place)
        yield from self._properties(old.schema, new.schema, direction, subject, place)
        yield from self._unions(old.schema, new.schema, direction, subject, place)
        for key, suffix in _INNER.items():
            before, after = old.schema.get(key), new.schema.get(key)
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                yield from self.compare(before, after, direction, subject, f"{place}{suffix}")
            elif before != after:
                yield from _opened_or_closed(key, before, after, direction, subject, place)
        yield from self._content(old.schema, new.schema, direction, subject, place)

    def _content(
        self, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, subject: str, place: str
    ) -> Iterator[Change]:
        before, after = ({key: schema[key] for key in _CONTENTS if key in schema} for schema in (old, new))
        if not before or not after:
            if before or after:
                texts = ("is described as JSON", "is not described as JSON any more")
                yield added_or_removed(subject, place, added=not before, texts=texts)
            return
        if before.keys() != after.keys():
            text = "always holds JSON now" if "contentSchema" in after else "need not hold JSON any more"
            yield Change(Impact.BREAKING, subject, place, text)
        (content,), (new_content,) = before.values(), after.values()
        yield from self.compare(content, new_content, direction, subject, place)

    def _types(self, old: _Node, new: _Node, direction: Direction, subject: str, place: str) -> Iterator[Change]:
        before, after = old.types, new.types
        if before == after or any(union in side.schema for union in _UNIONS for side in (old, new)):
            return
        wider, narrower = not after or before < after, not before or after < before
        text = f"is {new.described_type} now, not {old.described_type}"
        if wider == narrower:
            yield Change(Impact.BREAKING, subject, place, text)
        else:
            yield Change(_rating(wider, direction), subject, place, text)

    def _properties(
        self, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, subject: str, place: str
    ) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        pairs = _renamed_members(before, after)
        for name, new_name in pairs.items():
            accepted = direction is Direction.REQUEST and after[new_name].get("x-coze-formerly") == name
            impact = Impact.ADDITIVE if accepted else Impact.BREAKING
            yield Change(impact, subject, _join(place, name), f"is called {new_name} now")
        for name in before.keys() - after.keys() - pairs.keys():
            yield Change(Impact.BREAKING, subject, _join(place, name), "is gone")
        for name in after.keys() - before.keys() - set(pairs.values()):
            needed = name in required_after and direction is Direction.REQUEST
            text = "is new, and required" if needed else "is new"
            yield Change(Impact.BREAKING if needed else Impact.ADDITIVE, subject, _join(place, name), text)
        for name, new_name in {**{name: name for name in before.keys() & after.keys()}, **pairs}.items():
            inside = _join(place, new_name)
            if name == new_name and direction is Direction.REQUEST:
                yield from former_name(subject, inside, before[name], after[name])
            if (name in required_before) != (new_name in required_after):
                required = new_name in required_after
                yield Change(_rating(not required, direction), subject, inside, _requirement(required, direction))
            yield from self.compare(before[name], after[new_name], direction, subject, inside)

    def _unions(
        self, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, subject: str, place: str
    ) -> Iterator[Change]:
        before, after = _variants(old), _variants(new)
        gone = [key for key in before if key not in after]
        fresh = [key for key in after if key not in before]
        if len(gone) == len(fresh) == 1:  # one that has changed, rather than two
            pairs = {gone[0]: fresh[0]}
            gone, fresh = [], []
        else:
            pairs = {}
        is_open = direction is Direction.REQUEST or "discriminator" in new  # unknown tags pass through the client
        for key in gone:
            yield Change(Impact.BREAKING, subject, place, f"is no {key.removeprefix(_PREFIX)} any more")
        for key in fresh:
            impact = Impact.ADDITIVE if is_open else Impact.BREAKING
            yield Change(impact, subject, place, f"may be {key.removeprefix(_PREFIX)}, too")
        for key, new_key in {**{key: key for key in before.keys() & after.keys()}, **pairs}.items():
            yield from self.compare(before[key], after[new_key], direction, subject, place)


def _beside(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what stands beside a reference, which is about its place alone."""
    return {key: value for key, value in schema.items() if key not in {"$ref", *_UNIONS}}


def _node(document: Mapping[str, Any], schema: Mapping[str, Any]) -> _Node:
    nullable = "null" in schema.get("type", ()) if isinstance(schema.get("type"), list) else False
    for union in _UNIONS:
        variants = schema.get(union, [])
        rest = [variant for variant in variants if variant != {"type": "null"}]
        if len(rest) < len(variants):
            nullable = True
            plain = {key: value for key, value in schema.items() if key != union}
            # One that may be null is that one; several remain a union.
            schema = {**plain, **rest[0]} if len(rest) == 1 else {**plain, union: rest}
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return _Node(None, schema, nullable)
    target = _node(document, _target(document, reference))
    # What stands beside a reference is about this place and goes before what the target has.
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    name = reference.removeprefix(_PREFIX) if reference.startswith(_PREFIX) else None
    return _Node(name, {**target.schema, **beside}, nullable or target.nullable)


def _rating(wider: bool, direction: Direction) -> Impact:
    """Rate a change of what is allowed: senders welcome more, readers less."""
    return Impact.ADDITIVE if wider == (direction is Direction.REQUEST) else Impact.BREAKING


def _requirement(required: bool, direction: Direction) -> str:
    if direction is Direction.REQUEST:
        return "is required now" if required else "is optional now"
    return "is always there now" if required else "may be missing now"


def _values(
    old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, subject: str, place: str
) -> Iterator[Change]:
    before, after = (list(schema.get("enum", ())) for schema in (old, new))
    if old.get("const") != new.get("const"):
        yield Change(Impact.BREAKING, subject, place, _changed(old, new, "const"))
    if not before and not after:
        return
    if bool(before) != bool(after):
        text = "accepts listed values only now" if after else "is not limited to listed values any more"
        yield Change(_rating(not after, direction), subject, place, text)
        return
    gone = [value for value in before if value not in after]
    fresh = [value for value in after if value not in before]
    if gone:
        yield Change(Impact.BREAKING, subject, place, f"lost {_listed(gone)}")
    if fresh:
        yield Change(Impact.ADDITIVE, subject, place, f"has new values: {_listed(fresh)}")
    old_names, new_names = (
        dict(zip(schema["enum"], schema.get("x-coze-enum-names", ()), strict=False)) for schema in (old, new)
    )
    for value in old_names.keys() & new_names.keys():
        if old_names[value] != new_names[value]:
            text = f"calls {json.dumps(value)} {new_names[value]} now, not {old_names[value]}"
            yield Change(Impact.BREAKING, subject, place, text)


def _limits(
    old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, subject: str, place: str
) -> Iterator[Change]:
    for key in sorted(_UPPER | _LOWER | _OTHER_LIMITS):
        before, after = old.get(key), new.get(key)
        if canonical(before) == canonical(after):
            continue
        if key in _OTHER_LIMITS:
            wider = after is None or after is False
        else:
            wider = after is None or (before is not None and (after > before) == (key in _UPPER))
        impact = _rating(wider, direction) if direction is Direction.REQUEST else Impact.DOCUMENTATION
        yield Change(impact, subject, place, _changed(old, new, key))


def _other_keys(
    old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction, subject: str, place: str
) -> Iterator[Change]:
    for key in ("format", "contentMediaType"):
        follows_from_content = key == "contentMediaType" and any(
            content in schema for content in _CONTENTS for schema in (old, new)
        )
        if old.get(key) != new.get(key) and not follows_from_content:
            cosmetic = {old.get(key), new.get(key)} <= {None, "int32", "int64", "float", "double", "password"}
            impact = Impact.DOCUMENTATION if cosmetic else Impact.BREAKING
            yield Change(impact, subject, place, _changed(old, new, key))
    if old.get("default") != new.get("default"):
        impact = Impact.BREAKING if direction is Direction.REQUEST else Impact.DOCUMENTATION
        yield Change(impact, subject, place, _changed(old, new, "default"))
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        text = "is deprecated" if new.get("deprecated") else "is not deprecated any more"
        yield Change(Impact.DOCUMENTATION, subject, place, text)
    before, after = old.get("x-coze-from-string"), new.get("x-coze-from-string")
    if before != after and direction is Direction.REQUEST:
        impact = Impact.ADDITIVE if before is None else Impact.BREAKING
        text = "may be given as a plain string" if before is None else "stands for something else as a plain string"
        yield Change(impact, subject, place, text if after is not None else "must not be a plain string any more")
    discriminators = [schema.get("discriminator", {}).get("propertyName") for schema in (old, new)]
    if discriminators[0] != discriminators[1]:
        yield Change(Impact.BREAKING, subject, place, f"is chosen by {discriminators[1]} now, not {discriminators[0]}")


def _opened_or_closed(
    key: str, before: Any, after: Any, direction: Direction, subject: str, place: str
) -> Iterator[Change]:
    if key == "additionalProperties":
        wider = before is False or (isinstance(after, bool | None) and after is not False)
        text = "takes members of any name now" if wider else "has a fixed type of further members now"
        text = "takes no further members now" if after is False else text
        yield Change(_rating(wider, direction), subject, place, text)
    else:
        text = "has items of a fixed type now" if before is None else "has items of any type now"
        yield Change(_rating(after is None, direction), subject, place, text)


def _variants(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        variant.get("$ref") or str(variant.get("type") or canonical(variant)): variant
        for union in _UNIONS
        for variant in schema.get(union, ())
    }


def _renamed_members(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Pair members that are gone with new ones of the same schema whose name or description is alike."""

    def is_same(name: str, candidate: str) -> bool:
        if new[candidate].get("x-coze-formerly") == name:
            return True
        return canonical(old[name]) == canonical(new[candidate]) and _alike(name, candidate, old, new)

    return renamed(old.keys(), new.keys(), is_same)


def _alike(name: str, candidate: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    descriptions = [schema.get("description") for schema in (old[name], new[candidate])]
    ratio = difflib.SequenceMatcher(None, name, candidate).ratio()
    return ratio >= _SIMILAR or (descriptions[0] is not None and descriptions[0] == descriptions[1])


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], key: str) -> str:
    words = [json.dumps(schema[key], ensure_ascii=False) if key in schema else "none" for schema in (old, new)]
    return f"has {key} {words[1]} now, not {words[0]}"


def _join(place: str, name: str) -> str:
    if not place:
        return name
    return f"{place} {name}" if place in {"request", "response"} else f"{place}.{name}"
