"""From an empty account to a conversation: avatar, bot, publish, update, publish again, chat.

Runs against the real service as well as against the sandbox:

    COZE_API_TOKEN=pat_… COZE_API_BASE=https://api.coze.com python examples/quickstart.py

Environment:
    COZE_API_TOKEN: Personal access token with the permissions listWorkspace, uploadFile, createBot, edit, publish,
        chat, getChat and listMessage.
    COZE_API_BASE: https://api.coze.com (default) or https://api.coze.cn, the service of the token.
    COZE_WORKSPACE_ID: Workspace for the bot. Default: the first one of the account.
"""

import os
import struct
import sys
import zlib

from cozekit import Coze, CozeError

USER = "quickstart-user"


def avatar(size: int = 64) -> bytes:
    """Draw a PNG: a blue disc on white."""
    middle, radius = size / 2, size / 2.2
    rows = b"".join(
        b"\0" + bytes(
            channel
            for x in range(size)
            for channel in ((66, 99, 235) if (x - middle) ** 2 + (y - middle) ** 2 < radius**2 else (255, 255, 255))
        )
        for y in range(size)
    )  # fmt: skip

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def step(text: str, logid: str = "") -> None:
    """Print a step with its log id, which Coze support needs."""
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    mark = "\033[32m✓\033[0m" if color else "*"
    grey = f"  \033[90mlogid {logid}\033[0m" if color else f"  (logid {logid})"
    print(f"{mark} {text}{grey if logid else ''}", flush=True)


def main() -> None:
    """Run all steps."""
    with Coze() as coze:
        step(f"client for {coze.base_url}")

        workspace = os.environ.get("COZE_WORKSPACE_ID") or next(iter(coze.workspaces.list())).id
        step(f"workspace {workspace}")

        picture = coze.files.upload(("avatar.png", avatar()))
        step(f"avatar uploaded: file {picture.id}, {picture.bytes} bytes", picture.logid)

        bot = coze.bots.create(
            space_id=workspace,
            name="Quickstart guide",
            description="Made by the cozekit quick start.",
            icon_file_id=picture.id,
            prompt_info={"prompt": "You are a friendly guide. Answer in one short sentence."},
            onboarding_info={"prologue": "Hello! What shall we look at?", "suggested_questions": ["What can you do?"]},
        )
        step(f"bot created: {bot.bot_id}", bot.logid)

        # "1024" is the API channel: only bots that are published there can be called by the API.
        first = coze.bots.publish(bot_id=bot.bot_id, connector_ids=["1024"])
        step(f"published as version {first.version}", first.logid)

        updated = coze.bots.update(bot_id=bot.bot_id, name="Second edition")
        step("renamed", updated.logid)

        second = coze.bots.publish(bot_id=bot.bot_id, connector_ids=["1024"])
        step(f"published again as version {second.version}", second.logid)

        print("\nYou: What can you do?\nBot: ", end="", flush=True)
        with coze.chat.stream(bot_id=bot.bot_id, user_id=USER, additional_messages=["What can you do?"]) as stream:
            for text in stream.text:
                print(text, end="", flush=True)
        print("\n")
        tokens = stream.usage.token_count if stream.usage else "unknown"
        step(f"chat by stream: {tokens} tokens", stream.logid)

        reply = coze.chat.create_and_poll(
            bot_id=bot.bot_id, user_id=USER, additional_messages=["And without streaming?"]
        )
        print(f"\nYou: And without streaming?\nBot: {reply.text}\n")
        tokens = reply.usage.token_count if reply.usage else "unknown"
        step(f"chat without stream: {reply.status}, {tokens} tokens", reply.logid)


if __name__ == "__main__":
    try:
        main()
    except CozeError as error:
        sys.exit(f"quickstart: {error}")
