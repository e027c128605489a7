"""What the app of a channel answers when a bot is published there."""

from __future__ import annotations

from coze_api.models import BotPublishedAnswer, BotPublishedAudit, BotPublishedAuditStatus

__all__ = ["approve", "in_review", "reject"]


def approve(*, share_link: str | None = None) -> BotPublishedAnswer:
    """Let the bot into the channel.

    Args:
        share_link: Address of the bot in the channel.
    """
    audit = BotPublishedAudit(audit_status=BotPublishedAuditStatus.APPROVED)
    return BotPublishedAnswer(audit=audit, share_link=share_link)


def reject(reason: str) -> BotPublishedAnswer:
    """Keep the bot out of the channel.

    Args:
        reason: Why, for the bot's developer to read.
    """
    return BotPublishedAnswer(audit=BotPublishedAudit(audit_status=BotPublishedAuditStatus.REJECTED, reason=reason))


def in_review() -> BotPublishedAnswer:
    """Decide later: call `connectors.bots.update` with the result then."""
    return BotPublishedAnswer(audit=BotPublishedAudit(audit_status=BotPublishedAuditStatus.IN_REVIEW))
