"""Deprecated operations and old names: what the generated client does, and what type checkers show."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import re
import subprocess
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from generator.docs._operations import operations_page
from generator.docs._reference_spec import readable
from tests.generator._small import Small

BASE = "https://api.example.com"
DELETE = "`things.delete` is deprecated; use `coze.things.retrieve` instead"
GET = "`things.get` is deprecated; use `coze.things.retrieve` instead"
TITLE = "`things.create`: `title` is deprecated; use `name` instead"
MASS = "`things.create`: `mass` is deprecated; use `weight` instead"
NAME = "deprecating_api"
Requests = list[httpx.Request]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Return a description with a deprecated operation, a renamed one, and renamed arguments of each kind."""
    small = Small(tmp_path_factory.mktemp("deprecating"))
    small.replace("things/delete.yaml", "deprecated: true\n", "deprecated: true\nx-coze-replaced-by: things.retrieve\n")
    small.replace("things/retrieve.yaml", "tags: [things]\n", "tags: [things]\nx-coze-formerly: things.get\n")
    small.replace("things/schemas.yaml", "minLength: 1, ex", "minLength: 1, x-coze-formerly: title, ex")
    small.replace("things/schemas.yaml", "exclusiveMinimum: 0, ex", "exclusiveMinimum: 0, x-coze-formerly: mass, ex")
    deprecated = "Its color., deprecated: true,\n      default: blue, x-coze-replaced-by: weight"
    small.replace("things/schemas.yaml", "Its color., default: blue", deprecated)
    small.replace(
        "things/list.yaml", "{name: size, in: query, d", "{name: size, in: query,\n     x-coze-formerly: count, d"
    )
    assert (problems := small.problems()) == [], problems
    return small


@pytest.fixture(scope="module")
def package(small: Small) -> Iterator[Any]:
    """Generate the description, and import the package."""
    small.generate()
    folder = small.root / "generated"
    (folder / "coze_api").rename(folder / NAME)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(NAME)
    finally:
        sys.path.remove(str(folder))
        for module in [module for module in sys.modules if module.partition(".")[0] == NAME]:
            del sys.modules[module]


@pytest.fixture
def requests() -> Requests:
    """Return the requests that the clients of the test sent."""
    return []


@pytest.fixture
def transport(requests: Requests) -> httpx.MockTransport:
    """Respond to every request with a thing, or with a page that has none."""

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"code": 0, "data": {"id": "1", "items": [], "has_more": False}})

    return httpx.MockTransport(handle)


@pytest.fixture
def client(package: Any, transport: httpx.MockTransport) -> Any:
    """Return a client of the package."""
    return package.Client(BASE, "pat_x", http_client=httpx.Client(transport=transport))


@pytest.fixture
def async_client(package: Any, transport: httpx.MockTransport) -> Any:
    """Return an async client of the package."""
    return package.AsyncClient(BASE, "pat_x", http_client=httpx.AsyncClient(transport=transport))


def invalid_argument(package: Any) -> type[Exception]:
    """Return the exception for arguments that are refused."""
    error: type[Exception] = importlib.import_module(f"{package.__name__}.errors").InvalidArgumentError
    return error


class Shown(list[warnings.WarningMessage]):
    """The warnings that Python shows while the block runs, each once for every line of code."""

    def __enter__(self) -> Self:
        self._catch = warnings.catch_warnings(record=True)
        self._caught: Any = self._catch.__enter__()
        warnings.simplefilter("default")
        return self

    def __exit__(self, *exception: object) -> None:
        self._catch.__exit__(*exception)
        self.extend(self._caught)

    def here(self, line: int) -> list[str]:
        """Return the texts, if all of them are deprecations in one line of this file."""
        assert [(one.category, one.filename, one.lineno) for one in self] == [
            (DeprecationWarning, __file__, line)
        ] * len(self)
        return [str(one.message) for one in self]


def line() -> int:
    """Return the number of the line that calls this."""
    return sys._getframe(1).f_lineno


CALLS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "deprecated operation": (lambda things: things.delete(thing_id="1"), DELETE),
    "old id": (lambda things: things.get(thing_id="1"), GET),
    "old name of a required argument": (lambda things: things.create(title="lamp"), TITLE),
    "old name of an optional argument": (lambda things: things.create(name="lamp", mass=1.5), MASS),
    "old name of a parameter": (
        lambda things: things.list(count=5), "`things.list`: `count` is deprecated; use `size` instead"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_call_warns_once_at_the_line_of_the_caller(client: Any, requests: Requests, case: str) -> None:
    """A line that uses what is deprecated shows one warning however often it runs, and each time sends the request."""
    call, text = CALLS[case]
    with Shown() as shown:
        for _ in range(3):
            call(client.things)
    assert shown.here(call.__code__.co_firstlineno) == [text]
    assert len(requests) == 3


@pytest.mark.parametrize("case", CALLS)
def test_async_call_warns_once_at_the_line_of_the_caller(async_client: Any, requests: Requests, case: str) -> None:
    """An async call warns where it is written, also if a task awaits it."""
    call, text = CALLS[case]

    async def run() -> None:
        await call(async_client.things)
        await asyncio.gather(*(asyncio.ensure_future(call(async_client.things)) for _ in range(2)))

    with Shown() as shown:
        asyncio.run(run())
    assert shown.here(call.__code__.co_firstlineno) == [text]
    assert len(requests) == 3


def test_stream_accepts_old_names(client: Any) -> None:
    """Both methods of an operation that can stream accept the old names of its arguments."""
    with Shown() as shown:
        client.things.stream(title="lamp"); here = line()  # noqa: E702  (the call's line)  # fmt: skip
    assert shown.here(here) == [TITLE.replace("create", "stream")]


def test_what_is_not_deprecated_does_not_warn(client: Any) -> None:
    """New names and other operations show nothing."""
    with Shown() as shown:
        client.things.retrieve(thing_id="1")
        client.things.create(name="lamp", weight=1.5)
        client.things.list(size=5)
    assert shown == []


def test_old_name_is_sent_as_the_new_one(client: Any, requests: Requests) -> None:
    """The request is that of the new name: Coze does not know the old one."""
    with Shown():
        client.things.create(title="lamp", mass=1.5)
        client.things.list(count=5)
    assert requests[0].content == b'{"name":"lamp","weight":1.5,"stream":false}'
    assert requests[1].url.params["size"] == "5"
    assert "count" not in requests[1].url.params


@pytest.mark.parametrize("new", ["lamp", None])
def test_argument_given_by_both_names_is_refused(
    package: Any, client: Any, async_client: Any, requests: Requests, new: str | None
) -> None:
    """The error names operation and argument; nothing is sent."""
    message = "^things.create: title is the old name of name: give name alone$"
    with pytest.raises(invalid_argument(package), match=message):
        client.things.create(name=new, title="lamp")

    async def call() -> None:
        await async_client.things.create(name=new, title="lamp")

    with pytest.raises(invalid_argument(package), match=message):
        asyncio.run(call())
    assert requests == []


@pytest.mark.parametrize("arguments", [{"name": ""}, {"title": ""}, {"name": "lamp", "title": "lamp"}])
def test_wrappers_show_no_arguments_in_tracebacks(package: Any, client: Any, arguments: dict[str, str]) -> None:
    """A traceback with local variables shows nothing of the headers, whichever name was used."""
    with Shown(), pytest.raises(invalid_argument(package)) as caught:
        client.things.create(**arguments, extra_headers={"x-secret": "hunter2"})
    frames = [frame for frame, _ in traceback.walk_tb(caught.tb) if frame.f_code.co_filename != __file__]
    assert any(frame.f_code.co_filename.endswith("_deprecation.py") for frame in frames)
    assert all("hunter2" not in repr(frame.f_locals) for frame in frames)


def helper(client: Any, code: str) -> Callable[[], Any]:
    """Return a function of the package `cozekit` that calls the client."""
    namespace = {"__name__": "cozekit._resources.things", "client": client}
    exec(f"def helper():\n    return {code}", namespace)
    made: Callable[[], Any] = namespace["helper"]  # type: ignore[assignment]  # what the code defines
    return made


def test_methods_of_the_overlay_do_not_warn_of_what_they_call(client: Any) -> None:
    """A caller of a method that uses a deprecated operation inside cannot do anything about it."""
    with Shown() as shown:
        helper(client, "client.things.delete(thing_id='1')")()
    assert shown == []


def test_old_name_that_passes_through_the_overlay_warns_its_caller(package: Any, client: Any) -> None:
    """A method that passes arguments on points at the line that gave the old name."""
    passing = helper(client, "client.things.create(title='lamp')")
    with Shown() as shown:
        passing(); here = line()  # noqa: E702  (the call's line)  # fmt: skip
    assert shown.here(here) == [TITLE]

    by_new_names = importlib.import_module(f"{NAME}._core._deprecation").by_new_names
    create = package.resources.things.ThingsAPI.create
    with Shown() as shown:
        renamed = by_new_names(create, {"title": "lamp"}); here = line()  # noqa: E702  # fmt: skip
    assert (renamed, shown.here(here)) == ({"name": "lamp"}, [TITLE])


def test_mark_is_as_pep_702_defines(package: Any) -> None:
    """Tools find the text as `__deprecated__`, and name, docstring and signature as they were."""
    for things in (package.resources.things.ThingsAPI, package.resources.things.AsyncThingsAPI):
        assert (things.delete.__deprecated__, things.get.__deprecated__) == (DELETE, GET)
        assert things.delete.__name__ == "delete"
        assert inspect.getdoc(things.delete).startswith(
            "Delete a thing.\n\nDeprecated: use `things.retrieve` instead. "
        )
        assert inspect.getdoc(things.get).startswith("Retrieve a thing.\n\nDeprecated: use `things.retrieve` instead. ")
        assert not hasattr(things.retrieve, "__deprecated__")
        assert "color: Deprecated: use `weight` instead. Its color." in things.create.__doc__


def test_old_id_keeps_constant_and_parameters(package: Any) -> None:
    """The data of the operation and the class of its arguments exist by the old id too."""
    operations = importlib.import_module(f"{NAME}.operations.things")
    params = importlib.import_module(f"{NAME}.params.things")
    assert (operations.GET.path, operations.GET.method) == (operations.RETRIEVE.path, operations.RETRIEVE.method)
    assert params.GetParams.__annotations__ == params.RetrieveParams.__annotations__


def deprecated(small: Small) -> dict[str, str | None]:
    """Return the ids of the deprecated methods, with what replaces each."""
    return {operation.id: operation.replaced_by for operation in small.api().operations if operation.deprecated}


def test_old_id_of_a_resource_keeps_both_methods_of_an_operation_that_can_stream(tmp_path: Path) -> None:
    """Where the resource was renamed, the streaming method keeps working by the old resource too."""
    small = Small(tmp_path)
    small.replace("things/create.yaml", "tags: [things]\n", "tags: [things]\nx-coze-formerly: items.make\n")
    assert deprecated(small) == {
        "items.make": "things.create",
        "items.stream": "things.stream",
        "things.delete": None,
    }


def test_streaming_method_is_replaced_by_a_streaming_one(tmp_path: Path) -> None:
    """Of an operation with two methods, each names the like one of the replacement, if there are two of it."""
    small = Small(tmp_path)
    tags = "tags: [things]\n"
    small.replace("things/create.yaml", tags, f"{tags}deprecated: true\nx-coze-replaced-by: things.retrieve\n")
    both = {"things.create": "things.retrieve", "things.delete": None}
    assert deprecated(small) == {**both, "things.stream": "things.retrieve"}
    stream = "x-coze-stream: {method: watch, protocol: {$ref: './events.yaml#/ThingStream'}}\n"
    small.replace("things/retrieve.yaml", tags, tags + stream)
    assert deprecated(small) == {**both, "things.stream": "things.watch"}


@pytest.mark.parametrize(
    ("file", "old", "name", "rule"),
    [
        ("things/retrieve.yaml", "tags: [things]\n", "get", "name"),
        ("things/retrieve.yaml", "tags: [things]\n", "things.parts", "name-clash"),
        ("things/schemas.yaml", "minLength: 1,", "weight", "name-clash"),
        ("things/schemas.yaml", "minLength: 1,", "Timeout", "name-clash"),
    ],
)
def test_old_name_that_cannot_be_kept_is_refused(tmp_path: Path, file: str, old: str, name: str, rule: str) -> None:
    """An old name that another thing of the client has, or that is no name of a method, stops the generator."""
    small = Small(tmp_path)
    small.replace(file, old, f"{old} x-coze-formerly: {name}," if "," in old else f"{old}x-coze-formerly: {name}\n")
    assert [problem.rule for problem in small.problems(linted=False)] == [rule]


def test_docs_name_the_replacement(small: Small) -> None:
    """The index and the reference name the operation or argument to use instead."""
    bundled = small.bundle()
    assert "Delete a thing. Deprecated: use `things.retrieve` instead. |" in operations_page(bundled)
    document = readable(bundled, {name: [] for name in bundled.operations()})
    deleted = document["paths"]["/v1/things/{thing_id}"]["delete"]["description"]
    assert deleted.startswith("Deprecated: use `things.retrieve` instead. Removes it.")
    color = document["components"]["schemas"]["ThingsCreateRequest"]["properties"]["color"]["description"]
    assert color == "Deprecated: use `weight` instead. Its color."


USER = f"""
    from {NAME} import AsyncClient, Client


    def run(client: Client) -> None:
        client.things.delete(thing_id="1")  #: {DELETE}
        client.things.get(thing_id="1")  #: {GET}
        client.things.create(title="lamp")  #: {TITLE}
        client.things.create(name="lamp", mass=1.5)  #: {MASS}
        client.things.create(name="lamp", weight=1.5)
        print(client.things.retrieve(thing_id="1").color, client.things.create(name="lamp").parts)


    async def run_async(client: AsyncClient) -> None:
        await client.things.delete(thing_id="1")  #: {DELETE}
        await client.things.get(thing_id="1")  #: {GET}
        await client.things.create(title="lamp")  #: {TITLE}
        await client.things.create(name="lamp", mass=1.5)  #: {MASS}
        await client.things.create(name="lamp", weight=1.5)
        print((await client.things.retrieve(thing_id="1")).color, (await client.things.create(name="lamp")).parts)
"""


@pytest.mark.usefixtures("package")
def test_mypy_shows_what_is_deprecated_at_the_call(small: Small, tmp_path: Path) -> None:
    """In a user's file, mypy reports each use of what is deprecated with its replacement, and nothing else."""
    text = textwrap.dedent(USER)
    file = tmp_path / "user.py"
    file.write_text(text, encoding="utf-8")
    command = [
        sys.executable, "-m", "mypy", "--strict", "--enable-error-code=deprecated", "--config-file=",
        f"--cache-dir={tmp_path / 'cache'}", "--no-error-summary", str(file),
    ]  # fmt: skip
    environment = {**os.environ, "MYPYPATH": str(small.root / "generated")}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    reported = re.findall(r"user\.py:(\d+): error: .*? is deprecated: (.*\S) +\[deprecated\]", result.stdout)
    lines = enumerate(text.splitlines(), start=1)
    expected = [(str(number), code.partition("#: ")[2]) for number, code in lines if "#: " in code]
    assert (reported, len(result.stdout.splitlines())) == (expected, len(expected)), result.stdout + result.stderr
