"""Accounts that authorized OAuth apps."""

from __future__ import annotations

from .._common.errors import NO_PERMISSION, CallError
from .._http.context import Call, ResponseFields
from .._oauth.consent import AUTHORIZATION
from .._state.store import public
from ._common import numbered_page
from ._registry import operation
from .oauth_tokens import read_jwt


@operation("oauth_apps.authorizations.list")
def list_authorizations(call: Call) -> ResponseFields:
    """List the accounts that authorized an app, the first one first.

    An app presents a JWT that it signed, and sees its own authorizations only. The token of the sandbox sees all.

    Raises:
        CallError: The JWT is invalid, or another app signed it.
    """
    key = call.path["appid"]
    if call.bearer != call.state.options.token and read_jwt(call).client_id != key:
        raise CallError(NO_PERMISSION, "Another app signed the JWT.")
    authorizations = call.state.store.list(AUTHORIZATION, key)
    page, has_more = numbered_page(call, authorizations)
    return {"data": {"items": [public(authorization) for authorization in page], "has_more": has_more}}
