"""The callbacks (webhooks) of the spec."""

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
    """Signature of messages.

    Attributes:
        algorithm: Name of the digest in `hashlib`.
        input: The parts that are hashed, in this order.
        headers: Header names of timestamp, nonce and signature.
    """

    algorithm: str
    input: tuple[str, ...]
    headers: Mapping[str, str]

    def sign(self, *, timestamp: str, nonce: str, token: str, body: bytes) -> dict[str, str]:
        """Return the headers of a signed message.

        Args:
            timestamp: Time of sending in milliseconds.
            nonce: A random string that is used once.
            token: The secret of the receiving app.
            body: The message as sent.
        """
        parts = {"timestamp": timestamp.encode(), "nonce": nonce.encode(), "token": token.encode(), "body": body}
        digest = hashlib.new(self.algorithm, b"".join(parts[name] for name in self.input)).hexdigest()
        values = {"timestamp": timestamp, "nonce": nonce, "signature": digest}
        return {self.headers[name]: value for name, value in values.items()}


@attrs.frozen
class CallbackKind:
    """A type of callback.

    Attributes:
        name: Its `event_type`.
        pointer: JSON pointer to the schema of the message.
        answer: JSON pointer to the schema of the response, or None if any response is accepted.
        example: The example message.
        seconds: Timeout for the receiver.
        signature: The signature.
    """

    name: str
    pointer: str
    answer: str | None
    example: Mapping[str, Any]
    seconds: float
    signature: Signature


def read_callbacks(spec: Spec) -> dict[str, CallbackKind]:
    """Return the callbacks of a spec by event type."""
    kinds = {}
    for name, item in spec.document.get("webhooks", {}).items():
        node, here = item["post"], f"/webhooks/{name}/post"
        callback = node["x-coze-callback"]
        signature, _ = spec.follow(callback["signature"], f"{here}/x-coze-callback/signature")
        kinds[name] = CallbackKind(
            name=name,
            pointer=f"{here}/requestBody/{_JSON}",
            answer=f"{here}/responses/200/{_JSON}" if "content" in node["responses"]["200"] else None,
            example=node["requestBody"]["content"]["application/json"]["example"],
            seconds=callback["answer_within_seconds"],
            signature=Signature(signature["algorithm"], tuple(signature["input"]), signature["header_names"]),
        )
    return kinds
