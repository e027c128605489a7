"""Errors of callbacks."""

from __future__ import annotations

from ..errors import CozeError

__all__ = ["InvalidSignature", "MalformedCallback", "StaleCallback", "WebhookError"]


class WebhookError(CozeError):
    """A request that is not a valid callback.

    Attributes:
        status: HTTP status of the response to it.
    """

    status = 400


class InvalidSignature(WebhookError):
    """The signature is missing, or is not that of this body and token."""

    status = 401


class StaleCallback(WebhookError):
    """The callback is older than *max_age*, or from the future: it may be a replay."""

    status = 401


class MalformedCallback(WebhookError):
    """The signature is valid or absent, and the body is not a JSON object."""


for _name in __all__:
    globals()[_name].__module__ = __package__  # where users find them; tracebacks show it
