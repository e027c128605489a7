"""What can be wrong with a callback."""

from __future__ import annotations

from ..errors import CozeError

__all__ = ["InvalidSignature", "MalformedCallback", "StaleCallback", "WebhookError"]


class WebhookError(CozeError):
    """A request that is no callback to be trusted.

    Attributes:
        status: HTTP status to answer it with.
    """

    status = 400


class InvalidSignature(WebhookError):
    """The signature is missing, or is not that of this body and token."""

    status = 401


class StaleCallback(WebhookError):
    """The callback is older than was allowed, or from the future: it may be a replay."""

    status = 401


class MalformedCallback(WebhookError):
    """It is signed rightly or not at all, and is no JSON object."""


for _name in __all__:
    globals()[_name].__module__ = __package__  # where users find them; tracebacks show it
