"""The package as a whole: its names, the cost of its import, and the equality of both clients."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import coze_api.errors
import cozekit
from coze_api import AsyncClient, Client
from coze_api._core._client import BaseClient
from coze_api._core._client_async import AsyncBaseClient
from coze_api._core._operation import Operation
from coze_api.operations import bots, chat, conversations, files, users, workflows, workspaces
from cozekit import AsyncCoze, Coze, auth, errors
from cozekit._chat import resource as chat_resource
from cozekit._chat import resource_async as chat_resource_async
from cozekit._chat import run_stream, run_stream_async, stream, stream_async
from cozekit._resources import copy_tasks, copy_tasks_async, datasets, datasets_async, files_async
from cozekit._resources import files as _files
from cozekit._workflows import (
    resource,
    resource_async,
    result_async,
    run,
    run_async,
)
from cozekit._workflows import result as _workflow_result

ROOT = Path(cozekit.__file__).parent
SOURCES = sorted(ROOT.glob("**/*.py"))
OPERATIONS = [
    value
    for module in (bots, chat, conversations, files, users, workflows, workspaces)
    for value in vars(module).values()
    if isinstance(value, Operation)
]


def isort_key(name: str) -> tuple[int, str]:
    """Sort constants first, then classes, then the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


NO_ERRORS = {"CODES", "ExtensionMismatchWarning", "InsecureFolderWarning", "StreamGapWarning"}


@pytest.mark.parametrize("module", [cozekit, errors, auth], ids=lambda module: module.__name__)
def test_all_is_sorted(module):
    """`__all__` is sorted as isort does, without repetition."""
    assert module.__all__ == sorted(set(module.__all__), key=isort_key)


@pytest.mark.parametrize("module", [cozekit, auth], ids=lambda module: module.__name__)
def test_all_names_resolve_and_are_typed(module):
    """Every public name can be imported and is listed for type checkers, and no other name exists."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    shown = {alias.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert shown - {None} == set(module.__all__) == set(module._MODULES)
    assert dir(module) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'Cozy'"):
        _ = module.Cozy


def test_errors_module_exports_every_exception():
    """cozekit.errors exports every exception of the generated client and of the overlay."""
    generated = {name for name, value in vars(coze_api.errors).items() if is_error(value)}
    assert generated <= set(errors.__all__)
    assert {name for name, value in vars(errors).items() if is_error(value)} == set(errors.__all__) - NO_ERRORS


def is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, errors.CozeError)


def test_docstring_shows_the_exception_tree():
    """The tree in the docstring of cozekit.errors matches the classes."""
    assert errors.__doc__ is not None
    shown: dict[str, str | None] = {}
    above: list[str] = []
    text = re.sub(r",\n +", ", ", errors.__doc__.split("\n\n", 1)[1])
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        names = re.findall(r"\w+", re.sub(r"\(.*?\)", "", line).partition(":")[0])
        for name in names:
            shown[name] = above[depth - 1] if depth else None
        above[depth:] = names[-1:]
    classes = {name: getattr(errors, name) for name in errors.__all__ if name not in NO_ERRORS}
    assert shown == {name: parent_of(kind) for name, kind in classes.items()}
    assert issubclass(errors.InvalidArgumentError, ValueError)


def parent_of(kind: type) -> str | None:
    return None if kind is errors.CozeError else next(base.__name__ for base in kind.__bases__ if is_error(base))


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement imports in a new interpreter."""
    command = f"{statement}\nimport sys; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_import_loads_neither_httpx_nor_models():
    """Importing the package loads neither httpx nor attrs nor any model; the errors need no httpx either."""
    modules = loaded_by("import cozekit")
    assert "cozekit" in modules
    assert not {"httpx", "attrs", "attr", "asyncio"} & modules
    assert not [name for name in modules if name.startswith("coze_api.models")]
    assert "httpx" not in loaded_by("from cozekit import APIError, CozeError, RetryPolicy, COZE_CN")


def test_client_loads_models_on_use():
    """Creating a client loads no models; a resource loads its own."""
    modules = loaded_by("from cozekit import Coze; coze = Coze('pat_a')")
    assert not [name for name in modules if name.startswith("coze_api.models.")]
    modules = loaded_by("from cozekit import Coze; Coze('pat_a').users")
    assert "coze_api.models.users" in modules
    assert "coze_api.models.bots" not in modules


def test_client_loads_what_opens_websockets_on_use():
    """A client loads what opens WebSockets with the first of them, and compiles what masks secrets with the first text
    that may hold some.
    """
    modules = loaded_by("from cozekit import Coze; Coze('pat_a').chat")
    assert not {"websockets", "coze_api._core._handshake", "coze_api._core._messages"} & modules
    assert not [name for name in modules if name.startswith("cozekit._websockets")]
    compiled = "from coze_api._core._secrets import _patterns; print(_patterns.cache_info().currsize)"
    assert loaded_by(f"from cozekit import Coze; Coze('pat_a').chat; {compiled}") >= {"0"}


def public(kind: type) -> dict[str, Any]:
    """Return the public methods and properties of a class, without the helpers of generated methods."""
    seam = {"paginate", "request", "stream"} if issubclass(kind, BaseClient | AsyncBaseClient) else set()
    return {name: inspect.getattr_static(kind, name) for name in dir(kind) if name[0] != "_" and name not in seam}


PAIRS = [
    (Coze, AsyncCoze),
    (chat_resource.ChatResource, chat_resource_async.AsyncChatResource),
    (_files.Files, files_async.AsyncFiles),
    (stream.ChatStream, stream_async.AsyncChatStream),
    (run_stream.ChatRunStream, run_stream_async.AsyncChatRunStream),
    (run.WorkflowRun, run_async.AsyncWorkflowRun),
    (_workflow_result.WorkflowResult, result_async.AsyncWorkflowResult),
    (resource.WorkflowRuns, resource_async.AsyncWorkflowRuns),
    (copy_tasks.CopyTasks, copy_tasks_async.AsyncCopyTasks),
    (datasets.Datasets, datasets_async.AsyncDatasets),
    (datasets.DatasetsDocuments, datasets_async.AsyncDatasetsDocuments),
    (resource.Workflows, resource_async.AsyncWorkflows),
    (resource.WorkflowsChat, resource_async.AsyncWorkflowsChat),
]


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS, ids=lambda kind: kind.__name__)
def test_sync_and_async_classes_have_the_same_interface(sync, asynchronous):
    """Sync and async classes have the same public names, and the same parameters with the same defaults."""
    ours, theirs = public(sync), public(asynchronous)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        if inspect.isfunction(value):
            assert parameters(value) == parameters(theirs[name]), name
        else:
            assert type(value) is type(theirs[name]), name
    assert parameters(sync.__init__) == parameters(asynchronous.__init__)


def parameters(function: Any) -> list[tuple[str, Any, str, str]]:
    """Return names, kinds, defaults and types of parameters, with the types of async clients mapped to the sync ones."""
    return [
        (parameter.name, parameter.kind, repr(parameter.default), str(parameter.annotation).replace("Async", ""))
        for parameter in inspect.signature(function).parameters.values()
    ]


@pytest.mark.parametrize(("client", "base"), [(Coze, Client), (AsyncCoze, AsyncClient)])
def test_overlay_has_every_generated_resource_and_operation(client, base):
    """The clients have every resource of the generated ones, and their resources every operation."""
    assert set(public(base)) <= set(public(client))
    coze = client("pat_a")
    for name in ("chat", "datasets", "files", "workflows"):
        generated = type(getattr(base("https://a.b", "pat_a"), name))
        assert isinstance(getattr(coze, name), generated)
        assert set(public(generated)) <= set(public(type(getattr(coze, name))))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_overlay_contains_no_api_path(path):
    """No string in the overlay is a path of the API: paths come from generated code only."""
    known = {operation.path for operation in OPERATIONS} | {operation.path.split("{")[0] for operation in OPERATIONS}
    assert len(known) > 20
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not any(api_path in node.value for api_path in known), (node.lineno, node.value)
            assert not re.search(r"(?<![\w.])/(v\d+|api)/", node.value), (node.lineno, node.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_overlay_contains_no_state_value(path):
    """No string in the overlay is a value of the state enums of chats: the code uses their members."""
    from coze_api import models

    values = {str(member) for enum in (models.ChatStatus, models.MessageType) for member in enum if member}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value not in values, (node.lineno, node.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_are_small(path):
    """A file of the overlay has one subject and at most some 600 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


def test_modules_have_docstring_and_valid_all():
    """Every module of the overlay has a docstring and a valid `__all__`."""
    for path in SOURCES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(["cozekit", *(part for part in parts if part != "__init__")])
        module = __import__(name, fromlist=["*"])
        assert isinstance(module, ModuleType)
        assert module.__doc__
        assert all(hasattr(module, public_name) for public_name in module.__all__)
