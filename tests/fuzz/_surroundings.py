"""Clients with unusual settings: environment variables, URLs, tokens, and file names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx

from cozekit import AsyncCoze, Coze
from cozekit.errors import CozeError
from tests.fuzz._answers import TOKEN, secrets_of
from tests.fuzz._cases import Case, drive, on_loop
from tests.fuzz._use import end_by, settled, use
from tests.fuzz._values import Raw, hostile

__all__ = ["surroundings"]

_PROXIES = (
    "", " ", "::", "http://", "http://[", "http://[::1", "https://proxy:99999", "http://proxy:port", "socks5://h:1", "socks4://h",
    "ftp://proxy", "proxy", "proxy:8080", "http://user:pa ss@proxy", "http://\udcff/", "http://" + "a" * 300, "javascript:x",
    "http://xn--a.example", "http://ex\u00e4mple", "//", "http://a b", "\x01", "http://user:%zz@h:1", "http://127.0.0.1:1/path?x",
)  # fmt: skip
_NO_PROXY = (
    "*",
    "",
    ",",
    "[",
    "::1",
    "[::1",
    "10.0.0.0/8",
    ".",
    "*.*",
    "http://",
    "http://[",
    "\udcff",
    "a" * 9000,
    "a:b",
    "%",
)
_FILES = ("missing", "garbage", "folder", "empty", "", "\udcff", "x" * 5000, "/dev/null", "name with no end\n")
_BASES = (
    "https://" + "a" * 64 + ".com", "https://" + "a." * 200 + "com", "https://ex\u00e4mple.com", "https://\u2488.com", "https://xn--a.com",
    "https://xn--", "https://host:0", "https://host:65536", "https://host:-1", "https://host:port", "https://host:", "https://", "https",
    "", " ", "https://[::1]", "https://[::1", "https://[v1.x]", "https://a b", "https://user:pass@host", "https://host/path?query",
    "https://host#x", "https://host\\x", "https://\udcff", "https://\x00", "https://ho\nst", "ftp://host", "//host", "host:443", "https:/host",
    "https:host", "HTTPS://API.COZE.COM/", "https://...", "https://.", "https://-", "https://1.2.3.4.5", "https://0x7f.1", "https://%zz",
    "https://host/%", "https://host/\u4e16", "https://\u4e16\u754c", "https://\u00df.de", "https://a\u200db", "https://" + "\u4e16" * 70,
    "https://localhost:" + "9" * 400, "https://host:\u0663", "https://host:1e3", "javascript:x", "data:,x", "https://host/" + "x" * 70_000,
    "http://api.coze.com", "http://127.0.0.1:1", "http://localhost:1", "https://\u200b", "https://a\u3002b", "https://\xad",
)  # fmt: skip
_TOKENS = (
    "", " ", "a b", "a\n", "\r\nx: y", "\x00", "\udcff", "\u4e16", "\xff", "x" * 100_000, "Bearer x", '"x"', "\u200bpat", "pat_x\t", b"pat", 1,
    None, lambda: "", lambda: None, lambda: 1, lambda: "\n", lambda: "\u4e16", list, lambda: {}["x"], lambda: "\udc80", ["x"], {},
)  # fmt: skip
_NAMES: tuple[Any, ...] = (
    b"\xff\xfe.png", b"a\xe9.png", b"a\n.png", b"a\r.png", b'a".png', b"a\\.png", b"%s{0}.png", "\u4e16.png".encode(), b"\x1b[31m.png",
    b" .png", b"x" * 250, b".png", b"-", "\U0001f600.png".encode(), b"\xed\xa0\x80.png", b"a;b=c.png", b"a\x7f.png", b"noextension",
)  # fmt: skip
_GIVEN_NAMES: tuple[Any, ...] = (
    "\udcff.png", "\ud800.png", "a\x00.png", "a\r\nx: y.png", "", " ", "/", "../x.png", "x" * 100_000, "a\".png", "\u202e.png", "C:\\a.png",
    None, 1, b"a.png", b"\xff.png", "a.p\udcffng", ".", "%", "\n",
)  # fmt: skip
_MEDIA = (None, "image/png", "", "\udcff", "a\r\nb: c", "x/\u4e16", 1, "x" * 9000, "/", b"image/png", "a\x00")
_HEADERS: tuple[Any, ...] = (
    {"": "x"}, {"a b": "x"}, {"a\n": "x"}, {"a": "x\r\ny: z"}, {"a": "\u4e16"}, {"\u4e16": "x"}, {"a": "\udcff"}, {"a": 1}, {1: "a"}, {"a": None},
    {"a": b"x"}, [("a", "b")], "a", {"a": ["x"]}, {"a": "\x00"}, {"host": "x y"}, {"content-length": "x"}, {"authorization": TOKEN + "\n"},
    {"transfer-encoding": "x"}, {"a": " x "}, {"a" * 70_000: "x"},
)  # fmt: skip
_TIMEOUTS: tuple[Any, ...] = (
    0, -1, float("nan"), float("inf"), 1e308, "5", (1, 2), (1, 2, 3, 4), (1, 2, 3, "x"), (), [], {}, True, 10**400, 1j, object, (None,) * 4,
)  # fmt: skip


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    names = {
        name for name in os.environ if name.upper().startswith(("COZE", "SSL_CERT")) or name.upper().endswith("_PROXY")
    }
    old = {name: os.environ.pop(name) for name in names}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name in changes:
            os.environ.pop(name, None)
        os.environ.update(old)


def _variables(rng: Random, folder: Path) -> dict[str, str]:
    variables: dict[str, str] = {"COZE_CONFIG_DIR": str(folder), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    for _ in range(rng.choice((0, 1, 1, 2))):
        way = rng.randrange(4)
        if way == 0:
            name = rng.choice(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"))
            variables[name] = rng.choice(_PROXIES)
        elif way == 1:
            variables[rng.choice(("NO_PROXY", "no_proxy"))] = rng.choice(_NO_PROXY)
        elif way == 2:
            what = rng.choice(_FILES)
            variables[rng.choice(("SSL_CERT_FILE", "SSL_CERT_DIR"))] = _file(what, folder)
        else:
            values = [*_BASES, *(token for token in _TOKENS if isinstance(token, str)), *_FILES]
            name = rng.choice(("COZE_API_TOKEN", "COZE_API_BASE", "COZE_PROFILE", "COZE_CONFIG_DIR", "COZE_CACHE_DIR"))
            variables[name] = rng.choice(values)
    return {
        name: value for name, value in variables.items() if "\x00" not in value
    }  # no environment variable can contain it


def _file(what: str, folder: Path) -> str:
    path = folder / what if len(what) < 100 and what and not what.startswith("/") else None
    if path is None:
        return what
    if what == "garbage":
        path.write_bytes(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n\xff")
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "folder":
        path.mkdir(exist_ok=True)
    return str(path)


def _options(rng: Random) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for _ in range(rng.choice((0, 1, 1, 2))):
        name = rng.choice(
            (
                "base_url",
                "base_url",
                "base_url",
                "token",
                "token",
                "headers",
                "timeout",
                "retry",
                "deadline",
                "max_event_bytes",
                "on_gap",
            )
        )
        name_of_value, value = hostile(rng, rare=0)
        choices: dict[str, tuple[Any, ...]] = {"base_url": _BASES, "token": _TOKENS, "headers": _HEADERS}
        options[name] = rng.choice(choices.get(name, _TIMEOUTS))
        if rng.random() < 0.1:
            options[name] = value.text if isinstance(value, Raw) else value
    return options


def surroundings(case: Case) -> None:
    """Create a client with unusual settings, and upload a file with an unusual name or make a call."""
    rng = case.rng()
    wait = rng.random() < 0.5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uploads = rng.random() < 0.5
        variables = {"HOME": name} if uploads else _variables(rng, folder)
        options = {} if uploads else _options(rng)
        shown = {key: value for key, value in variables.items() if not str(value).startswith(str(folder))}
        case.operation = "files.upload" if uploads else "making a client"
        case.done.append(f"[{'async' if wait else 'sync'}] {shown!r:.150} {options!r:.150}")
        with _environment(variables):
            coroutine = _make(case, rng, wait, options, folder, uploads)
            on_loop(coroutine) if wait else drive(coroutine)


def _answer(request: httpx.Request) -> httpx.Response:
    request.read()
    return httpx.Response(200, json={"code": 0, "msg": "", "data": {"id": "1"}})


async def _aanswer(request: httpx.Request) -> httpx.Response:
    await request.aread()
    return httpx.Response(200, json={"code": 0, "msg": "", "data": {"id": "1"}})


async def _make(case: Case, rng: Random, wait: bool, options: dict[str, Any], folder: Path, uploads: bool) -> None:
    secrets = secrets_of()
    if "token" not in options and rng.random() < 0.9:
        options["token"] = TOKEN
    mocked = uploads or rng.random() < 0.5
    http: Any = None
    if mocked:
        http = (
            httpx.AsyncClient(transport=httpx.MockTransport(_aanswer), trust_env=False)
            if wait
            else httpx.Client(transport=httpx.MockTransport(_answer), trust_env=False)
        )
        options["http_client"] = http
    try:
        client: Any = (AsyncCoze if wait else Coze)(**options)
        try:
            repr(client)
            case.step = "call"
            if uploads:
                await use(await settled(client.files.upload(_source(rng, folder, case))), secrets)
            elif mocked:
                await use(
                    await settled(
                        client.files.retrieve(file_id=rng.choice(("1", "\udcff", "a/b", "..", "\u4e16", "\n")))
                    ),
                    secrets,
                )
                await use(await settled(client.with_options(timeout=rng.choice(_TIMEOUTS)).users.me()), secrets)
        finally:
            await settled(client.close())
    except CozeError as error:
        end_by(error, case, secrets, variables=True)
    except KeyError as error:
        if error.args != ("x",):
            raise
        case.outcome = "KeyError of the caller's own function"
    finally:
        if http is not None:
            await settled(http.aclose() if wait else http.close())


def _source(rng: Random, folder: Path, case: Case) -> Any:
    if rng.random() < 0.5:
        name = rng.choice(_NAMES)
        path = os.path.join(os.fsencode(folder), name)  # noqa: PTH118  # of bytes
        try:
            Path(os.fsdecode(path)).write_bytes(b"content")
        except OSError:
            path = os.fsencode(folder / "a.png")
            (folder / "a.png").write_bytes(b"content")
        case.done.append(f"file {name!r:.60}")
        return rng.choice((os.fsdecode(path), Path(os.fsdecode(path))))
    name, media = rng.choice(_GIVEN_NAMES), rng.choice(_MEDIA)
    case.done.append(f"name {name!r:.60}, type {media!r:.60}")
    return (name, b"content") if rng.random() < 0.5 else (name, b"content", media)
