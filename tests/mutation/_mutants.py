"""Twenty faults in the description, the client or the sandbox, selected by a seed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import attrs

__all__ = ["KINDS", "Kind", "Mutant", "mutants"]

Kind = Literal["description", "client", "sandbox"]
KINDS: tuple[Kind, ...] = ("description", "client", "sandbox")

_DOCUMENT = "generated/coze_api/coze.openapi.json"
_MODELS = "generated/coze_api/models/*.py"
_OPERATIONS = "generated/coze_api/operations/*.py"
_HANDLERS = "sandbox/coze_sandbox/_handlers/*.py"
Document = dict[str, Any]


@attrs.frozen
class Mutant:
    """One small fault.

    Attributes:
        kind: The part that is wrong.
        what: The change and its place.
        file: Path of the changed file, relative to the tree.
        text: Its new text.
    """

    kind: Kind
    what: str
    file: str
    text: str = attrs.field(repr=False)


def mutants(tree: Path, seed: int = 0) -> list[Mutant]:
    """Return the faults. The same tree and seed give the same faults."""
    dice = random.Random(seed)
    by_what: dict[str, Mutant] = {}
    for make in [
        *(partial(_of_description, tree, dice, change) for change in _CHANGES),
        *(partial(_of_text, tree, dice, "client", edit) for edit in _CLIENT),
        *(partial(_of_text, tree, dice, "sandbox", edit) for edit in _SANDBOX),
    ]:
        while (mutant := make()).what in by_what:  # some kinds appear more than once, each at a different place
            pass
        by_what[mutant.what] = mutant
    return [*by_what.values()]


# --- the description: it no longer matches the client and the sandbox


def _of_description(tree: Path, dice: random.Random, change: Callable[[Document, random.Random], str]) -> Mutant:
    document = json.loads((tree / _DOCUMENT).read_text(encoding="utf-8"))
    what = change(document, dice)
    return Mutant("description", what, _DOCUMENT, json.dumps(document, ensure_ascii=False, indent=1))


def _operations(document: Document) -> Iterator[Document]:
    for item in document["paths"].values():
        yield from (operation for operation in item.values() if "x-coze-websocket" not in operation)


def _follow(document: Document, value: Document) -> Document:
    while "$ref" in value:
        node: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        value = node
    return value


def _bodies(document: Document) -> list[tuple[str, Document]]:
    schemas = []
    for operation in _operations(document):
        for media in _follow(document, operation.get("requestBody", {})).get("content", {}).values():
            schemas.append((operation["operationId"], _follow(document, media["schema"])))
    return [(name, schema) for name, schema in schemas if schema.get("properties")]


def _answers(document: Document) -> list[tuple[str, Document]]:
    """List the objects that answers hold as `data`."""
    schemas = []
    for operation in _operations(document):
        content = _follow(document, operation["responses"].get("200", {})).get("content", {})
        if "application/json" in content:
            envelope = _follow(document, content["application/json"]["schema"])
            schema = _follow(document, envelope["properties"].get("data", {}))
            schemas.append((operation["operationId"], schema))
    return [(name, schema) for name, schema in schemas if schema.get("properties")]


def _rename(schema: Document, old: str) -> None:
    new = f"{old}_id" if not old.endswith("_id") else old.removesuffix("_id")
    schema["properties"] = {new if name == old else name: part for name, part in schema["properties"].items()}
    schema["required"] = [new if name == old else name for name in schema.get("required", ())]


def rename_request_member(document: Document, dice: random.Random) -> str:
    name, schema = dice.choice(_bodies(document))
    member = dice.choice(sorted(schema["properties"]))
    _rename(schema, member)
    return f"{name}: body member {member} renamed"


def rename_answer_member(document: Document, dice: random.Random) -> str:
    name, schema = dice.choice(_answers(document))
    member = dice.choice(sorted(schema["properties"]))
    _rename(schema, member)
    return f"{name}: answer member {member} renamed"


def retype_request_member(document: Document, dice: random.Random) -> str:
    texts = [
        (name, member, part)
        for name, schema in _bodies(document)
        for member, part in schema["properties"].items()
        if part.get("type") == "string" and "format" not in part
    ]
    name, member, part = dice.choice(texts)
    part.update(type="integer", examples=[1])
    part.pop("maxLength", None)
    return f"{name}: body member {member} is a number"


def retype_answer_member(document: Document, dice: random.Random) -> str:
    texts = [
        (name, member, part)
        for name, schema in _answers(document)
        for member, part in schema["properties"].items()
        if part.get("type") == "string"
    ]
    name, member, part = dice.choice(texts)
    part.update(type="array", items={"type": "integer"}, examples=[[1]])
    return f"{name}: answer member {member} is a list of numbers"


def move_path(document: Document, dice: random.Random) -> str:
    path = dice.choice(sorted(document["paths"]))
    document["paths"] = {f"{key}s" if key == path else key: item for key, item in document["paths"].items()}
    return f"{path}: has an s more"


def change_limit(document: Document, dice: random.Random) -> str:
    limits = [
        (name, member, part, limit)
        for name, schema in _bodies(document)
        for member, part in schema["properties"].items()
        for limit in ("maxLength", "maximum", "maxItems")
        if limit in part
    ]
    name, member, part, limit = dice.choice(limits)
    part[limit] -= 1
    return f"{name}: {limit} of body member {member} is one less"


def rename_enum_value(document: Document, dice: random.Random) -> str:
    enums = [
        (key, schema)
        for key, schema in sorted(document["components"]["schemas"].items())
        if any(
            _follow(document, part) is schema for _, body in _bodies(document) for part in body["properties"].values()
        )
        and isinstance(schema.get("enum", [0])[0], str)
    ]
    key, schema = dice.choice(enums)
    value = dice.choice(schema["enum"])
    schema["enum"] = [f"{value}_x" if member == value else member for member in schema["enum"]]
    return f"{key}: value {value} renamed"


_CHANGES: tuple[Callable[[Document, random.Random], str], ...] = (
    rename_request_member,
    rename_answer_member,
    retype_request_member,
    retype_answer_member,
    move_path,
    change_limit,
    rename_enum_value,
)


# --- client and sandbox: a line of code is wrong


@attrs.frozen
class _Edit:
    """A fault that can be made in many places.

    Attributes:
        what: Its effect.
        files: Glob of the files that can be changed.
        before: Regular expression that matches the text to replace.
        after: Replacement.
    """

    what: str
    files: str
    before: str
    after: str


_CLIENT = (
    _Edit("a key is misread", _MODELS, r'value = data\.get\("(\w+)"\)', r'value = data.get("\1_")'),
    _Edit("a key is misread", _MODELS, r'value = data\.get\("(\w+)"\)', r'value = data.get("\1_")'),
    _Edit(
        "a part is not decoded",
        _MODELS,
        r"\[(\w+)\.from_dict\(item\) if item.__class__ is dict else item for",
        "[item for",
    ),
    _Edit("a value of an enum is not decoded", _MODELS, r"\w+_members\[value\] if value", "value if value"),
    _Edit("unknown members are lost", _MODELS, r"unknown_fields\(data, cls._known\)", "None"),
    _Edit("an argument has another name", _OPERATIONS, r'Argument\("(\w+)", "body"', r'Argument("\1_", "body"'),
    _Edit("an argument is in another place", _OPERATIONS, r'", "query", ', '", "body", '),
    _Edit("the next page is skipped", "generated/coze_api/_core/_pagination_async.py", r"\+ 1\b", "+ 2"),
)
_SANDBOX = (
    _Edit(
        "what is made or changed is lost",
        _HANDLERS,
        r"(\n +)(?:call\.)?(?:state\.)?store\.put\([^\n]*\)\n",
        r"\1pass\n",
    ),
    _Edit(
        "what is made or changed is lost",
        _HANDLERS,
        r"(\n +)(?:call\.)?(?:state\.)?store\.put\([^\n]*\)\n",
        r"\1pass\n",
    ),
    _Edit("what is deleted stays", _HANDLERS, r"(\n +)(?:call\.)?(?:state\.)?store\.delete\([^\n]*\)\n", r"\1pass\n"),
    _Edit(
        "pages overlap",
        "sandbox/coze_sandbox/_handlers/_common.py",
        r"\(number - 1\) \* size",
        "(number - 1) * (size - 1)",
    ),
    _Edit("a list is in another order", _HANDLERS, r"reversed\((call\.)?state", r"iter(\1state"),
)


def _of_text(tree: Path, dice: random.Random, kind: Kind, edit: _Edit) -> Mutant:
    files = sorted(tree.glob(edit.files))
    places = [(file, match) for file in files for match in re.finditer(edit.before, file.read_text(encoding="utf-8"))]
    if not places:
        raise LookupError(f"no file has a place for the fault: {edit.what}")
    file, match = dice.choice(places)
    text = file.read_text(encoding="utf-8")
    line = text.count("\n", 0, match.end() - 1) + 1
    changed = text[: match.start()] + match.expand(edit.after) + text[match.end() :]
    name = file.relative_to(tree).as_posix()
    return Mutant(kind, f"{name}:{line}: {edit.what} ({match.group().strip()[:60]})", name, changed)
