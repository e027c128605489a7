"""Recorded WebSocket frames and published callbacks pass through the client without loss."""

from __future__ import annotations

from typing import Any

import pytest

from coze_api import Model, Unknown, models
from tests.contract._facts import needs_samples, with_samples
from tests.contract._facts_messages import (
    RECORDINGS,
    Callback,
    Message,
    callbacks,
    messages,
    protocol_name,
    recorded_messages,
)


def decoder(owner: str, side: str) -> Any:
    """Return what decodes the messages of one side of a WebSocket or room."""
    return getattr(getattr(models, protocol_name(owner)), side)


def check_kept(message: Any, frame: dict[str, Any]) -> None:
    """Check that a frame has a class and comes back as it was, with nothing known left over."""
    assert isinstance(message, Model), frame
    assert not isinstance(message, Unknown)
    assert message.to_dict() == frame
    assert not {key for key, value in message.extra_fields.items() if value is not None and key in message._known}


@needs_samples
@pytest.mark.parametrize("file", with_samples(RECORDINGS))
def test_recorded_frames_are_kept(file: str) -> None:
    """Each recorded frame is a message of the described class, in the recorded order, and encodes to itself."""
    frames = list(recorded_messages(file))
    assert frames
    for side, frame in frames:
        check_kept(decoder(RECORDINGS[file], side).decode(frame), frame)


@pytest.mark.parametrize("message", messages(), ids=lambda message: message.place.replace(" ", ":"))
def test_message_of_the_catalog_has_a_class(message: Message) -> None:
    """Each message of the catalog has a class of its own among those of its protocol and direction."""
    assert message.event in decoder(message.owner, message.side).kinds


def test_callbacks_of_the_catalog_have_classes() -> None:
    """The classes of callbacks are those of the catalog's callbacks."""
    kinds: Any = models.Callbacks.messages.kinds
    assert kinds.keys() == {callback.fact["event_type"] for callback in callbacks()}


@needs_samples
@pytest.mark.parametrize("callback", with_samples(callbacks()), ids=lambda callback: callback.name)
def test_published_callback_is_kept(callback: Callback) -> None:
    """The published example of each callback is a message of its class and encodes to itself."""
    example = callback.published["example"]
    check_kept(models.Callbacks.messages.decode(example), example)
