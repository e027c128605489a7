"""What happens in the sandbox that callback apps may want to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["DomainEvent"]


@attrs.frozen(kw_only=True)
class DomainEvent:
    """Something that happened.

    Attributes:
        kind: The `event_type` of its callback.
        event: The member `event` of the message.
        space_id: The workspace in which it happened; empty where there is none.
        account_id: In whose account it happened; None where the message does not tell.
        connector_id: The channel, if it is told to the app of that channel; None if it is told to the apps of the
            account.
    """

    kind: str
    event: Mapping[str, Any]
    space_id: str = ""
    account_id: str | None = None
    connector_id: str | None = None
