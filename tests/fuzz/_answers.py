"""Mutated responses of every operation, sync and async, through a transport of the caller's HTTP client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from string import ascii_letters, digits
from typing import Any

import httpx

from cozekit import AsyncCoze, Coze
from cozekit.errors import CozeError
from tests.fuzz._cases import Case, drive, on_loop
from tests.fuzz._description import Operation, example, operations
from tests.fuzz._replies import Reply, mutated, valid
from tests.fuzz._use import Secrets, end_by, settled, use
from tests.fuzz._values import Raw, dumps, hostile

__all__ = ["TOKEN", "Texts", "answers", "echo", "make_client", "method", "secrets_of"]

TOKEN = "pat_SECRETtokenOfTheFuzzer0123456789"
_MOST_REQUESTS = 60
_SLOW_OPERATIONS = 20  # share of the cases, in percent, that poll

# Methods that poll what an operation started, and so call other operations.
_WAITING = (
    ("chat.create", "chat.create_and_poll", {}),
    ("chat.create", "chat.run", {"tools": "tools"}),
    ("workflows.runs.create", "workflows.runs.create_and_poll", {"is_async": True}),
    ("datasets.documents.create", "datasets.documents.create_and_poll", {}),
    ("copy_tasks.create", "copy_tasks.create_and_poll", {}),
)


@dataclass(frozen=True)
class Texts:
    """The secrets of one case.

    Attributes:
        token: The client's own token.
        access: Access token in responses.
        refresh: Refresh token in responses.
        app: Secret of an app.
    """

    token: str
    access: str
    refresh: str
    app: str

    @classmethod
    def of(cls, case: Case) -> Texts:
        """Create secrets in one of the existing formats: with known prefixes, bare, JWTs, hexadecimal."""
        rng = Random(f"{case.kind}/{case.seed}/{case.number}/secrets")
        form = rng.randrange(4)

        def text(beginning: str) -> str:
            bare = "".join(rng.choices(ascii_letters + digits, k=44))
            if form == 0:
                return beginning + bare
            if form == 1:
                return bare
            if form == 2:
                return f"eyJhbGciOiJSUzI1NiJ9.{bare}.{bare[::-1]}-_x"
            return rng.randbytes(32).hex()

        return cls(text("pat_"), text("czu_"), text("rft_"), text("app_"))

    @property
    def answered(self) -> tuple[str, str]:
        """Return the secrets in token responses."""
        return self.access, self.refresh


def echo(request: httpx.Request, rng: Random) -> Reply:
    """Create an error response that repeats the request, as debug pages of gateways and some services do."""
    sent = request.headers.get("authorization", "")
    body = request.content[:2000].decode("utf-8", "replace")
    status = rng.choice((400, 401, 403, 500, 502, 200))
    way = rng.randrange(4)
    if way == 0:
        kind, text = b"application/json", dumps({"code": 4100, "msg": f"the token {sent.rpartition(' ')[2]} is wrong"})
    elif way == 1:
        kind, text = b"text/html", f"<html><pre>authorization: {sent}\n\n{body}</pre></html>"
    elif way == 2:
        kind, text = (
            b"application/json",
            dumps({"code": 4100, "msg": sent, "detail": {"logid": "2024121015", "sent": body}}),
        )
    else:
        kind, text = b"text/plain", f"{request.method} {request.url}\nAuthorization: {sent}"
    return Reply(
        status, [(b"content-type", kind)], [text.encode("utf-8", "replace")], done=[f"{status} repeats the request"]
    )


def secrets_of(texts: Texts | None = None, called: Operation | None = None) -> Secrets:
    """Return what must not be shown where *one* is called."""
    if texts is None:
        return Secrets((TOKEN,))
    return Secrets((texts.token, texts.app), texts.answered if called is None or called.gives_tokens else ())


def make_client(
    handler: Callable[[httpx.Request], httpx.Response],
    *,
    wait: bool,
    follow: bool = False,
    **options: Any,
) -> Coze | AsyncCoze:
    """Create a client whose responses come from *handler*."""
    transport = httpx.MockTransport(handler)
    options = {"token": TOKEN, "base_url": "https://api.coze.com", **options}
    if wait:
        return AsyncCoze(http_client=httpx.AsyncClient(transport=transport, follow_redirects=follow), **options)
    return Coze(http_client=httpx.Client(transport=transport, follow_redirects=follow), **options)


def method(client: Coze | AsyncCoze, name: str) -> Callable[..., Any]:
    """Return the method of an operation."""
    target: Any = client
    for part in name.split("."):
        target = getattr(target, part)
    return target  # type: ignore[no-any-return]


class Service:
    """Responds to requests: to those of one operation as decided, to all others with valid or mutated responses."""

    def __init__(self, called: Operation, rng: Random, done: list[str], texts: Texts) -> None:
        self._one = called
        self._rng = rng
        self._done = done
        self._first: Reply | None = None
        self._same = rng.random() < 0.5
        self._requests = 0
        self._texts = texts
        self._echoes = rng.random() < 0.02

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request.

        Raises:
            httpx.HTTPError: There is no response.
        """
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise httpx.ConnectError("enough")
        requested = self._operation_of(request)
        if requested is self._one and self._first is not None and self._same:
            return self._first.response()
        if requested is None or (requested is not self._one and self._rng.random() < 0.5):
            return self.answer_well(requested or self._one)
        reply = echo(request, self._rng) if self._echoes else mutated(requested, self._rng, self._texts.answered)
        if requested is self._one:
            self._first = self._first or reply
            self._done += reply.done
        else:
            self._done.append(f"{requested.id}: {'; '.join(reply.done)}")
        return reply.response()

    def answer_well(self, called: Operation) -> httpx.Response:
        """Send a valid response."""
        tree, media = valid(called, self._rng, self._texts.answered)
        if isinstance(tree, bytes):
            return httpx.Response(200, content=tree, headers={"content-type": media.decode()})
        return httpx.Response(200, json=tree)

    def _operation_of(self, request: httpx.Request) -> Operation | None:
        path = request.url.path
        if request.method == self._one.verb and self._one.path.fullmatch(path):
            return self._one
        for candidate in operations():
            if candidate.verb == request.method and candidate.path.fullmatch(path):
                return candidate
        return None


def get_weather(city: str = "", days: int = 1) -> dict[str, Any]:
    """Return the weather."""
    return {"city": city, "days": days}


def _spoiled(arguments: dict[str, Any], rng: Random, done: list[str]) -> dict[str, Any]:
    name = rng.choice(sorted(arguments))
    name_of_value, value = hostile(rng)
    arguments = {**arguments, name: value.text if isinstance(value, Raw) else value}
    done.append(f"argument {name} = {name_of_value}")
    return arguments


def answers(case: Case) -> None:
    """Call an operation whose response is mutated, and use the outcome as callers do."""
    rng, texts = case.rng(), Texts.of(case)
    every = operations()
    called = every[case.number % len(every)]
    name, arguments = called.id, dict(called.arguments)
    if rng.random() < 0.3:
        for first, waiting, added in _WAITING:
            if first == called.id and rng.random() < 0.5:
                name, arguments = waiting, {**arguments, **added}
    if arguments.get("tools"):
        arguments["tools"] = [get_weather]
        arguments.pop("auto_save_history", None)
    if called.gives_tokens and rng.random() < 0.5:
        arguments["extra_headers"] = {"Authorization": f"Bearer {texts.app}"}
    case.operation = name
    if arguments and rng.random() < 0.08:
        arguments = _spoiled(arguments, rng, case.done)
    wait = rng.random() < 0.5
    options: dict[str, Any] = {} if rng.random() < 0.15 else {"retry": 0}
    if rng.random() < 0.03:
        options["deadline"] = 30
    service = Service(called, rng, case.done, texts)
    client = make_client(service, wait=wait, follow=rng.random() < 0.1, token=texts.token, **options)
    case.done.append(f"[{'async' if wait else 'sync'}, {options or 'retries'}]")
    coroutine = _call(case, client, name, arguments, secrets_of(texts, called), rng.random() < 0.05)
    on_loop(coroutine) if wait else drive(coroutine)


async def _call(
    case: Case, client: Coze | AsyncCoze, name: str, arguments: dict[str, Any], secrets: Secrets, with_locals: bool
) -> None:
    try:
        try:
            result = method(client, name)(**arguments)
            if not hasattr(result, "__aiter__"):
                result = await settled(result)
            case.step = "use of the result"
            await use(result, secrets)
        except CozeError as error:
            end_by(error, case, secrets, variables=with_locals)
        except OSError as error:
            if not isinstance(arguments.get("file"), str):
                raise
            case.outcome = type(error).__name__  # documented: no file exists at the path
    finally:
        await settled(client.close())


def check_valid() -> list[str]:
    """Call every operation with valid arguments and responses, and return what is not a result: without mutation all must
    succeed.
    """
    failed = []
    for called in operations():
        for wait in (False, True):

            def answer(request: httpx.Request, called: Operation = called) -> httpx.Response:
                if called.redirects:
                    return httpx.Response(302, headers={"location": "https://example.com/"})
                tree, media = example(called), "application/json"
                if called.returns_file:
                    return httpx.Response(200, content=b"ID3", headers={"content-type": called.media_type})
                if called.protocol and called.media_type != media:
                    end = b'event: Done\ndata: {}\n\nevent: done\ndata: "[DONE]"\n\n'
                    return httpx.Response(200, content=end, headers={"content-type": "text/event-stream"})
                return httpx.Response(200, json=tree)

            case = Case("answers", 0, 0, called.id)
            client = make_client(answer, wait=wait, retry=0)
            coroutine = _call(case, client, called.id, dict(called.arguments), secrets_of(), False)
            try:
                on_loop(coroutine) if wait else drive(coroutine)
            except Exception as error:  # any exception is reported
                failed.append(f"{called.id}: {error!r}")
            if case.outcome:
                failed.append(f"{called.id}: {case.outcome}")
    return failed
