"""Helpers of handlers: look-ups, pages, serializers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from .._common.errors import FILE_EMPTY, INVALID_PARAMETER, NO_PERMISSION, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields, Upload
from .._state.state import SandboxState

__all__ = [
    "check_file",
    "check_owner",
    "get_or_404",
    "newest_first",
    "numbered_page",
    "sent_file",
    "serialize_user",
    "token_page",
    "drop_none",
]

T = TypeVar("T")

_DEFAULT_SIZE = 20
_LONGEST_TOKEN = 19


def get_or_404(state: SandboxState, kind: str, key: str, *, name: str = "", code: int = NOT_FOUND) -> dict[str, Any]:
    """Return a document.

    Args:
        state: The state.
        kind: Kind of the document.
        key: Its id.
        name: Name of the id in the error message; `<kind>_id` by default.
        code: Business code if it does not exist.

    Raises:
        CallError: The document does not exist.
    """
    document = state.find(kind, key)
    if document is None:
        raise missing(code, name or f"{kind}_id", key)
    return document


def check_file(state: SandboxState, key: str | None, name: str = "file_id") -> None:
    """Check that a file was uploaded.

    Raises:
        CallError: The file does not exist.
    """
    if key:
        get_or_404(state, "file", key, name=name)


def sent_file(call: Call) -> Upload:
    """Return the file of a form.

    Raises:
        CallError: The file is empty.
    """
    file = call.files["file"]
    if not file.size:
        raise CallError(FILE_EMPTY, "body.file: the file is empty")
    return file


def check_owner(call: Call, owner_id: str, what: str) -> None:
    """Check that the caller is the owner.

    Args:
        call: The call.
        owner_id: The account of the owner.
        what: Kind of the resource, for the error message.

    Raises:
        CallError: The caller is not the owner.
    """
    if call.user_id != owner_id:
        raise CallError(NO_PERMISSION, f"Only the owner of the {what} can do this.")


def newest_first(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort items with `updated_at` and `id`, last changed first."""
    return sorted(lines, key=lambda line: (-int(line["updated_at"]), line["id"]))


def numbered_page(
    call: Call, items: Sequence[T], *, param: str = "page_num", size_param: str = "page_size", size: int = _DEFAULT_SIZE
) -> tuple[list[T], bool]:
    """Return one page of items, numbered from 1.

    Args:
        call: The call, whose query or body has page number and size.
        items: All items.
        param: Name of the page parameter.
        size_param: Name of the parameter with the size.
        size: Default size of a page.

    Returns:
        The items of the page and whether another page follows.
    """
    sent = {**call.body, **call.query}
    number = max(int(sent.get(param, 1)), 1)
    size = max(int(sent.get(size_param, size)), 1)
    start = (number - 1) * size
    return list(items[start : start + size]), start + size < len(items)


def token_page(
    call: Call, items: Sequence[T], name: str, *, size: int, next_name: str = "next_page_token"
) -> ResponseFields:
    """Return one page of items, selected by an opaque token, as `data`.

    Args:
        call: The call, whose query has `page_token` and `page_size`.
        items: All items.
        name: Name of the member with the items.
        size: Default size of a page.
        next_name: Name of the member with the token of the next page.

    Raises:
        CallError: The token is invalid.
    """
    token, size = call.query.get("page_token") or "0", call.query.get("page_size", size)
    if not (token.isascii() and token.isdecimal() and len(token) <= _LONGEST_TOKEN):
        raise CallError(INVALID_PARAMETER, "query.page_token: not a valid page token")
    start, end = int(token), int(token) + size
    data: ResponseFields = {name: list(items[start:end]), "has_more": end < len(items)}
    if end < len(items):
        data[next_name] = str(end)
    return {"data": data}


def serialize_user(state: SandboxState, user_id: str) -> dict[str, Any]:
    """Serialize a user in the short form of most responses."""
    user = get_or_404(state, "user", user_id)
    return {
        "id": user["user_id"],
        "name": user["user_name"],
        "nickname": user["nick_name"],
        "avatar_url": user["avatar_url"],
    }


def drop_none(members: Mapping[str, Any]) -> dict[str, Any]:
    """Drop members that are None."""
    return {name: value for name, value in members.items() if value is not None}
