"""The account behind the token."""

from __future__ import annotations

from .._http.context import Call, ResponseFields
from ._common import get_or_404
from ._registry import operation


@operation("users.me")
def me(call: Call) -> ResponseFields:
    """Return the account."""
    return {"data": get_or_404(call.state, "user", call.user_id)}
