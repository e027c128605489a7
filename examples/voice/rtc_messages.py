"""Write and read the messages of an RTC room. They are sent as texts over the RTC SDK, not over a WebSocket.

python examples/voice/rtc_messages.py
"""

from __future__ import annotations

from coze_api import Unknown
from coze_api.models import (
    EnterMessageContentType,
    MessageRole,
    RtcChatCancel,
    RtcMessageCreate,
    RtcMessageDelta,
    RtcRoom,
    RtcSessionCreated,
    SocketEnterMessage,
)


def received(text: str) -> None:
    """Handle a message of the bot from the RTC SDK."""
    match RtcRoom.downlink.loads(text):
        case RtcSessionCreated() as begun:
            print(f"in the room (logid {begun.data.log_id})")
        case RtcMessageDelta() as piece:
            print(f"bot: {piece.data.content}")
        case Unknown(tag):
            print(f"not known yet: {tag}")


question = SocketEnterMessage(
    role=MessageRole.USER, content_type=EnterMessageContentType.TEXT, content="What can you do?"
)
print(RtcRoom.uplink.dumps(RtcMessageCreate(data=question)))  # pass this to the RTC SDK's sendUserMessage
print(RtcRoom.uplink.dumps(RtcChatCancel()))
received('{"id": "1", "event_type": "session.created", "data": {"voice_id": "7426720361733046281", "log_id": "2024"}}')
received('{"id": "2", "event_type": "conversation.message.delta", "data": {"id": "3", "content": "Anything."}}')
received('{"id": "4", "event_type": "later.kind"}')
