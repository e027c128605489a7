"""The callbacks of the description: what Coze sends to others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import attrs

from .spec import Spec

__all__ = ["CallbackKind", "Signature", "read_callbacks"]

_JSON = "content/application~1json/schema"


@attrs.frozen
class Signature:
    """How messages are signed.

    Attributes:
        algorithm: Digest, as `hashlib` calls it.
        input: What is digested, in this order.
        headers: In which headers moment, nonce and signature stand.
    """

    algorithm: str
    input: tuple[str, ...]
    headers: Mapping[str, str]

    def sign(self, *, timestamp: str, nonce: str, token: str, body: bytes) -> dict[str, str]:
        """Return the headers for a message.

        Args:
            timestamp: When it is sent, in milliseconds.
            nonce: A text that is used once.
            token: The secret of the receiving app.
            body: The message as it is sent.
        """
        parts = {"timestamp": timestamp.encode(), "nonce": nonce.encode(), "token": token.encode(), "body": body}
        digest = hashlib.new(self.algorithm, b"".join(parts[name] for name in self.input)).hexdigest()
        values = {"timestamp": timestamp, "nonce": nonce, "signature": digest}
        return {self.headers[name]: value for name, value in values.items()}


@attrs.frozen
class CallbackKind:
    """One kind of message.

    Attributes:
        name: Its `event_type`.
        pointer: Where the schema of the message is in the document.
        answer: Where the schema of the answer is, or None where any answer will do.
        example: The described message.
        seconds: How long the receiver may take.
        signature: How it is signed.
    """

    name: str
    pointer: str
    answer: str | None
    example: Mapping[str, Any]
    seconds: float
    signature: Signature


def read_callbacks(spec: Spec) -> dict[str, CallbackKind]:
    """Return the callbacks of a description by event type."""
    found = {}
    for name, item in spec.document.get("webhooks", {}).items():
        node, here = item["post"], f"/webhooks/{name}/post"
        told = node["x-coze-callback"]
        signature, _ = spec.follow(told["signature"], f"{here}/x-coze-callback/signature")
        found[name] = CallbackKind(
            name=name,
            pointer=f"{here}/requestBody/{_JSON}",
            answer=f"{here}/responses/200/{_JSON}" if "content" in node["responses"]["200"] else None,
            example=node["requestBody"]["content"]["application/json"]["example"],
            seconds=told["answer_within_seconds"],
            signature=Signature(signature["algorithm"], tuple(signature["input"]), signature["header_names"]),
        )
    return found
