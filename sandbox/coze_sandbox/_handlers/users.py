"""The account behind the token."""

from __future__ import annotations

from .._http.context import Call, ResponseFields
from ._common import need
from ._registry import operation

__all__ = ["me"]


@operation("users.me")
def me(call: Call) -> ResponseFields:
    """Return the account."""
    return {"data": need(call.world, "user", call.user_id)}
