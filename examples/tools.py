"""A bot that calls Python functions: once streamed, once not.

Runs against the sandbox, whose bot calls the tools that its message names:

    python -m coze_sandbox --port 8080 &
    COZE_API_TOKEN=… COZE_API_BASE=http://127.0.0.1:8080 COZE_BOT_ID=… python examples/tools.py

With a real bot, the functions need the names of the tools in its client-side plugin, and the message is a plain
question.

Environment:
    COZE_API_TOKEN: Personal access token with the permissions chat, submitToolChat, getChat and listMessage.
    COZE_API_BASE: Base URL. Default: https://api.coze.com.
    COZE_BOT_ID: A bot with these tools.
    COZE_QUESTION: The question for the bot. Default: a question that makes the sandbox's bot call both tools at once.
"""

import asyncio
import os
import sys
from typing import Literal

from cozekit import AsyncCoze, Coze, CozeError, ToolError, ToolRun

SANDBOX_QUESTION = '/tool get_weather {"city": "Ulm", "unit": "F"}\n/tool find_train {"to": "Atlantis"}'
QUESTION = os.environ.get("COZE_QUESTION", SANDBOX_QUESTION)
BOT = os.environ["COZE_BOT_ID"]


def get_weather(city: str, unit: Literal["C", "F"] = "C") -> dict[str, str | int]:
    return {"city": city, "temperature": 24 if unit == "C" else 75, "unit": unit}


async def find_train(to: str) -> str:
    await asyncio.sleep(0)  # a request to a timetable would be here
    if to == "Atlantis":
        raise ToolError(f"No train goes to {to}.")
    return "12:30"


def show(run: ToolRun) -> None:
    print(f"  [{run.name} {run.arguments} -> {run.output}]")


async def streamed() -> None:
    """Read the chat as one stream, with sync and async tools at the same time."""
    async with AsyncCoze() as coze:
        stream = coze.chat.run_stream(
            bot_id=BOT,
            user_id="tools-user",
            additional_messages=[QUESTION],
            tools=[get_weather, find_train],
            on_tool_run=show,
        )
        async with stream:
            async for text in stream.text:
                print(text, end="", flush=True)
        print(f"\n  {stream.usage.token_count if stream.usage else 0} tokens, logid {stream.logid}")


def polled() -> None:
    """Wait for the result."""
    with Coze() as coze:
        question = QUESTION.splitlines()[0]
        run = coze.chat.run(bot_id=BOT, user_id="tools-user", additional_messages=[question], tools=[get_weather])
        print(run.text)
        print(f"  {run.status}, tools called: {', '.join(one.name for one in run.tool_runs)}")


if __name__ == "__main__":
    try:
        asyncio.run(streamed())
        polled()
    except CozeError as error:
        sys.exit(f"tools: {error}")
