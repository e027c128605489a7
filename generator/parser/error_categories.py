"""The classes of errors."""

from __future__ import annotations

__all__ = ["CATEGORIES"]

#: Category in `shared/errors.yaml` to the name and the docstring of its exception.
CATEGORIES = {
    "authentication": ("AuthenticationError", "The token is missing, wrong, expired, or of the other region."),
    "permission": ("PermissionDeniedError", "The token is good, but may not do this."),
    "rate_limit": ("RateLimitError", "Too many calls in a short time."),
    "quota": ("QuotaError", "A quota, a balance or a plan's allowance is used up."),
    "invalid_request": ("InvalidRequestError", "An argument is wrong in a way that only Coze can see."),
    "not_found": ("NotFoundError", "What the call is about does not exist, or is not visible to the caller."),
    "conflict": ("ConflictError", "Something is in the way, such as a chat that still runs in the conversation."),
    "unsupported": ("UnsupportedError", "Coze does not offer this operation to this kind of token or resource."),
    "content_policy": ("ContentPolicyError", "The content was refused by moderation."),
    "timeout": ("ServerTimeoutError", "Coze gave up waiting for something of its own."),
    "server": ("ServerError", "Coze failed."),
}
