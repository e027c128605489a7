"""Python text for types, decoders, argument checks and docstrings.

Every text of the description that reaches generated code passes `literal` or `docstring`; every name was checked by
`_parse`. So a description cannot become code.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from .. import ir

__all__ = ["PythonTypes", "docstring", "literal", "sentence"]

_WIDTH = 100
_SCALARS = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "any": "Any",
    "unix-time": "UnixTime",
    "unix-time-ms": "UnixTimeMs",
    "binary": "bytes",
}
_VALUES = {
    "float": "Float",
    "bool": "Bool",
    "any": "AnyValue",
    "unix-time": "Int",
    "unix-time-ms": "Int",
}


def literal(value: Any) -> str:
    """Write a JSON value as Python source, in ASCII: no character of it can end a line or a string."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        items = ", ".join(map(literal, value))
        return f"[{items}]" if isinstance(value, list) else f"({items}{',' if len(value) == 1 else ''})"
    if value is not None and not isinstance(value, str | int | float | bool):
        raise TypeError(f"{type(value).__name__} is not a JSON value")
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value} is not a JSON value")
    return ascii(value)


def sentence(text: str) -> str:
    """Fold white space and end with a full stop."""
    folded = " ".join(text.split())
    return folded if not folded or folded.endswith((".", "!", "?", ":")) else f"{folded}."


def _inert(text: str) -> str:
    """Make a text that means nothing to Python inside a triple-quoted string."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable.replace("\\", "\\\\").replace('"', '\\"' if '""' in printable else '"')


def _wrap(text: str, indent: int, *, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        _inert(text), _WIDTH - indent, initial_indent=first, subsequent_indent=rest, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def docstring(indent: int, summary: str, *paragraphs: str, sections: Mapping[str, Iterable[str]] | None = None) -> str:
    """Write a docstring.

    Args:
        indent: Depth at which it stands.
        summary: First line.
        paragraphs: Further texts.
        sections: Heading to entries, such as ``Args``.
    """
    blocks = ["\n".join(_wrap(sentence(text), indent)) for text in (summary, *paragraphs) if text.strip()]
    for heading, entries in (sections or {}).items():
        lines = [line for entry in entries for line in _wrap(entry, indent, first="    ", rest="        ")]
        if lines:
            blocks.append("\n".join([f"{heading}:", *lines]))
    text = "\n\n".join(blocks)
    if text.endswith(('"', "\\")):
        text += " "
    pad = " " * indent
    body = text if "\n" not in text else f"{text}\n"
    return pad + '"""' + body.replace("\n", f"\n{pad}").replace(f"\n{pad}\n", "\n\n") + '"""'


class PythonTypes:
    """Writes types as they look from one generated module.

    Attributes:
        used: Modules of models that were referred to.
    """

    def __init__(self, api: ir.Api, here: str | None = None) -> None:
        self._models = {model.name: model for model in api.models}
        self._enums = {enum.name: enum for enum in api.enums}
        self._here = here
        self.used: set[str] = set()

    def name(self, name: str) -> str:
        """Refer to a class."""
        module = (self._models.get(name) or self._enums[name]).module
        if module == self._here:
            return name
        self.used.add(module)
        return f"_{module}.{name}"

    def annotation(self, kind: ir.Type) -> str:
        """Annotate what comes from the server."""
        match kind:
            case ir.Scalar(scalar):
                return _SCALARS[scalar]
            case ir.Null():
                return "None"
            case ir.Const(value):
                return f"Literal[{literal(value)}]"
            case ir.ModelRef(name) | ir.EnumRef(name):
                return self.name(name)
            case ir.ListOf(item):
                return f"list[{self.annotation(item)}]"
            case ir.MapOf(value):
                return f"dict[str, {self.annotation(value)}]"
            case ir.OneOf(members, tag):
                parts = [self.annotation(member) for member in members] + (["Unknown"] if tag else [])
                return " | ".join(dict.fromkeys(parts))

    def field(self, field: ir.Field) -> str:
        """Annotate an attribute of a model."""
        kind = self.annotation(field.type)
        return kind if not field.optional or kind in {"Any", "None"} else f"{kind} | None"

    def default(self, field: ir.Field) -> str:
        """Write what an attribute is when it was not given."""
        if isinstance(field.type, ir.Const):
            return f" = {literal(field.type.value)}"
        return " = None" if field.optional else ""

    def argument_annotation(self, kind: ir.Type) -> str:
        """Annotate what the caller gives."""
        match kind:
            case ir.Scalar("binary"):
                return "FileContent"
            case ir.Scalar("unix-time" | "unix-time-ms"):
                return "int"
            case ir.ModelRef(name):
                text = "str | " if self._models[name].from_string else ""
                return f"{text}{self.name(name)} | Mapping[str, Any]"
            case ir.EnumRef(name):
                values = ", ".join(literal(value) for _, value, _ in self._enums[name].members)
                return f"{self.name(name)} | Literal[{values}]"
            case ir.ListOf(item):
                return f"Sequence[{self.argument_annotation(item)}]"
            case ir.MapOf(value):
                return f"Mapping[str, {self.argument_annotation(value)}]"
            case ir.OneOf(members):
                return " | ".join(dict.fromkeys(self.argument_annotation(member) for member in members))
            case _:
                return self.annotation(kind)

    # -- decoding

    def decoder_expr(self, kind: ir.Type, variable: str, depth: int = 0) -> str:
        """Write the expression that decodes *variable*. It never fails, whatever the variable holds."""
        match kind:
            case ir.Scalar("unix-time"):
                return f"unix_time({variable})"
            case ir.Scalar("unix-time-ms"):
                return f"unix_time_ms({variable})"
            case ir.ModelRef(name):
                return f"{self.name(name)}.from_dict({variable}) if {variable}.__class__ is dict else {variable}"
            case ir.EnumRef(name):
                test = f"{variable}.__class__ is {self._enums[name].base}"
                return f"{self._members(name)}[{variable}] if {test} else {variable}"
            case ir.ListOf(item):
                inner = self.decoder_expr(item, part := f"item{depth or ''}", depth + 1)
                return (
                    variable
                    if inner == part
                    else f"[{inner} for {part} in {variable}] if {variable}.__class__ is list else {variable}"
                )
            case ir.MapOf(value):
                inner = self.decoder_expr(value, part := f"item{depth or ''}", depth + 1)
                if inner == part:
                    return variable
                key = f"key{depth or ''}"
                pairs = f"{{{key}: {inner} for {key}, {part} in {variable}.items()}}"
                return f"{pairs} if {variable}.__class__ is dict else {variable}"
            case ir.OneOf():
                return self._decode_union(kind, variable)
            case _:
                return variable

    def object_decoder(self, kind: ir.Type) -> str:
        """Write a function that decodes a JSON object, or None where it stays as it is."""
        if isinstance(kind, ir.ModelRef):
            return f"{self.name(kind.name)}.from_dict"
        decoded = self.decoder_expr(kind, "value")
        return "None" if decoded == "value" else f"lambda value: {decoded}"

    def decode_field(self, field: ir.Field, variable: str) -> str:
        """Write the expression that decodes an attribute.

        A list that is always there is never None: Coze sends null for empty lists.
        """
        expression = self.decoder_expr(field.type, variable)
        if isinstance(field.type, ir.ListOf) and not field.optional:
            return f"[] if {variable} is None else {expression}"
        if isinstance(field.type, ir.Scalar) and expression != variable and field.optional:
            return f"None if {variable} is None else {expression}"  # saves a call where it is mostly absent
        return expression

    def _members(self, name: str) -> str:
        module, _, plain = self.name(name).rpartition(".")
        return f"{module}.{plain}_members" if module else f"{plain}_members"

    def _decode_union(self, kind: ir.OneOf, variable: str) -> str:
        if kind.tag is not None:
            table = ", ".join(f"{literal(tag)}: {self.name(name)}.from_dict" for tag, name in kind.kinds)
            return f"decode_tagged_union({variable}, {literal(kind.tag)}, {{{table}}})"
        models = [member.name for member in kind.members if isinstance(member, ir.ModelRef)]
        if not models:
            return variable
        pairs = []
        for name in models:
            required = sorted(field.wire for field in self._models[name].fields if field.required)
            pairs.append(f"(frozenset({literal(required)}), {self.name(name)}.from_dict)")
        return f"decode_union({variable}, ({', '.join(pairs)},))"

    def decoder(self, kind: ir.Type | None, nothing: str) -> str:
        """Write a function that decodes a result; what is absent or null becomes *nothing*."""
        match kind:
            case None:
                return "Empty.from_dict"
            case ir.ModelRef(name):
                return f"{self.name(name)}.from_dict"
            case ir.ListOf(item):
                inner = self.decoder_expr(item, "item", 1)
                return f"lambda items: ItemList({inner} for item in items)" if inner != "item" else "ItemList"
            case _:
                raise TypeError(nothing)

    # -- checking arguments

    def validator_expr(self, kind: ir.Type, schema: Mapping[str, Any], deref: Any, *, required: bool = False) -> str:
        """Write the check of an argument, with the limits that *schema* sets."""
        arguments: list[str] = []
        limits: dict[str, str]
        match kind:
            case ir.Scalar("binary"):
                name, limits = "FileValue", {"x-coze-max-bytes": "max_bytes"}
            case ir.Scalar("str"):
                name, limits = "Text", {"minLength": "min_length", "maxLength": "max_length"}
            case ir.Scalar("int" | "float" as scalar):
                name, limits = scalar.capitalize(), {"minimum": "minimum", "maximum": "maximum"}
            case ir.Scalar(scalar):
                name, limits = _VALUES[scalar], {}
            case ir.EnumRef(enum):
                name, limits, arguments = "EnumOf", {}, [self.name(enum)]
            case ir.ModelRef(model):
                name, limits, arguments = "Object", {}, [f"lambda: {self.name(model)}"]
            case ir.ListOf(item):
                name, limits = "ListOf", {"minItems": "min_items", "maxItems": "max_items"}
                arguments = [self.validator_expr(item, deref(schema.get("items")), deref)]
            case ir.MapOf(inner):
                name, limits = "MapOf", {"maxProperties": "max_items"}
                values = schema.get("additionalProperties")
                arguments = [self.validator_expr(inner, deref(values if isinstance(values, Mapping) else None), deref)]
                if keys := schema.get("propertyNames"):
                    arguments.append(f"key={self.validator_expr(ir.Scalar('str'), keys, deref)}")
            case _:
                name, limits = "AnyValue", {}
        limits_by_word = {word: schema[key] for key, word in limits.items() if key in schema}
        if kind == ir.Scalar("int"):
            if "exclusiveMinimum" in schema:
                limits_by_word["minimum"] = max(
                    limits_by_word.get("minimum", -math.inf), math.floor(schema["exclusiveMinimum"]) + 1
                )
            if "exclusiveMaximum" in schema:
                limits_by_word["maximum"] = min(
                    limits_by_word.get("maximum", math.inf), math.ceil(schema["exclusiveMaximum"]) - 1
                )
        arguments += [f"{word}={literal(limit)}" for word, limit in limits_by_word.items()]
        if required:
            arguments.append("required=True")
        return f"{name}({', '.join(arguments)})"
