"""A schema's constraints on a value, once `$ref`s are followed and variants are put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["View"]

Schema = dict[str, Any]


class View:
    """One or more schemas for the same value, read as one.

    Args:
        document: The bundled description.
        schemas: The schemas as they are written.
    """

    def __init__(self, document: Schema, schemas: Sequence[Schema]) -> None:
        self.document = document
        self.parts = [part for schema in schemas for part in self._parts(schema)]

    @property
    def types(self) -> set[str]:
        """JSON types that a value may have, `null` aside. The content of a file has the type `file`."""
        if self.value("format") == "binary":
            return {"file"}
        return self._written_types() - {"null"}

    @property
    def is_nullable(self) -> bool:
        """Whether the value may be null."""
        return "null" in self._written_types()

    @property
    def is_moment(self) -> bool:
        """Whether the value is a moment, written as an integer or a string."""
        return str(self.value("format")).startswith("unix-time")

    @property
    def enum(self) -> list[Any] | None:
        """The values that are listed, or None if none are."""
        listed = [value for part in self.parts for value in part.get("enum", ())]
        listed += [part["const"] for part in self.parts if "const" in part]
        return list(dict.fromkeys(listed)) or None

    @property
    def properties(self) -> dict[str, View]:
        """The members of an object, those of all its variants together."""
        schemas_by_name: dict[str, list[Schema]] = {}
        for part in self.parts:
            for name, schema in part.get("properties", {}).items():
                schemas_by_name.setdefault(name, []).append(schema)
        return {name: View(self.document, schemas) for name, schemas in schemas_by_name.items()}

    @property
    def required(self) -> set[str]:
        """The members that every variant requires."""
        objects = [set(part.get("required", ())) for part in self.parts if "properties" in part]
        return set.intersection(*objects) if objects else set()

    @property
    def items(self) -> View:
        """The items of an array."""
        return View(self.document, [part["items"] for part in self.parts if "items" in part])

    @property
    def values(self) -> View:
        """The values of a map."""
        schemas = [part.get("additionalProperties") for part in self.parts]
        return View(self.document, [schema for schema in schemas if isinstance(schema, dict)])

    def value(self, key: str) -> Any:
        """Return the value of a keyword from the outermost schema that has it, or None."""
        return next((part[key] for part in self.parts if key in part), None)

    def _written_types(self) -> set[str]:
        names: set[str] = set()
        for part in self.parts:
            written = part.get("type", ())
            names |= {written} if isinstance(written, str) else set(written)
        return names

    def _parts(self, schema: Schema) -> Iterator[Schema]:
        yield schema
        if "$ref" in schema:
            _, _, kind, name = schema["$ref"].split("/")
            yield from self._parts(self.document["components"][kind][name])
        for key in ("anyOf", "oneOf", "allOf"):
            for variant in schema.get(key, ()):
                yield from self._parts(variant)
