"""Everything that an exception can reveal: printed, logged, pickled, or shown by tools that print local variables."""

from __future__ import annotations

import io
import pickle
import traceback
from pathlib import Path
from types import FrameType

from rich.pretty import pretty_repr

import cozekit
from cozekit.errors import APIError

__all__ = ["response_dump", "shown"]

_TESTS = str(Path(cozekit.__file__).parents[2] / "tests")


def _variables(frame: FrameType) -> list[str]:
    """Show the variables of a frame as the standard library and rich do."""
    texts = []
    for name, value in frame.f_locals.items():
        try:
            texts += [f"{name}={value!r}", pretty_repr(value, max_length=10, max_string=80)]
        except Exception as error:  # partly constructed objects have no repr
            texts.append(type(error).__name__)
    return texts


def shown(error: BaseException) -> str:
    """Return all text of an exception and its causes, with the variables of every frame outside the tests."""
    texts: list[str] = []
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        pending += [current.__cause__, current.__context__, *getattr(current, "exceptions", ())]
        for frame, line in traceback.walk_tb(current.__traceback__):
            if not frame.f_code.co_filename.startswith(_TESTS):
                texts += [f"{frame.f_code.co_filename}:{line} {text}" for text in _variables(frame)]
        texts += [
            repr(current),
            str(current),
            repr(current.args),
            repr(getattr(current, "__notes__", ())),
            pretty_repr(current),
        ]
        texts += [f"{name}={value!r}" for name, value in vars(current).items()]
        texts += [
            repr(getattr(current, name, "")) for name in ("doc", "object")
        ]  # attributes of JSON and Unicode errors
        texts += traceback.TracebackException.from_exception(current, capture_locals=False).format(chain=False)
    if isinstance(error, cozekit.CozeError):
        texts.append(pickle.dumps(error).decode("latin-1"))
    return "\n".join(texts)


def response_dump(error: APIError) -> str:
    """Return what the response of an error holds, and what its pickle holds."""
    if error.response is None:
        return ""
    http = error.response.http
    texts = [http.text, repr(http.headers.raw), repr(http), repr(http.extensions), repr(http.request.headers.raw)]
    pickled = io.BytesIO()
    pickle.dump(error.response, pickled)
    return "\n".join([*texts, pickled.getvalue().decode("latin-1")])
