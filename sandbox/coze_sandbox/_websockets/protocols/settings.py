"""Settings of WebSockets, merged from the messages of the client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._common.errors import INVALID_PARAMETER, CallError
from ..._handlers._common import get_or_404
from ..._spec.spec import SocketMessage, Spec
from ..._state.state import SandboxState

__all__ = ["ChatSettings", "Settings", "merge"]

_G711 = ("g711a", "g711u")
_G711_RATE = 8000
_SHORTEST_KEYWORD, _LONGEST_KEYWORD = 6, 24  # bytes


class ChatSettings:
    """The settings of one connection.

    Args:
        message: The message with the effective settings.
        spec: The spec.
        bot: The bot.
    """

    def __init__(self, message: SocketMessage, spec: Spec, bot: Mapping[str, Any]) -> None:
        self._settings = Settings(message, spec, {})
        self._bot = bot
        self._effective = self._settings.effective()

    def update(self, state: SandboxState, data: Mapping[str, Any]) -> dict[str, Any]:
        """Apply new settings, and return the effective ones.

        Args:
            state: The state.
            data: The settings of the client.

        Raises:
            CallError: The settings contradict each other, or a resource does not exist.
        """
        configured = merge(self._settings.configured, data)
        effective = self._settings.effective(configured)
        _check(state, effective)
        self._settings.configured, self._effective = configured, effective
        return effective

    def prologue(self, data: Mapping[str, Any]) -> str:
        """Return the prologue that new settings request, or an empty string."""
        if not data.get("need_play_prologue"):
            return ""
        text: str = data.get("prologue_content") or self._bot.get("onboarding_info", {}).get("prologue", "")
        return text

    @property
    def chat_config(self) -> Mapping[str, Any]:
        """User, conversation and parameters of the bot."""
        config: Mapping[str, Any] = self._effective.get("chat_config", {})
        return config

    @property
    def input(self) -> dict[str, Any]:
        """Format of the input audio."""
        audio: dict[str, Any] = self._effective["input_audio"]
        return audio

    @property
    def output(self) -> dict[str, Any]:
        """Voice and format of the output audio."""
        audio: dict[str, Any] = self._effective["output_audio"]
        return audio

    @property
    def detects_turns(self) -> bool:
        """Whether the server, not the client, detects the end of speech."""
        return bool(self._turns.get("type", "client_interrupt") != "client_interrupt")

    @property
    def silence_ms(self) -> float:
        """Silence that ends a turn, in milliseconds."""
        if self._turns.get("type") == "semantic_vad":
            return float(self._turns.get("semantic_vad_config", {}).get("silence_threshold_ms", 300))
        return float(self._turns.get("silence_duration_ms", 500))

    @property
    def streams_text(self) -> bool:
        """Whether partial transcripts are sent."""
        mode = self._effective.get("asr_config", {}).get("stream_mode", "bidirectional_stream")
        return bool(mode == "bidirectional_stream")

    @property
    def needs_keyword(self) -> bool:
        """Whether only keywords interrupt an answer."""
        return self.detects_turns and bool(self._keywords)

    def has_keyword(self, text: str) -> bool:
        """Return whether a text has an interrupting keyword at an allowed position."""
        if self._turns["interrupt_config"].get("mode") == "keyword_prefix":
            return text.startswith(tuple(self._keywords))
        return any(word in text for word in self._keywords)

    @property
    def _turns(self) -> Mapping[str, Any]:
        turns: Mapping[str, Any] = self._effective.get("turn_detection", {})
        return turns

    @property
    def _keywords(self) -> list[str]:
        words: list[str] = self._turns.get("interrupt_config", {}).get("keywords", [])
        return words


def _check(state: SandboxState, settings: Mapping[str, Any]) -> None:
    sound = settings["input_audio"]
    if sound["codec"] in _G711 and (sound["format"], sound["sample_rate"]) != ("pcm", _G711_RATE):
        raise _wrong("input_audio", f"{sound['codec']} needs format pcm and sample_rate {_G711_RATE}")
    noise = settings.get("voice_processing_config", {})
    if noise.get("enable_ans") and noise.get("enable_pdns"):
        raise _wrong("voice_processing_config", "enable_ans and enable_pdns exclude each other")
    words = settings.get("turn_detection", {}).get("interrupt_config", {}).get("keywords", ())
    for number, word in enumerate(words):
        if not _SHORTEST_KEYWORD <= len(word.encode()) <= _LONGEST_KEYWORD:
            where = f"turn_detection.interrupt_config.keywords.{number}"
            raise _wrong(where, f"must have {_SHORTEST_KEYWORD} to {_LONGEST_KEYWORD} bytes")
    voice_id = settings["output_audio"].get("voice_id")
    if voice_id and not state.options.examples:
        get_or_404(state, "voice", voice_id)


def _wrong(where: str, what: str) -> CallError:
    return CallError(INVALID_PARAMETER, f"data.{where}: {what}")


class Settings:
    """The settings of one connection.

    Args:
        message: The message with the effective settings.
        spec: The spec.
        fallbacks: Values of required members without a default, by name.
    """

    def __init__(self, message: SocketMessage, spec: Spec, fallbacks: Mapping[str, Any]) -> None:
        self._schema = message.schema
        self._spec = spec
        self._fallbacks = fallbacks
        self.configured: dict[str, Any] = {}

    def effective(self, configured: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the effective settings.

        Args:
            configured: Settings of the client; by default the stored ones.
        """
        return self._filled(self._schema, self.configured if configured is None else configured)

    def _filled(self, schema: Mapping[str, Any], configured: Mapping[str, Any]) -> dict[str, Any]:
        required = schema.get("required", ())
        result = {}
        for name, described in schema["properties"].items():
            followed, _ = self._spec.follow(described, "")
            value = configured.get(name, described.get("default", followed.get("default")))
            if value is None and name in required:
                value = {} if "properties" in followed else self._fallbacks.get(name)
            if isinstance(value, Mapping) and "properties" in followed:
                value = self._filled(followed, value)
            if value is not None:
                result[name] = value
        return result


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge settings; objects are merged recursively."""
    result = dict(old)
    for name, value in new.items():
        before = result.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[name] = merge(before, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return result
