"""Many files in, one OpenAPI document out.

openapi-python-client drops path items that are a `$ref` without a word, and cannot follow a `$ref` into another
file. So every external `$ref` becomes a component here, named by the last segment of its pointer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import attrs

from .diagnostics import DescriptionError, Diagnostic, relative, suggestion
from .yaml_loader import LocatedMapping, load

__all__ = ["LITERALS", "OFFICIAL", "Bundle", "bundle", "deprecation_note", "dump", "operations_of", "source_note"]

OFFICIAL = "official documentation"
"""The source in `x-coze-evidence` that docstrings do not name."""
LITERALS = {"const", "default", "enum", "example", "examples", "x-coze-from-string", "x-coze-known-values"}
"""Keys whose values are data of the API, in which `$ref` is not a reference."""
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DEEPEST = 50
_NOT_OPERATIONS = {"coze.yaml", "schemas.yaml", "events.yaml", "exceptions.yaml"}


@attrs.frozen
class Bundle:
    """The description as one document.

    Attributes:
        document: The OpenAPI document. Its mappings still know the file and line that they come from.
        root: The directory that holds `openapi/`.
        digests: Every file that was read, relative to *root* and sorted, with the SHA-256 of its content.
    """

    document: LocatedMapping
    root: Path
    digests: dict[str, str] = attrs.field(repr=False)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that was read."""
        return tuple(self.digests)

    def operations(self) -> dict[str, tuple[str, str, LocatedMapping]]:
        """Map each operation id to its path, its method in lower case and its description."""
        return self._described("paths")

    def callbacks(self) -> dict[str, tuple[str, str, LocatedMapping]]:
        """Map the id of each callback to the type of its event, its method in lower case and its description."""
        return self._described("webhooks")

    def _described(self, part: str) -> dict[str, tuple[str, str, LocatedMapping]]:
        operations = operations_of(self.document, part)
        return {operation["operationId"]: (path, method, operation) for path, method, operation in operations}


def operations_of(document: Mapping[str, Any], part: str = "paths") -> Iterator[tuple[str, str, Any]]:
    """Yield path, method in lower case and description of each operation below `paths` or `webhooks`."""
    for path, item in document.get(part, {}).items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, operation


def bundle(index: Path, broken: Collection[str] = ()) -> Bundle:
    """Read *index* and all that it refers to.

    Args:
        index: The file that lists all operations.
        broken: Names of files that cannot be used. What the index refers to is left out if it cannot be read, or refers
            to one of them over any number of files.

    Raises:
        DescriptionError: A file or pointer does not exist, two different things share a component name,
            two operations share an id, or an operation's file is not in the index.
    """
    try:
        return _Bundler(index.resolve(), broken).run()
    except RecursionError as error:
        message = "nests references in nested schemas more deeply than can be followed"
        raise DescriptionError([Diagnostic(relative(index, index.parent.parent), 1, "ref", message)]) from error


def dump(document: Mapping[str, Any]) -> str:
    """Write a document as JSON, the same for the same description on every machine."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


class _Bundler:
    def __init__(self, index: Path, broken: Collection[str]) -> None:
        self.index = index
        self.broken = broken
        self.root = index.parent.parent
        self.files: dict[Path, Any] = {}
        self.components: dict[str, dict[str, Any]] = {}
        self.origins: dict[tuple[str, str], tuple[Path, str]] = {}
        self.referred: set[Path] = set()
        self.problems: list[Diagnostic] = []
        self.depth = 0  # of what refers to what refers to what is copied

    def run(self) -> Bundle:
        source = self.read(self.index)
        self.require_shape(source)
        if self.broken:
            self.prune(source)
        for kind, members in source.get("components", {}).items():
            for name in members if isinstance(members, LocatedMapping) else ():
                self.origins[kind, name] = (self.index, f"/components/{kind}/{name}")
        document = self.copy(source, self.index, ())
        components = document.setdefault("components", LocatedMapping(source.file, source.line))
        for kind, members in sorted(self.components.items()):
            target = components.setdefault(kind, LocatedMapping(source.file, source.line))
            if not isinstance(target, LocatedMapping):
                raise DescriptionError([*self.problems, components.problem("shape", f"{kind} must be a mapping", kind)])
            target.update(sorted(members.items()))
        self.check_operations(document)
        self.check_circles(components)
        if not self.broken:
            self.check_index()
        if self.problems:
            raise DescriptionError(self.problems)
        digests = {relative(path, self.root): _digest(content) for path, content in self.files.items()}
        return Bundle(document, self.root, dict(sorted(digests.items())))

    def require_shape(self, source: Any) -> None:
        """Refuse an index in which no place for operations and components can be found."""
        if not isinstance(source, LocatedMapping):
            raise DescriptionError([Diagnostic(relative(self.index, self.root), 1, "shape", "is not a mapping")])
        if "paths" not in source:
            near = get_close_matches("paths", source, n=1)
            message = f"there is no key {near[0]} in this index; did you mean paths?" if near else "paths is missing"
            raise DescriptionError([source.problem("shape", message, *near)])
        for key in ("paths", "webhooks", "components"):
            if not isinstance(source.get(key, source), LocatedMapping):
                raise DescriptionError([source.problem("shape", f"{key} must be a mapping", key)])

    def read(self, path: Path) -> Any:
        if path not in self.files:
            self.files[path] = load(path, self.root)
        return self.files[path]

    def prune(self, place: LocatedMapping) -> None:
        """Remove the references of the index that lead to a broken file."""
        for key, member in list(place.items()):
            if isinstance(member, LocatedMapping):
                if isinstance(member.get("$ref"), str) and self.is_broken(self.index, member["$ref"], set()):
                    del place[key]
                self.prune(member)

    def is_broken(self, file: Path, reference: str, passed: set[Path]) -> bool:
        """Return whether what *file* refers to cannot be read, is broken, or refers to something broken itself."""
        name = reference.partition("#")[0]
        try:
            target = (file.parent / name).resolve() if name else file
            if target in passed:
                return False
            passed.add(target)
            content = self.read(target)
        except (DescriptionError, OSError, ValueError, RuntimeError):
            return True
        if relative(target, self.root) in self.broken:
            return True
        return any(self.is_broken(target, further, passed) for further in _references(content))

    def copy(self, value: Any, file: Path, place: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [self.copy(item, file, (*place, str(number))) for number, item in enumerate(value)]
        if not isinstance(value, LocatedMapping):
            return value
        if isinstance(value.get("$ref"), str):
            return self.follow(value, file, place)
        result = value.twin()
        for key, member in value.items():
            if key == "description" and isinstance(member, str):
                result[key] = _with_notes(member, value)
                continue
            if key == "mapping" and place[-1:] == ("discriminator",) and isinstance(member, LocatedMapping):
                result[key] = self.follow_mapping(member, file, place)
                continue
            # A property may be called `example`, and a response `default`.
            literal = key in LITERALS and place[-1:] not in {("properties",), ("responses",)}
            result[key] = member if literal else self.copy(member, file, (*place, key))
        return result

    def follow(self, reference: LocatedMapping, file: Path, place: tuple[str, ...]) -> Any:
        name, _, pointer = reference["$ref"].partition("#")
        try:
            target_file = (file.parent / name).resolve() if name else file
            exists = target_file.is_file()
        except (OSError, ValueError, RuntimeError):  # names that no file can have, links in circles
            target_file, exists = self.index.parent, False
        self.referred.add(target_file)
        kind = _kind(place)
        component = pointer.rpartition("/")[2]
        try:
            if not target_file.is_relative_to(self.index.parent):
                raise LookupError(f"lies outside of {self.index.parent.name}/")
            if not exists:
                raise LookupError("does not exist: there is no such file")
            if kind is None and len(reference) > 1:
                raise LookupError("replaces what stands beside it; move that into the file")
            if kind is not None and not component:
                raise LookupError(f"must end with #/ and a name, by which the client calls the {kind[:-1]}")
            target = self.resolve(target_file, pointer)
        except LookupError as error:
            self.problems.append(reference.problem("ref", f"{reference['$ref']} {error.args[0]}", "$ref"))
            return reference
        except DescriptionError as error:  # the file is not YAML
            self.problems.extend(error.problems)
            return reference
        if kind is None and isinstance(target, LocatedMapping) and "$ref" in target:
            self.problems.append(target.problem("ref", "refers on to another file; refer to that directly", "$ref"))
            return reference
        if kind is None:
            return self.inline(target, target_file, place)
        self.hoist(kind, component, target, target_file, pointer, reference)
        result = reference.twin()
        result.update(reference)
        if isinstance(reference.get("description"), str):
            result["description"] = _with_notes(reference["description"], reference)
        result["$ref"] = f"#/components/{kind}/{component}"
        return result

    def follow_mapping(self, tags: LocatedMapping, file: Path, place: tuple[str, ...]) -> LocatedMapping:
        """Follow the values of a discriminator's mapping, which are references, but not written as `$ref`."""
        result = tags.twin()
        for tag, name in tags.items():
            reference = tags.twin()
            reference["$ref"], reference.lines["$ref"] = str(name), tags.line_of(tag)
            result[tag] = self.follow(reference, file, place)["$ref"]
        return result

    def resolve(self, file: Path, pointer: str) -> Any:
        target = self.read(file)
        if pointer and not pointer.startswith("/"):
            raise LookupError("does not exist: a pointer begins with #/")
        for segment in pointer.split("/")[1:]:
            key = segment.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, LocatedMapping) or key not in target:
                near = suggestion(key, target) if isinstance(target, LocatedMapping) else ""
                raise LookupError(f"does not exist: the file has no such place{near}")
            target = target[key]
        return target

    def inline(self, target: Any, file: Path, place: tuple[str, ...]) -> Any:
        copied = self.copy(target, file, place)
        if isinstance(copied, LocatedMapping) and "components" in copied:
            local = copied.pop("components")  # an operation's own schemas are hoisted when they are referred to
            schemas = local.get("schemas") if isinstance(local, LocatedMapping) else None
            if not isinstance(schemas, LocatedMapping):
                self.problems.append(copied.problem("shape", "components must be a mapping with schemas", "components"))
                return copied
            for name in schemas:
                if self.origins.get(("schemas", name)) != (file, f"/components/schemas/{name}"):
                    self.problems.append(local.problem("unused", f"schema {name} is not used by the operation"))
        return copied

    def hoist(self, kind: str, name: str, target: Any, file: Path, pointer: str, reference: LocatedMapping) -> None:
        origin = self.origins.setdefault((kind, name), (file, pointer))
        if origin != (file, pointer):
            other = relative(origin[0], self.root)
            message = f"two different {kind} are called {name}: this one and {other}#{origin[1]}"
            self.problems.append(reference.problem("name-clash", message, "$ref"))
            return
        members = self.components.setdefault(kind, {})
        if name in members:
            return
        if self.depth == _DEEPEST:
            message = f"leads from one reference to the next over more than {_DEEPEST} of them"
            self.problems.append(reference.problem("ref", message, "$ref"))
            return
        members[name] = None  # marks the name as taken, for schemas that refer to themselves
        self.depth += 1
        members[name] = self.copy(target, file, ("components", kind, name))
        self.depth -= 1

    def check_operations(self, document: LocatedMapping) -> None:
        seen: dict[str, LocatedMapping] = {}
        items = [(document[part], *item) for part in ("paths", "webhooks") for item in document.get(part, {}).items()]
        for part, path, item in items:
            if not isinstance(item, LocatedMapping):
                self.problems.append(part.problem("shape", f"{path} must be a mapping", path))
                continue
            for method, operation in item.items():
                if not isinstance(operation, LocatedMapping):
                    self.problems.append(item.problem("shape", f"{path} {method} must be a mapping", method))
                    continue
                name = operation.get("operationId")
                if method not in _METHODS:
                    message = f"{path} has {method}, which is not an HTTP method{suggestion(method, _METHODS)}"
                    self.problems.append(item.problem("shape", message, method))
                elif name is None:
                    continue  # the lint reports it, with everything else that is missing
                elif not isinstance(name, str):
                    self.problems.append(operation.problem("shape", "operationId must be a text", "operationId"))
                elif name in seen:
                    message = f"operation id {name} is also used in {seen[name].file}"
                    self.problems.append(operation.problem("name-clash", message, "operationId"))
                else:
                    seen[name] = operation

    def check_circles(self, components: LocatedMapping) -> None:
        for kind in self.components:
            for component in components[kind].values():
                passed = [component]
                while isinstance(passed[-1], LocatedMapping) and isinstance(passed[-1].get("$ref"), str):
                    _, _, name = passed[-1]["$ref"].removeprefix(f"#/components/{kind}/").rpartition("/")
                    following = components[kind].get(name)
                    if any(following is node for node in passed):
                        self.problems.append(component.problem("ref", "refers to nothing but itself", "$ref"))
                        break
                    passed.append(following)

    def check_index(self) -> None:
        folder = self.index.parent
        for path in sorted(folder.rglob("*.yaml")):
            inside = path.relative_to(folder)
            if path in self.referred | {self.index} or inside.name in _NOT_OPERATIONS or inside.parts[0] == "shared":
                continue
            message = f"no line of {self.index.name} refers to this operation; add its path and method there"
            self.problems.append(Diagnostic(relative(path, self.root), 1, "not-in-index", message))


def _references(value: Any) -> Iterator[str]:
    """Yield all references of a file, those of discriminators included."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "mapping" and isinstance(item, dict):
            yield from (name for name in item.values() if isinstance(name, str))
        elif key == "$ref" and isinstance(item, str):
            yield item
        else:
            yield from _references(item)


def source_note(evidence: Mapping[str, Any]) -> str:
    """Return the sentence that names another source than the official documentation; "" if there is none."""
    source = evidence.get("source")
    return "" if source in (None, OFFICIAL) else f"Not in the official documentation; seen in {source}."


def deprecation_note(described: Mapping[str, Any]) -> str:
    """Return the sentence that calls an operation, argument or property deprecated; "" if it is not."""
    if described.get("deprecated") is not True:
        return ""
    replacement = described.get("x-coze-replaced-by")
    return f"Deprecated: use `{replacement}` instead." if replacement else "Deprecated."


def _with_notes(description: str, described: LocatedMapping) -> str:
    """Return a description with sentences on deprecation and on the source, where there is something to note."""
    evidence = described.get("x-coze-evidence")
    source = source_note(evidence) if isinstance(evidence, LocatedMapping) else ""
    return " ".join(filter(None, [deprecation_note(described), description, source]))


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _kind(place: tuple[str, ...]) -> str | None:
    """Return the kind of component that a `$ref` at *place* refers to; None if its target replaces it."""
    match place:
        case ("paths" | "webhooks", _) | ("paths" | "webhooks", _, _) | ("components", "x-coze-errors"):
            return None
        case ("components", "x-coze-websockets", _) | ("webhooks", _, _, "x-coze-callback", "signature"):
            return None
        case ("components", kind, _):
            return kind
        case ("paths" | "webhooks", _, _, "x-coze-stream", "protocol"):
            return "x-coze-streams"
        case ("paths" | "webhooks", _, _, "x-coze-websocket", "protocol"):
            return "x-coze-websockets"
        case ("paths" | "webhooks", _, _, "requestBody"):
            return "requestBodies"
        case ("paths" | "webhooks", _, _, ("responses" | "parameters") as kind, _):
            return kind
        case ("paths" | "webhooks", _, _, "responses", _, ("headers" | "links") as kind, _):
            return kind
        case ("components", "responses", _, ("headers" | "links") as kind, _):
            return kind
    return "schemas"
