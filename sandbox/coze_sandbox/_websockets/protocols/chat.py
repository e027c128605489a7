"""Voice chats with a bot."""

from __future__ import annotations

from typing import Any

from ..._bots.content import UserInput, parse_content
from ..._bots.lifecycle import cancel, load_chat, require_no_running_chat, start_turn
from ..._bots.messages import count_tokens
from ..._common.errors import CHAT_NOT_FOUND, CONVERSATION_NOT_FOUND, INVALID_PARAMETER, NOT_FOUND, CallError, missing
from ..._handlers._bot_serializers import API_CHANNEL, published
from ..._handlers._chats import (
    enter_message,
    new_chat,
    new_conversation,
    new_message,
    questions,
    resume_chat,
    save_messages,
    store_conversation,
)
from ..._handlers._common import get_or_404
from ..._http.context import Call
from ..._scenario.bot_replies import plan_reply
from ..._spec.spec import Spec
from .base import ProtocolHandler
from .chat_turn import speech_events, turn_events
from .settings import ChatSettings
from .speech_recognition import FakeRecognizer, VoiceDetector, bytes_per_second, decode_sound

__all__ = ["ChatHandler"]

_USER_SPOKE = {"code": 1, "msg": "user spoke"}
_CLIENT_CANCELED = {"code": 2, "msg": "client cancel"}
_NEW_CONTENT = {"code": 3, "msg": "new content"}
_LONGEST_SPOKEN = 1023  # bytes


class ChatHandler(ProtocolHandler):
    """Replies to audio and text as chats over HTTP do, with audio."""

    def __init__(self, call: Call, spec: Spec) -> None:
        super().__init__(call, spec)
        self._bot = self._find_bot()
        self._settings = ChatSettings(self.downlink("chat.updated"), spec, self._bot)
        self._conversation_id = ""
        self._chat_id = ""  # the last chat
        self._active_chat_id = ""  # the chat whose events are queued; empty for speech without a chat
        self._recognizer = FakeRecognizer()
        self._detector: VoiceDetector | None = None
        self.send("chat.created")

    def on_message(self, event: str, data: dict[str, Any]) -> None:
        """Handle a message of the client.

        Raises:
            CallError: A resource does not exist, or the message is not allowed now.
        """
        match event:
            case "chat.update":
                self._update(data)
            case "input_audio_buffer.append":
                self._on_audio(decode_sound(data["delta"]))
            case "input_audio_buffer.complete" if not self._settings.detects_turns:
                self._complete()
            case "input_audio_buffer.clear" if not self._settings.detects_turns:
                self._recognizer.clear()
                self.send("input_audio_buffer.cleared")
            case "conversation.message.create":
                self._add_message(data)
            case "conversation.clear":
                self._clear()
            case "conversation.chat.submit_tool_outputs":
                self._submit(data)
            case "conversation.chat.cancel":
                # Push-to-talk clients cancel on every key press and close on any error: without a running chat there is
                # no response.
                self._interrupt(_CLIENT_CANCELED)
            case "input_text.generate_audio":
                self._speak(data.get("text", ""))

    def _find_bot(self) -> dict[str, Any]:
        query, state = self.call.query, self.state
        if state.options.examples:
            return {}
        bot: dict[str, Any] = published(state, get_or_404(state, "bot", query["bot_id"]), API_CHANNEL)["snapshot"]
        if "workflow_id" in query:
            workflow = get_or_404(state, "workflow", query["workflow_id"])
            if not workflow["published"]:
                raise missing(NOT_FOUND, "workflow_id", query["workflow_id"])
            if workflow["mode"] != "chatflow":
                raise CallError(INVALID_PARAMETER, "query.workflow_id: not a chatflow")
        return bot

    def _update(self, data: dict[str, Any]) -> None:
        conversation_id = data.get("chat_config", {}).get("conversation_id", "")
        if conversation_id:
            get_or_404(self.state, "conversation", conversation_id, code=CONVERSATION_NOT_FOUND)
        in_use = self._settings.update(self.state, data)
        self._conversation_id = conversation_id or self._conversation_id
        self._detector = None
        self.subscriptions = data.get("event_subscriptions", self.subscriptions)
        self.send("chat.updated", in_use)
        prologue = self._settings.prologue(data)
        if prologue and not self.is_busy:
            self._active_chat_id = ""
            self.enqueue(speech_events(prologue, self._settings.output))

    def _on_audio(self, sound: bytes) -> None:
        if not self._settings.detects_turns:
            self._send_partial()
            self._recognizer.feed(sound)
            return
        if self._detector is None:
            self._detector = VoiceDetector(self._settings.input, self._settings.silence_ms)
        for what, window in self._detector.feed(sound):
            if what == "started":
                self.send("input_audio_buffer.speech_started")
                if not self._settings.needs_keyword:
                    self._interrupt(_USER_SPOKE)
            self._recognizer.feed(window)
            if what == "stopped":
                self.send("input_audio_buffer.speech_stopped")
                self._end_user_turn()
        if self._detector.speaking:
            self._send_partial()

    def _send_partial(self) -> None:
        partial = (
            self._recognizer.partial_result(bytes_per_second(self._settings.input))
            if self._settings.streams_text
            else None
        )
        if partial is not None:
            self.send("conversation.audio_transcript.update", {"content": partial})

    def _complete(self) -> None:
        if not self._recognizer.size:
            raise CallError(INVALID_PARAMETER, "The audio buffer is empty.")
        self.send("input_audio_buffer.completed")
        self._end_user_turn()

    def _end_user_turn(self) -> None:
        text = self._recognizer.text()
        self._recognizer.clear()
        if self._settings.streams_text:
            self.send("conversation.audio_transcript.update", {"content": text})
        self.send("conversation.audio_transcript.completed", {"content": text})
        if self._settings.needs_keyword and self.is_busy and not self._settings.has_keyword(text):
            return
        self._start_chat({"role": "user", "content": text, "content_type": "text"}, UserInput(text), why=_USER_SPOKE)

    def _add_message(self, message: dict[str, Any]) -> None:
        user_input = parse_content(self.state, message["content"], message["content_type"], "data.content")
        if message["role"] == "user":
            self._start_chat(message, user_input, why=_NEW_CONTENT)
        else:
            enter_message(self.call, self._conversation(), message)

    def _start_chat(self, message: dict[str, Any], user_input: UserInput, *, why: dict[str, Any]) -> None:
        state, config = self.state, self._settings.chat_config
        conversation = self._conversation()
        if conversation.get("_running") != self._chat_id:
            require_no_running_chat(state, conversation)
        self._interrupt(why)
        past = questions(state, conversation)
        suggests = self._bot.get("suggest_reply_info", {}).get("reply_mode") in {"enable", "customized"}
        bot_id = self.call.query["bot_id"]
        plan = plan_reply(state, user_input, bot_id=bot_id, before=past[-1] if past else None, suggest=suggests)
        saved = config.get("auto_save_history", True)
        chat = new_chat(self.call, conversation, bot_id=bot_id, saved=saved, meta_data=config.get("meta_data"))
        if saved:
            save_messages(state, chat, [message])
        texts = [self._bot.get("name", ""), *past, user_input.text]
        tokens = sum(count_tokens(text) for text in texts)
        chat = start_turn(state, chat, plan, streaming=True, input_tokens=tokens)
        self._chat_id = self._active_chat_id = chat["id"]
        question = None
        if why is _NEW_CONTENT:
            question = new_message(state, chat, "user", "question", message["content"], message["content_type"])
        self.enqueue(turn_events(state, chat, self._settings.output, question=question, is_resumed=False))

    def _submit(self, data: dict[str, Any]) -> None:
        document = self.state.find("chat", data["chat_id"])
        if document is None or data["chat_id"] != self._chat_id:
            raise missing(CHAT_NOT_FOUND, "chat_id", data["chat_id"])
        chat = load_chat(self.state, document["conversation_id"], document["id"], unsaved=True)
        chat = resume_chat(self.state, chat, data["tool_outputs"], streaming=True, where="data")
        self._active_chat_id = chat["id"]
        self.enqueue(turn_events(self.state, chat, self._settings.output, question=None, is_resumed=True))

    def _speak(self, text: str) -> None:
        if not 1 <= len(text.encode()) <= _LONGEST_SPOKEN:
            raise CallError(INVALID_PARAMETER, f"data.text: must have 1 to {_LONGEST_SPOKEN} bytes")
        self._interrupt(_NEW_CONTENT)
        self._active_chat_id = ""
        self.enqueue(speech_events(text, self._settings.output))

    def _clear(self) -> None:
        conversation = self._conversation()
        conversation["last_section_id"] = self.state.new_id()
        store_conversation(self.call, conversation)
        self.send("conversation.cleared")

    def _conversation(self) -> dict[str, Any]:
        if self._conversation_id:
            return get_or_404(self.state, "conversation", self._conversation_id, code=CONVERSATION_NOT_FOUND)
        conversation = new_conversation(self.call, bot_id=self.call.query["bot_id"])
        self._conversation_id = conversation["id"]
        return conversation

    def _interrupt(self, why: dict[str, Any]) -> None:
        """Cancel the running turn, if any."""
        if not self.is_busy:
            return
        chat = self.state.find("chat", self._active_chat_id)
        if chat is not None:
            if chat["status"] != "in_progress":
                return  # only its end is still queued
            cancel(self.state, chat)
        self.close()
        self.send("conversation.chat.canceled", why)
