"""The generated client, compared with the description."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import coze_api
from coze_api import AsyncClient, Client
from generator import ir
from generator.parser.naming import params_class
from generator.parser.openapi_python_client import parse
from generator.parser.operations import build_api
from generator.pipeline import stale_files
from generator.spec.bundler import Bundle
from tests.generator.conftest import ROOT

GENERATED = ROOT / "generated"
OPTIONS = ["extra_headers", "extra_query", "extra_body", "timeout"]


@pytest.fixture(scope="module")
def api(real: Bundle) -> ir.Api:
    """Return the description with all names decided."""
    return build_api(real, parse(real))


def methods(client: type[Any]) -> Iterator[tuple[str, Any]]:
    """Return every method of a client, with the id of its operation."""

    def visit(cls: Any, path: str) -> Iterator[tuple[str, Any]]:
        for name, member in vars(cls).items():
            if name.startswith("_"):
                continue
            if hasattr(member, "func"):  # a cached property: the resource below
                module = importlib.import_module(f"coze_api.resources.{(path + name).partition('.')[0]}")
                yield from visit(getattr(module, member.func.__annotations__["return"]), f"{path}{name}.")
            else:
                yield path + name, member

    return visit(client, "")


SYNC = dict(methods(Client))
ASYNC = dict(methods(AsyncClient))


def test_generated_code_is_up_to_date(real: Bundle) -> None:
    """Generating now would change nothing in generated/."""
    assert stale_files(real, GENERATED) == []


def http(real: Bundle) -> dict[str, Any]:
    """Return the operations that are called over HTTP."""
    return {
        name: operation for name, (_, _, operation) in real.operations().items() if "x-coze-websocket" not in operation
    }


def test_every_operation_is_a_method(real: Bundle, api: ir.Api) -> None:
    """Each described operation can be called, sync and async, and nothing else can."""
    assert {operation.described_id for operation in api.operations} == real.operations().keys()
    assert SYNC.keys() == ASYNC.keys() == {operation.id for operation in api.operations}


def test_provenance_counts_match_the_description(real: Bundle, api: ir.Api) -> None:
    """The counts in the provenance match the description."""
    provenance = tomllib.loads((GENERATED / "provenance.toml").read_text(encoding="utf-8"))
    streams = [described for described in http(real).values() if described.get("x-coze-stream", {}).get("method")]
    assert provenance["operations"] == len(http(real))
    assert provenance["methods"] == len(SYNC) == len(real.operations()) + len(streams)
    assert provenance["sockets"] == len(real.operations()) - len(http(real))
    assert (
        provenance["callbacks"] == len(real.callbacks()) == len(api.callbacks.messages.kinds if api.callbacks else ())
    )
    sides = [
        side for described in real.document["components"]["x-coze-websockets"].values() for side in described.values()
    ]
    assert provenance["messages"] == sum(
        len(side["messages"]) for side in sides if isinstance(side, dict) and "messages" in side
    )
    assert (provenance["models"] + provenance["messages"], provenance["enums"]) == (len(api.models), len(api.enums))
    assert provenance["error_codes"] == len(real.document["components"]["x-coze-errors"])
    assert provenance["description_files"].keys() == set(real.files)
    assert provenance["files"] == len(list((GENERATED / "coze_api").rglob("*.py"))) + len(["py.typed"])


def options(operation: ir.Operation) -> list[str]:
    """Return the option arguments of a method. A handshake has two of them, since it has no body and the method sends
    nothing.
    """
    return OPTIONS[:2] if operation.socket else OPTIONS


def parameters(method: Any) -> list[inspect.Parameter]:
    """Return the parameters of a method except self."""
    return list(inspect.signature(method).parameters.values())[1:]


@pytest.mark.parametrize("name", SYNC)
def test_sync_and_async_methods_have_the_same_parameters(name: str) -> None:
    """A method has the same parameters in both clients, all by keyword."""
    assert parameters(SYNC[name]) == parameters(ASYNC[name])
    assert {parameter.kind for parameter in parameters(SYNC[name])} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", SYNC)
def test_methods_take_the_described_arguments_and_four_options(name: str, api: ir.Api) -> None:
    """A method takes the described arguments, the required ones without a default, and the same four options at the
    end.
    """
    [operation] = [argument for argument in api.operations if argument.id == name]
    actual = parameters(SYNC[name])
    assert [argument.name for argument in actual] == [argument.name for argument in operation.arguments] + options(
        operation
    )
    required = {argument.name for argument in actual if argument.default is inspect.Parameter.empty}
    assert required == {argument.name for argument in operation.arguments if argument.required}
    assert all(argument.default is None for argument in actual if argument.name not in required)


@pytest.mark.parametrize("name", SYNC)
def test_async_methods_are_coroutines_unless_they_return_streams(name: str, api: ir.Api) -> None:
    """An async method is a coroutine, unless it returns a pager, a stream or a handshake."""
    [operation] = [candidate for candidate in api.operations if candidate.id == name]
    is_plain = operation.paging is None and operation.stream is None and operation.socket is None
    # Python 3.11 has no mark for a function that returns the coroutine of the one that it wraps.
    assert inspect.iscoroutinefunction(inspect.unwrap(ASYNC[name])) == is_plain
    assert not inspect.iscoroutinefunction(inspect.unwrap(SYNC[name]))


@pytest.mark.parametrize("name", SYNC)
def test_docstring_has_arguments_result_errors_and_links(name: str, api: ir.Api) -> None:
    """A docstring explains each argument, the result and the errors, and contains the request and a link to the
    official page.
    """
    [operation] = [candidate for candidate in api.operations if candidate.id == name]
    text = inspect.getdoc(SYNC[name]) or ""
    assert text == inspect.getdoc(ASYNC[name]) or operation.paging
    assert text.startswith(f"{operation.summary}.\n\n")
    head, *sections = text.split("\n\n")
    titled = {section.partition(":\n")[0]: section.partition(":\n")[2] for section in sections}
    assert list(titled)[-4:] == ["Args", "Returns", "Raises", "Source"]
    entries = [line.strip().partition(":")[0] for line in titled["Args"].splitlines() if line[4:5].strip()]
    assert entries == [candidate.name for candidate in operation.arguments] + options(operation)
    assert ("APIError: " in titled["Raises"]) == (operation.socket is None)
    source = " ".join(titled["Source"].split())
    assert source == f"{operation.verb} {operation.path}" + (f", {operation.page}" if operation.page else "")
    for note in operation.notes:
        assert note.split()[0] in text
    if operation.permission:
        assert f"`{operation.permission}`" in text


def test_every_module_can_be_imported_first() -> None:
    """Each generated module can be the first one that is imported."""
    names = [module_info.name for module_info in pkgutil.walk_packages(coze_api.__path__, "coze_api.")]
    script = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == "coze_api"]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""
    environment = {"PYTHONPATH": str(GENERATED), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-W", "error", "-c", script, *names], env=environment, check=True)
    assert len(names) > 40


def test_every_model_is_exported(api: ir.Api) -> None:
    """`coze_api.models` offers each model, enum and event, and lists it in `__all__`."""
    models = importlib.import_module("coze_api.models")
    described = {model.name for model in api.models} | {enum.name for enum in api.enums}
    described |= {event.name for stream in api.streams for event in stream.events}
    described |= {name for stream in api.streams for name in (stream.union, f"Unknown{stream.union}")}
    described |= {name for socket in api.sockets for name in (socket.name, socket.uplink.union, socket.downlink.union)}
    described |= {"Callbacks", "CallbackMessage"}
    assert set(models.__all__) == described
    for name in models.__all__:
        assert getattr(models, name) is not None
    assert set(dir(models)) >= described
    with pytest.raises(AttributeError, match="has no attribute 'Bott'"):
        models.Bott  # noqa: B018  (getting it is what is tested)


def test_models_have_a_field_for_each_property(api: ir.Api) -> None:
    """A model has a field for each property, with its wire name."""
    models = importlib.import_module("coze_api.models")
    for model in api.models:
        cls = getattr(models, model.name)
        assert cls._known == {field.wire for field in model.fields}
        assert list(cls.__annotations__)[: len(model.fields)] == [field.name for field in model.fields]


def test_params_have_the_arguments_and_options(api: ir.Api) -> None:
    """Each operation with arguments has a TypedDict of them and of the options."""
    for operation in api.operations:
        if operation.arguments:
            module = importlib.import_module(f"coze_api.params.{operation.tag}")
            params = getattr(module, params_class(operation))
            assert set(params.__annotations__) == {field.name for field in operation.arguments} | set(
                options(operation)
            )


@pytest.mark.parametrize(
    "path", sorted(GENERATED.rglob("*.py")), ids=lambda path: path.relative_to(GENERATED).as_posix()
)
def test_generated_files_have_header_docstring_and_short_lines(path: Path) -> None:
    """Each generated file has a header and a docstring, no overlong line of code and no trailing white space."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# @generated by `python -m generator generate`")
    assert ast.get_docstring(ast.parse(text))
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    for number, line in enumerate(text.splitlines(), 1):
        assert line == line.rstrip(), (path, number)
        assert len(line) <= 120 or '"' in line, (path, number)


def test_every_schema_is_a_class_or_flattened(real: Bundle, api: ir.Api) -> None:
    """Each schema has a class, unless it is a request or response body, which becomes arguments or results."""
    schemas = real.document["components"]["schemas"]
    described = {name for name, schema in schemas.items() if "properties" in schema or "enum" in schema}
    classes = {model.name for model in api.models} | {enum.name for enum in api.enums}
    wrappers = set()
    responses = list(real.document["components"]["responses"].values())
    for _, _, operation in real.operations().values():
        responses += [operation["requestBody"]] if "requestBody" in operation else []
        responses += operation["responses"].values()
    for response in responses:
        wrappers |= {
            media["schema"].get("$ref", "").rpartition("/")[2] for media in response.get("content", {}).values()
        }
    assert described - classes <= wrappers
    assert len(classes & described) > 380
