"""Writes the package `coze_api` from templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import ir
from ..parser.error_categories import CATEGORIES
from ..parser.naming import params_class, resource_class
from .python_source import PythonTypes, docstring, literal, sentence

__all__ = ["render"]

_HERE = Path(__file__).parent


def render(api: ir.Api, deref: Any, header: str) -> dict[str, str]:
    """Write all files of the package.

    Args:
        api: The description.
        deref: Follows a `$ref` in a raw schema.
        header: First lines of every Python file.

    Returns:
        File name inside the package to its unformatted content.
    """
    return _Renderer(api, deref, header).files()


class _Renderer:
    def __init__(self, api: ir.Api, deref: Any, header: str) -> None:
        self.api = api
        self.deref = deref
        self.header = header
        self.env = Environment(  # noqa: S701  (Python, not HTML; `literal` and `docstring` escape)
            loader=FileSystemLoader(_HERE / "templates"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.env.filters["literal"] = literal
        self.env.globals.update(
            docstring=docstring,
            sentence=sentence,
            method_doc=self.method_doc,
            params_class=params_class,
        )

    def files(self) -> dict[str, str]:
        runtime = _HERE.parent / "runtime"
        files = {
            f"_core/{path.relative_to(runtime).as_posix()}": self.header + path.read_text(encoding="utf-8")
            for path in sorted(runtime.rglob("*.py"))
        }
        tags = sorted({operation.tag for operation in self.api.operations})
        classes: dict[str, str] = {}
        modules = {model.module for model in self.api.models} | {enum.module for enum in self.api.enums}
        for module, text in self.models(modules | {stream.module for stream in self.api.streams}, classes).items():
            files[f"models/{module}.py"] = text
        files["models/__init__.py"] = self.template("models_init", classes=classes)
        for tag in tags:
            operations = [operation for operation in self.api.operations if operation.tag == tag]
            files[f"operations/{tag}.py"] = self.operations(tag, operations)
            files[f"resources/{tag}.py"] = self.resources(tag, operations)
            files[f"params/{tag}.py"] = self.params(tag, operations)
        files["operations/__init__.py"] = self.template("operations_init", tags=tags)
        files["params/__init__.py"] = self.template("params_init", tags=tags)
        resources = [(tag, resource_class(tag), self.api.tags.get(tag, "")) for tag in tags]
        files["resources/__init__.py"] = self.template("resources_init", resources=resources)
        files["_clients.py"] = self.template("clients", resources=resources)
        files["errors.py"] = self.errors()
        files["__init__.py"] = self.template("package_init", version=self.api.version)
        files["py.typed"] = ""
        return files

    def template(self, name: str, **values: Any) -> str:
        return self.header + self.env.get_template(f"{name}.py.jinja").render(api=self.api, **values)

    def models(self, modules: set[str], classes: dict[str, str]) -> dict[str, str]:
        """Write the modules of models, and note in *classes* which is where."""
        bodies: dict[str, str] = {}
        needs: dict[str, set[str]] = {}
        inputs, confidential = self.input_models(), self.confidential_models()
        for module in sorted(modules):
            types = PythonTypes(self.api, module)
            models = [model for model in self.api.models if model.module == module]
            streams = [stream for stream in self.api.streams if stream.module == module]
            names = [*(enum.name for enum in self.enums(module)), *(model.name for model in models)]
            for stream in streams:
                names += [stream.union, f"Unknown{stream.union}", *(event.name for event in stream.events)]
            sockets = [socket for socket in self.api.sockets if socket.module == module]
            for socket in sockets:
                names += [socket.name, socket.uplink.union, socket.downlink.union]
            callbacks = self.api.callbacks if self.api.callbacks and self.api.callbacks.module == module else None
            if callbacks:
                names += ["Callbacks", callbacks.messages.union]
            classes.update(dict.fromkeys(names, module))
            bodies[module] = self.env.get_template("models.py.jinja").render(
                models=models,
                streams=streams,
                sockets=sockets,
                callbacks=callbacks,
                types=types,
                deref=self.deref,
                inputs=inputs,
                confidential=lambda field: field.secret or not _models_in(field.type).isdisjoint(confidential),
            )
            needs[module] = types.used
        return {
            module: self.template(
                "models_head",
                module=module,
                early=sorted(name for name in used if module not in _reachable(name, needs)),
                late=sorted(name for name in used if module in _reachable(name, needs)),
                enums=self.env.get_template("enums.py.jinja").render(enums=self.enums(module)),
                models=bodies[module],
            )
            for module, used in needs.items()
        }

    def enums(self, module: str) -> list[ir.Enum]:
        return [enum for enum in self.api.enums if enum.module == module]

    def input_models(self) -> set[str]:
        """Find the models that callers can give, which need checks."""
        names: set[str] = set()
        fields = {model.name: model.fields for model in self.api.models}

        def visit(kind: ir.Type) -> None:
            match kind:
                case ir.ModelRef(name) if name not in names:
                    names.add(name)
                    for field in fields[name]:
                        visit(field.type)
                case ir.ListOf(inner) | ir.MapOf(inner):
                    visit(inner)

        for operation in self.api.operations:
            for argument in operation.arguments:
                visit(argument.type)
        for socket in self.api.sockets:
            for _, name in socket.uplink.kinds:
                visit(ir.ModelRef(name))
        for name in self.api.callbacks.answers if self.api.callbacks else ():
            visit(ir.ModelRef(name))
        return names

    def confidential_models(self) -> set[str]:
        """Find the models that hold secrets, by themselves or in others."""
        names: set[str] = set()
        before = -1
        while len(names) > before:
            before = len(names)
            names |= {
                model.name
                for model in self.api.models
                if any(field.secret or _models_in(field.type) & names for field in model.fields)
            }
        return names

    def operations(self, tag: str, operations: list[ir.Operation]) -> str:
        types = PythonTypes(self.api)
        described = {operation.constant: operation for operation in operations}
        body = self.env.get_template("operations.py.jinja").render(
            operations=described.values(), types=types, deref=self.deref
        )
        return self.header + self.env.get_template("operations_head.py.jinja").render(
            tag=tag, used=sorted(types.used), body=body
        )

    def resources(self, tag: str, operations: list[ir.Operation]) -> str:
        types = PythonTypes(self.api)
        tree = _tree(tag, operations)
        text = "".join(
            self.env.get_template("resource.py.jinja").render(
                name=name, class_name=resource_class(name), methods=methods, children=children, types=types,
                is_async=is_async, tag=tag, title=self.api.tags.get(name, ""),
            )
            for name, methods, children in tree
            for is_async in (False, True)
        )  # fmt: skip
        for operation in operations:
            if protocol := operation.stream or operation.socket:
                types.used.add(protocol.module)
        classes = sorted(prefix + resource_class(name) for name, _, _ in tree for prefix in ("", "Async"))
        return self.template("resources_head", tag=tag, used=sorted(types.used), body=text, classes=classes)

    def params(self, tag: str, operations: list[ir.Operation]) -> str:
        types = PythonTypes(self.api)
        body = self.env.get_template("params.py.jinja").render(
            operations=[operation for operation in operations if operation.arguments], types=types
        )
        return self.template("params_head", tag=tag, used=sorted(types.used), body=body)

    def errors(self) -> str:
        return self.template("errors", classes=CATEGORIES, codes=sorted(self.api.errors, key=lambda c: c.code))

    def method_doc(self, operation: ir.Operation, returns: str) -> str:
        """Write the docstring of a method."""
        facts = [*operation.notes]
        if operation.permission:
            facts.append(f"Needs the permission `{operation.permission}`.")
        arguments = [f"{field.name}: {' '.join(_argument_text(field))}" for field in operation.arguments]
        arguments += [
            "extra_headers: Headers for this request.",
            "extra_query: Query parameters that the description does not know.",
            "extra_body: Body members that the description does not know, or other values for those that it knows.",
            "timeout: Seconds for this request instead of the client's.",
        ]
        if operation.socket:
            del arguments[-2:]  # a handshake has no body, and is not sent here
        raises = [
            "InvalidArgumentError: An argument does not fit; nothing was sent.",
            "APIError: Coze refused the call.",
        ]
        if operation.socket:
            del raises[-1]
        if operation.answer == "redirect":
            raises.append("GatewayError: The response was not a redirect.")
        if operation.stream:
            raises += [
                "StreamFailed: While reading: the stream reported a failure.",
                "StreamInterrupted: While reading: the stream broke off.",
            ]
            if operation.stream.ids:
                raises.append(
                    "StreamGap: While reading: numbers of events are missing, and the client's `on_gap` is ``raise``."
                )
        source = f"{operation.verb} {operation.path}" + (f", {operation.page}" if operation.page else "")
        return docstring(
            8, operation.summary, operation.description, " ".join(map(sentence, facts)),
            sections={"Args": arguments, "Returns": [returns], "Raises": raises, "Source": [source]},
        )  # fmt: skip


def _models_in(kind: ir.Type) -> set[str]:
    """Name the models that a value may be or hold."""
    match kind:
        case ir.ModelRef(name):
            return {name}
        case ir.ListOf(inner) | ir.MapOf(inner):
            return _models_in(inner)
        case ir.OneOf(members):
            return set().union(*map(_models_in, members))
    return set()


def _argument_text(field: ir.Field) -> Iterator[str]:
    """Describe an argument: its text, then the limits of its schema."""
    schema = field.schema
    yield sentence(field.description)
    lower, upper = schema.get("minimum"), schema.get("maximum")
    if lower is not None or upper is not None:
        yield (
            f"From {lower} to {upper}."
            if None not in (lower, upper)
            else (f"At least {lower}." if upper is None else f"At most {upper}.")
        )
    if "maxLength" in schema:
        yield f"At most {schema['maxLength']} characters."
    if "maxItems" in schema:
        yield f"At most {schema['maxItems']} items."
    if "x-coze-known-values" in schema:
        yield f"Known values: {', '.join(map(str, schema['x-coze-known-values']))}."
    if "default" in schema:
        yield f"Coze assumes {literal(schema['default'])}."


def _tree(tag: str, operations: Iterable[ir.Operation]) -> list[tuple[str, list[ir.Operation], list[tuple[str, str]]]]:
    """List the resources of a tag, children first, with their methods and children (attribute, class)."""
    names = {tag}
    for operation in operations:
        parts = operation.resource.split(".")
        names.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    ordered = sorted(names, key=lambda name: (-name.count("."), name))
    return [
        (
            name,
            [operation for operation in operations if operation.resource == name],
            [
                (child.rpartition(".")[2], resource_class(child))
                for child in sorted(names)
                if child.rpartition(".")[0] == name
            ],
        )
        for name in ordered
    ]


def _reachable(start: str, needs: Mapping[str, set[str]]) -> set[str]:
    """Find all that *start* needs, and what that needs."""
    modules: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = needs.get(waiting.pop(), set()) - modules
        modules |= fresh
        waiting += fresh
    return modules
