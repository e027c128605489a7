"""Domain events, of which callback apps are notified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["DomainEvent"]


@attrs.frozen(kw_only=True)
class DomainEvent:
    """An event in the sandbox that is sent to callback apps.

    Attributes:
        kind: The `event_type` of its callback.
        event: The member `event` of the message.
        space_id: The workspace; empty for none.
        account_id: The account; None if the message does not include it.
        connector_id: The channel whose app is notified; None for the apps of the account.
    """

    kind: str
    event: Mapping[str, Any]
    space_id: str = ""
    account_id: str | None = None
    connector_id: str | None = None
