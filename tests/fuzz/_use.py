"""What callers do with results and exceptions. Any exception from it except a `CozeError` is a finding."""

from __future__ import annotations

import copy
import inspect
import pickle
import tempfile
import traceback
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from cozekit.errors import CozeError
from tests.fuzz._cases import Case

__all__ = ["Leaked", "Secrets", "each", "end_by", "look", "settled", "use", "use_error"]

_NODES = 60
_ITEMS = 30

# What the docstrings document beside `CozeError`, by attribute.
_DOCUMENTED: dict[str, tuple[type[Exception], ...]] = {
    "datetime": (OverflowError,),  # beyond the year 9999
    "output_json": (ValueError,),  # no JSON
}
_OF_ANSWERS = {"response", "logid"}  # parts of responses raise AttributeError
_NOT_LOOKED_AT = {"http", "answer", "with_traceback", "add_note", "characters_written"}
_PLAIN = (str, bytes, int, float, bool, type(None))


class Leaked(AssertionError):
    """A secret is visible."""


class Secrets:
    """Texts that must not be visible.

    Args:
        always: Never visible.
        answered: Tokens in responses, not visible in any exception.
    """

    def __init__(self, always: Iterable[str], answered: Iterable[str] = ()) -> None:
        self._always = [text.encode() for text in always]
        self._answered = [text.encode() for text in answered]

    def refuse(self, what: str, shown: str | bytes, *, answered: bool) -> None:
        """Search for secrets.

        Raises:
            Leaked: There is one.
        """
        content = shown.encode("utf-8", "surrogatepass") if isinstance(shown, str) else shown
        for secret in self._always + (self._answered if answered else []):
            # A prefix of a secret counts as the secret.
            if secret[:16] in content:
                raise Leaked(f"{what} shows {secret[:6].decode()}…")


def _names(value: object) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_") and name not in _NOT_LOOKED_AT]


def _is_ours(value: object) -> bool:
    return type(value).__module__.partition(".")[0] in {"coze_api", "cozekit"}


async def use(result: Any, secrets: Secrets) -> None:
    """Use a result as callers do."""
    if inspect.isawaitable(result):  # a pager, which is also iterated
        if hasattr(result, "__aiter__"):
            await _iterate(result)
        result = await result
    if hasattr(result, "save") and hasattr(result, "content_type"):
        await _download(result, secrets)
        return
    if hasattr(result, "__enter__") or hasattr(result, "__aenter__"):  # a stream
        try:
            await each(result, 1000)
        finally:
            await settled(result.close())
        look(result, secrets)
        return
    _show(result, secrets)
    look(result, secrets)
    if hasattr(result, "next_page"):
        await _turn_pages(result, secrets)
    elif hasattr(result, "node_output"):  # requests more by its client, as pages do, so it is not pickled
        repr(copy.copy(result))
    elif _is_ours(result) or isinstance(result, list):
        _copy(result)


def _show(value: Any, secrets: Secrets) -> None:
    for show in (repr, str):
        secrets.refuse(f"{show.__name__} of {type(value).__name__}", show(value), answered=False)


def _copy(value: Any) -> None:
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        if type(other) is not type(value):
            raise AssertionError(f"a copy of {type(value).__name__} is {type(other).__name__}")
        _ = other == value
        repr(other)
    _ = value == value, value != value, value == 1  # runs __eq__
    if hasattr(value, "to_dict"):
        value.to_dict()
        if hasattr(type(value), "from_dict"):
            repr(type(value).from_dict(value.to_dict()))


def look(root: Any, secrets: Secrets) -> None:
    """Read all public properties of a result and of its parts."""
    waiting, seen = [root], 0
    while waiting and seen < _NODES:
        value = waiting.pop()
        seen += 1
        if isinstance(value, list | tuple):
            waiting += islice(value, 5)
        elif isinstance(value, dict):
            waiting += islice(value.values(), 10)
        if not _is_ours(value):
            continue
        for name in _names(value):
            try:
                member = getattr(value, name)
                if name == "output_json" or name == "to_dict":
                    member()
            except CozeError:
                continue
            except _DOCUMENTED.get(name, ()):
                continue
            except AttributeError:
                if name in _OF_ANSWERS and value is not root:
                    continue
                raise
            except RuntimeError as error:
                if name in _OF_ANSWERS and "not open" in str(error):  # documented for streams
                    continue
                raise
            if not callable(member) and (type(member) not in _PLAIN or _is_ours(member)):
                waiting.append(member)


async def each(iterable: Any, limit: int = _ITEMS) -> list[Any]:
    """Iterate over some items, and close the iterator."""
    taken: list[Any] = []
    if hasattr(iterable, "__aiter__"):
        steps = iterable.__aiter__()
        try:
            async for item in steps:
                taken.append(item)
                if len(taken) >= limit:
                    break
        finally:
            if hasattr(steps, "aclose"):
                await steps.aclose()
        return taken
    for item in iterable:
        taken.append(item)
        if len(taken) >= limit:
            break
    return taken


async def settled(value: Any) -> Any:
    """Await a value if it can be awaited."""
    return await value if inspect.isawaitable(value) else value


async def _iterate(iterable: Any) -> None:
    with suppress(CozeError):
        await each(iterable)


async def _turn_pages(page: Any, secrets: Secrets) -> None:
    len(page)
    await _iterate(page)
    following = await settled(page.next_page())
    if following is not None:
        _show(following, secrets)
        await settled(following.next_page())
    for page_item in await each(page.pages(), 3):
        _show(page_item, secrets)


async def _download(file: Any, secrets: Secrets) -> None:
    _show(file, secrets)
    _ = file.content_type, file.logid
    with tempfile.TemporaryDirectory() as folder:
        way = len(file.logid) % 3
        try:
            if way == 0:
                await settled(file.read())
            elif way == 1:
                await each(file, 1000)
            else:
                await settled(file.save(Path(folder) / "file"))
        finally:
            await settled(file.close())


def end_by(error: CozeError, case: Case, secrets: Secrets, *, variables: bool) -> None:
    """Record that a case ended with an exception, and use the exception.

    Args:
        error: The exception.
        case: The case.
        secrets: What must not be visible.
        variables: Whether to read the variables of its traceback as well, which takes long.
    """
    case.outcome = type(error).__name__
    case.step = "use of the exception"
    use_error(error, secrets)
    if variables:
        case.step = "variables of the traceback"
        show_locals(error, secrets)


def use_error(error: BaseException, secrets: Secrets) -> None:
    """Use an exception as callers, loggers and process pools do."""
    for what, text in (("str", str(error)), ("repr", repr(error)), ("args", repr(error.args))):
        secrets.refuse(f"{what} of {type(error).__name__}", text, answered=True)
    text = "".join(traceback.format_exception(error))
    secrets.refuse(f"traceback of {type(error).__name__}", text, answered=True)
    look(error, secrets)
    for name, member in vars(error).items():
        if name not in {"http", "response", "stream", "run", "chat", "event"}:
            secrets.refuse(f"{type(error).__name__}.{name}", repr(member), answered=True)
    pickled = pickle.dumps(error)
    secrets.refuse(f"pickle of {type(error).__name__}", pickled, answered=True)
    again = pickle.loads(pickled)
    if type(again) is not type(error) or str(again) != str(error):
        raise AssertionError(f"{type(error).__name__} is another one after pickling: {again!r:.100}")
    copy.copy(error)
    repr(again)


def show_locals(error: BaseException, secrets: Secrets) -> None:
    """Read variables of the frames below the caller's, as error trackers do."""
    chain: BaseException | None = error
    while chain is not None:
        for frame, _ in traceback.walk_tb(chain.__traceback__):
            if "/tests/fuzz/" in frame.f_code.co_filename:
                continue
            for name, value in frame.f_locals.items():
                try:
                    shown = repr(value)
                except Exception:  # partly constructed objects have no repr
                    continue
                where = f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}:{name}"
                secrets.refuse(f"variable {where} below {type(error).__name__}", shown, answered=False)
        chain = chain.__cause__ or chain.__context__
