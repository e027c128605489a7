"""What cozepy 0.20.0, the official Python SDK, sends that is not described, and why the description stays as it is.

By operation, or by method and path where the description knows none.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DEVIATIONS"]

_NULL = (
    "It writes null for what the caller did not give. Coze takes that for absent; the documentation has no null there."
)
_WHOLE = "It sends the class of messages in answers, whose further members are null in a question."
_BLANK = "It sends an empty text for what the caller did not give. Coze takes that for absent."
_VERB = "The documentation lists GET; Coze accepts both."
_PAGE = "It names the page as `bots.list_published` does; this operation documents `page_num`, and so ignores it."
_RENAMED = "It writes the member `from` by the name that it has in Python; Coze does not see it."
_TWICE = "It sends the id in the body that is in the path already."


def _nulls(*paths: str) -> dict[str, str]:
    return {f"{path}: null": _NULL for path in paths}


_ANSWERS_ONLY = (
    "bot_id",
    "chat_id",
    "conversation_id",
    "created_at",
    "id",
    "reasoning_content",
    "section_id",
    "updated_at",
)
_MESSAGE = {
    **_nulls("body.additional_messages[].meta_data"),
    **{f"body.additional_messages[].{name}: null": _WHOLE for name in _ANSWERS_ONLY},
}
_STRATEGY = ("caption_type", "max_tokens", "remove_extra_spaces", "remove_urls_emails", "separator")
_SOURCE = ("document_source", "file_base64", "file_type", "source_file_id", "web_url")

DEVIATIONS: Mapping[str, Mapping[str, str]] = {
    "POST /v3/chat/retrieve": {"/v3/chat/retrieve does not allow POST, only GET": _VERB},
    "apps.list": {"query.page_index: not described": _PAGE},
    "audio.rooms.create": {
        **_nulls("body.config.translate_config"),
        "body.config.translate_config.from_: not described": _RENAMED,
    },
    "bots.list": {"query.page_index: not described": _PAGE},
    "bots.unpublish": {"body.bot_id: not described": _TWICE},
    "chat.create": _MESSAGE,
    "conversations.messages.create": _nulls("body.meta_data"),
    "conversations.messages.list": _nulls("body.after_id", "body.before_id", "body.chat_id"),
    "conversations.messages.update": _nulls("body.meta_data"),
    "datasets.create": _nulls("body.description", "body.file_id"),
    "datasets.documents.create": _nulls(
        *(f"body.chunk_strategy.{name}" for name in _STRATEGY),
        *(f"body.document_bases[].source_info.{name}" for name in _SOURCE),
        "body.document_bases[].update_rule",
    ),
    "datasets.documents.update": _nulls("body.update_rule"),
    "datasets.images.list": {'query.has_caption: "" is not of type "boolean"': _BLANK},
    "datasets.list": {'query.format_type: "" is not of type "integer"': _BLANK},
    "datasets.update": _nulls("body.description", "body.file_id"),
    "oauth.token": _nulls("body.scope"),
    "workflows.chat.stream": _MESSAGE,
}
