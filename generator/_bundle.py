"""Many files in, one OpenAPI document out.

openapi-python-client drops path items that are a `$ref` without a word, and cannot follow a `$ref` into another
file. So every external `$ref` becomes a component here, named by the last segment of its pointer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from ._problems import DescriptionError, Problem, relative
from ._yaml import Mapping, load

__all__ = ["METHODS", "Bundle", "bundle", "dump"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LITERALS = {"const", "default", "enum", "example", "examples", "x-coze-from-string"}
_NOT_OPERATIONS = {"coze.yaml", "schemas.yaml", "events.yaml", "exceptions.yaml"}


@attrs.frozen
class Bundle:
    """The description as one document.

    Attributes:
        document: The OpenAPI document. Its mappings still know the file and line that they come from.
        root: The directory that holds `openapi/`.
        files: Every file that was read, relative to *root*, sorted.
    """

    document: Mapping
    root: Path
    files: tuple[str, ...]

    def operations(self) -> dict[str, tuple[str, str, Mapping]]:
        """Map each operation id to its path, its method in lower case and its description."""
        return {
            operation["operationId"]: (path, method, operation)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }


def bundle(index: Path) -> Bundle:
    """Read *index* and all that it refers to.

    Raises:
        DescriptionError: A file or pointer does not exist, two different things share a component name,
            two operations share an id, or an operation's file is not in the index.
    """
    return _Bundler(index.resolve()).run()


def dump(bundled: Bundle) -> str:
    """Write the document as JSON, the same for the same description on every machine."""
    return json.dumps(bundled.document, ensure_ascii=False, indent=1) + "\n"


class _Bundler:
    def __init__(self, index: Path) -> None:
        self.index = index
        self.root = index.parent.parent
        self.files: dict[Path, Any] = {}
        self.components: dict[str, dict[str, Any]] = {}
        self.origins: dict[tuple[str, str], tuple[Path, str]] = {}
        self.problems: list[Problem] = []

    def run(self) -> Bundle:
        source = self.read(self.index)
        document = self.copy(source, self.index, ())
        components = document.setdefault("components", Mapping(source.file, source.line))
        for kind, members in sorted(self.components.items()):
            target = components.setdefault(kind, Mapping(source.file, source.line))
            target.update(sorted(members.items()))
        self.check_ids(document)
        self.check_index()
        if self.problems:
            raise DescriptionError(self.problems)
        files = tuple(sorted(relative(path, self.root) for path in self.files))
        return Bundle(document, self.root, files)

    def read(self, path: Path) -> Any:
        if path not in self.files:
            self.files[path] = load(path, self.root)
        return self.files[path]

    def copy(self, value: Any, file: Path, place: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [self.copy(item, file, (*place, str(number))) for number, item in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        if isinstance(value.get("$ref"), str):
            return self.follow(value, file, place)
        result = value.twin()
        for key, member in value.items():
            # A property may be called `example`, and an answer `default`.
            literal = key in _LITERALS and place[-1:] not in {("properties",), ("responses",)}
            result[key] = member if literal else self.copy(member, file, (*place, key))
        return result

    def follow(self, reference: Mapping, file: Path, place: tuple[str, ...]) -> Any:
        name, _, pointer = reference["$ref"].partition("#")
        target_file = (file.parent / name).resolve() if name else file
        try:
            target = self.resolve(target_file, pointer)
        except (DescriptionError, LookupError, TypeError):
            message = f"{reference['$ref']} does not exist"
            self.problems.append(reference.problem("ref", message, "$ref"))
            return reference
        kind = _kind(place)
        if kind is None:
            return self.inline(target, target_file, place)
        component = pointer.rpartition("/")[2]
        self.hoist(kind, component, target, target_file, pointer, reference)
        result = reference.twin()
        result.update(reference)
        result["$ref"] = f"#/components/{kind}/{component}"
        return result

    def resolve(self, file: Path, pointer: str) -> Any:
        target = self.read(file)
        for segment in filter(None, pointer.split("/")):
            target = target[segment.replace("~1", "/").replace("~0", "~")]
        return target

    def inline(self, target: Any, file: Path, place: tuple[str, ...]) -> Any:
        copied = self.copy(target, file, place)
        if isinstance(copied, Mapping):
            local = copied.pop("components", None)  # an operation's own schemas are hoisted when they are referred to
            for name in (local or {}).get("schemas", {}):
                if ("schemas", name) not in self.origins:
                    self.problems.append(local.problem("unused", f"schema {name} is not used by the operation"))
        return copied

    def hoist(self, kind: str, name: str, target: Any, file: Path, pointer: str, reference: Mapping) -> None:
        origin = self.origins.setdefault((kind, name), (file, pointer))
        if origin != (file, pointer):
            other = relative(origin[0], self.root)
            message = f"two different {kind} are called {name}: this one and {other}#{origin[1]}"
            self.problems.append(reference.problem("name-clash", message, "$ref"))
            return
        members = self.components.setdefault(kind, {})
        if name not in members:
            members[name] = None  # marks the name as taken, for schemas that refer to themselves
            members[name] = self.copy(target, file, ("components", kind, name))

    def check_ids(self, document: Mapping) -> None:
        seen: dict[str, Mapping] = {}
        for item in document.get("paths", {}).values():
            for method, operation in item.items():
                if method not in METHODS or "operationId" not in operation:
                    continue
                name = operation["operationId"]
                if name in seen:
                    message = f"operation id {name} is also used in {seen[name].file}"
                    self.problems.append(operation.problem("name-clash", message, "operationId"))
                seen[name] = operation

    def check_index(self) -> None:
        folder = self.index.parent
        for path in sorted(folder.rglob("*.yaml")):
            inside = path.relative_to(folder)
            if path in self.files or inside.name in _NOT_OPERATIONS or inside.parts[0] == "shared":
                continue
            message = f"no line of {self.index.name} refers to this operation; add its path and method there"
            self.problems.append(Problem(relative(path, self.root), 1, "not-in-index", message))


def _kind(place: tuple[str, ...]) -> str | None:
    """Tell which kind of component a `$ref` at *place* refers to; None where it is to be replaced by its target."""
    match place:
        case ("paths", _) | ("paths", _, _) | ("webhooks", _) | ("webhooks", _, _) | ("components", "x-coze-errors"):
            return None
        case (*_, "x-coze-stream", "protocol"):
            return "x-coze-streams"
        case (*_, "responses", _):
            return "responses"
        case (*_, "parameters", _):
            return "parameters"
        case (*_, "headers", _):
            return "headers"
    return "schemas"
