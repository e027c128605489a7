"""A help desk: a bot answers, and people take over if it fails."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cozekit import Coze, CozeError

BUSY = "All lines are busy. We will write to you."


@dataclass
class HelpDesk:
    """Answers questions.

    Attributes:
        coze: The client.
        bot_id: The bot that answers.
        triage_id: The workflow that rates the urgency of a question.
    """

    coze: Coze
    bot_id: str
    triage_id: str

    def answer(self, user_id: str, question: str) -> str:
        """Return the bot's answer; if the bot fails, promise an answer by a person."""
        question = question.strip()
        try:
            with self.coze.chat.stream(bot_id=self.bot_id, user_id=user_id, additional_messages=[question]) as stream:
                return "".join(stream.text)
        except CozeError:
            return BUSY

    def urgency(self, question: str) -> int:
        """Return how urgent a question is, from 0 to 10."""
        run = self.coze.workflows.runs.create(workflow_id=self.triage_id, parameters={"question": question})
        return int(json.loads(run.data or "{}")["urgency"])
