"""Reads a chat completely, even if the connection breaks in the middle.

Runs against the sandbox, which cuts the stream on request:

    python -m coze_sandbox --port 8080 &
    COZE_API_TOKEN=… COZE_API_BASE=http://127.0.0.1:8080 COZE_BOT_ID=… python examples/streams/recover.py

Environment:
    COZE_API_TOKEN: Personal access token with the permissions chat, getChat and listMessage.
    COZE_API_BASE: Base URL. Default: https://api.coze.com.
    COZE_BOT_ID: A bot that is published as API.
    COZE_FAULT: A fault for the sandbox, such as `cut; events=4`. Coze itself ignores it.
"""

import os
import sys

from cozekit import Coze, CozeError
from cozekit.errors import StreamInterrupted


def main() -> int:
    headers = {"X-Sandbox-Fault": os.environ["COZE_FAULT"]} if "COZE_FAULT" in os.environ else None
    with (
        Coze() as coze,
        coze.chat.stream(
            bot_id=os.environ["COZE_BOT_ID"], user_id="me", additional_messages=["Hello"], extra_headers=headers
        ) as stream,
    ):
        try:
            for piece in stream.text:
                print(piece, end="", flush=True)
            print()
        except StreamInterrupted as error:
            print(f"\n[broke off after {error.events} events; fetching the rest]")
            for message in stream.recover(poll_interval=1.0):
                print(f"[{message.type}] {message.content}")
    print(f"Answer: {stream.answer}")
    print(f"{stream.chat.status if stream.chat else 'unknown'}, logid {stream.logid}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CozeError as error:
        sys.exit(f"recover: {error}")
