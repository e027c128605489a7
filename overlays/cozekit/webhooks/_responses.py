"""Responses of a channel's app when a bot is published there."""

from __future__ import annotations

from coze_api.models import BotPublishedAnswer, BotPublishedAudit, BotPublishedAuditStatus

__all__ = ["approve", "in_review", "reject"]


def approve(*, share_link: str | None = None) -> BotPublishedAnswer:
    """Approve the bot for the channel.

    Args:
        share_link: URL of the bot in the channel.
    """
    audit = BotPublishedAudit(audit_status=BotPublishedAuditStatus.APPROVED)
    return BotPublishedAnswer(audit=audit, share_link=share_link)


def reject(reason: str) -> BotPublishedAnswer:
    """Reject the bot for the channel.

    Args:
        reason: Why, for the bot's developer to read.
    """
    return BotPublishedAnswer(audit=BotPublishedAudit(audit_status=BotPublishedAuditStatus.REJECTED, reason=reason))


def in_review() -> BotPublishedAnswer:
    """Decide later; then call `connectors.bots.update` with the result."""
    return BotPublishedAnswer(audit=BotPublishedAudit(audit_status=BotPublishedAuditStatus.IN_REVIEW))
