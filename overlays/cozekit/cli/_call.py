"""`cozekit call` and `cozekit operations`."""

from __future__ import annotations

import difflib
import json
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from coze_api import operations
from coze_api._core._argument_types import EnumOf, FileValue, Text
from coze_api._core._download import Binary
from coze_api._core._model import Model, encode
from coze_api._core._operation import Argument, Operation
from coze_api._core._pagination import Page

from .. import Coze
from .._config import resolve_token
from .._profiles import current_profile
from ._console import CLIError, Terminal

__all__ = ["call", "list_operations"]

_USAGE_ERROR = 2


def call(
    terminal: Terminal,
    name: str,
    pairs: Sequence[str],
    *,
    profile: str | None,
    base_url: str | None,
    all_pages: bool,
    output: Path | None,
) -> None:
    """Call an operation, and print its result as JSON.

    Args:
        terminal: Where to write.
        name: Operation id.
        pairs: Arguments, each `name=value`.
        profile: The profile to use, if one was named.
        base_url: The service, if one was named.
        all_pages: Whether to load all pages of a list.
        output: File to write the result to, if it is a file.

    Raises:
        CLIError: The operation or an argument is unknown, or the result is of another kind.
        CozeError: The call failed.
    """
    operation = _find(name)
    arguments = dict(_argument(operation, pair) for pair in pairs)
    missing = [
        argument_name
        for argument_name, argument in operation.arguments.items()
        if argument.value.required and argument_name not in arguments
    ]
    if missing:
        raise CLIError(f"{name} needs {', '.join(missing)}", _USAGE_ERROR)
    with _client(profile, base_url) as coze:
        method: Any = coze
        for part in name.split("."):
            method = getattr(method, part)
        result = method(**arguments)
        if isinstance(result, Binary):
            _save(terminal, name, result, output)
        elif isinstance(result, Page):
            terminal.data([encode(item) for item in (result if all_pages else result.items)])
            if result.has_more and not all_pages:
                terminal.note("There are more items: --all loads all pages.")
        elif result is None or isinstance(result, Model | list | dict | str | int | float):
            terminal.data(encode(result))
        else:  # not open yet, so nothing was sent
            raise CLIError(f"{name} returns a stream, which this command cannot print", _USAGE_ERROR)


def list_operations(word: str) -> Iterator[str]:
    """Yield the operations with a word in their id, each with its arguments; optional ones in brackets."""
    for operation in _all_operations():
        if word in operation.id:
            wanted = [name for name, argument in operation.arguments.items() if argument.value.required]
            free = [f"[{name}]" for name, argument in operation.arguments.items() if not argument.value.required]
            yield " ".join([operation.id, *wanted, *free])


def _client(profile: str | None, base_url: str | None) -> Coze:
    current = current_profile(profile) if profile or not resolve_token(None) else None
    if current is None:
        return Coze(base_url=base_url)
    saved_profile, profiles = current
    if base_url not in {None, saved_profile.base_url}:
        raise CLIError(
            f"the profile {saved_profile.name!r} is for {saved_profile.base_url}, not for {base_url}", _USAGE_ERROR
        )
    return Coze(base_url=saved_profile.base_url, **saved_profile.credentials(profiles.store))


def _all_operations() -> list[Operation[Any]]:
    result = []
    for module in pkgutil.iter_modules(operations.__path__):
        members = vars(import_module(f"{operations.__name__}.{module.name}")).values()
        result += [operation for operation in members if isinstance(operation, Operation)]
    return sorted(result, key=lambda operation: operation.id)


def _find(name: str) -> Operation[Any]:
    known = {operation.id: operation for operation in _all_operations()}
    if name not in known:
        near = ", ".join(difflib.get_close_matches(name, known, n=3)) or "`cozekit operations` lists all"
        raise CLIError(f"there is no operation {name!r}; {near}", _USAGE_ERROR)
    return known[name]


def _argument(operation: Operation[Any], pair: str) -> tuple[str, Any]:
    name, separator, text = pair.partition("=")
    if not separator:
        raise CLIError(f"{pair!r} is not an argument: write name=value", _USAGE_ERROR)
    argument = operation.arguments.get(name)
    if argument is None:
        known = ", ".join(operation.arguments) or "none"
        raise CLIError(f"{operation.id} has no argument {name!r}; it has: {known}", _USAGE_ERROR)
    try:
        return name, _value(argument, text)
    except OSError as error:
        raise CLIError(f"{name}: {text.removeprefix('@')} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CLIError(f"{name}: {text.removeprefix('@')} is not encoded in {error.encoding}") from None


def _value(argument: Argument, text: str) -> Any:
    """Read a value: as it stands where a text is wanted, else as JSON. `@` and a path name a file; `@-` is a pipe."""
    kind = argument.value
    if isinstance(kind, FileValue):
        path = Path(text.removeprefix("@"))
        return path.name, path.read_bytes()
    if text == "@-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    if isinstance(kind, Text):
        return text
    if isinstance(kind, EnumOf) and any(member.value == text for member in kind.enum):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text  # the error of the client names the expected type


def _save(terminal: Terminal, name: str, result: Binary, output: Path | None) -> None:
    if output is None:
        result.close()
        raise CLIError(f"{name} returns a file: pass --output", _USAGE_ERROR)
    size = result.save(output)
    terminal.note(f"{size} bytes of {result.content_type or 'unknown type'} written to {output}.")
