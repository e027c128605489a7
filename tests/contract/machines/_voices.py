"""Voices that are cloned."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, precondition, rule

from coze_sandbox import VOICE_ID, WORKSPACE_ID
from tests.contract.machines._base import MANY, SIZES, TEXTS, Machine, items

__all__ = ["Voices"]

NOT_FOUND, NOT_ALLOWED, EMPTY = 4200, 4000, 4300
TIMES = 10
SAMPLE: dict[str, Any] = {"file": ("voice.wav", b"RIFF-sound"), "audio_format": "wav"}
LANGUAGES, PREVIEWS = st.none() | st.sampled_from(["en", "ja"]), st.none() | TEXTS


@attrs.define
class Kept:
    """A voice as it should be."""

    name: str
    language: str
    preview: str | None
    made_at: int
    changed_at: int
    left: int = TIMES - 1


class Voices(Machine):
    """Any order of voices cloned, cloned anew and listed."""

    voices = Bundle("voices")

    def begin(self) -> None:
        """Begin with those that come with Coze."""
        self.kept: dict[str, Kept] = {}
        self.system = {voice.voice_id: voice.model_type for voice in items(self.coze.audio.voices.list())}
        assert VOICE_ID in self.system

    @initialize(target=voices)
    def first(self) -> Any:
        """Clone a voice so often that it can be cloned once more."""
        key = self.clone("first", None, None)
        for _ in range(TIMES - 2):
            self.clone_anew(key, "again", None, None)
        return key

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=voices, name=TEXTS, language=LANGUAGES, preview=PREVIEWS)
    def clone(self, name: str, language: str | None, preview: str | None) -> Any:
        """A new voice is what it was made of."""
        now = self.later()
        voice_id = self.coze.audio.voices.clone(
            voice_name=name, language=language, preview_text=preview, space_id=WORKSPACE_ID, **SAMPLE
        ).voice_id
        assert voice_id not in self.kept.keys() | self.system.keys()
        self.kept[voice_id] = Kept(name, language or "zh", preview, now, now)
        return voice_id

    @rule(key=voices, name=TEXTS, language=LANGUAGES, preview=PREVIEWS)
    def clone_anew(self, key: str, name: str, language: str | None, preview: str | None) -> None:
        """A voice is replaced, ten times at most."""
        now, known = self.later(), self.kept[key]
        arguments = {"voice_id": key, "voice_name": name, "language": language, "preview_text": preview, **SAMPLE}
        if not known.left:
            self.refused(NOT_ALLOWED, self.coze.audio.voices.clone, **arguments)
            return
        assert self.coze.audio.voices.clone(**arguments).voice_id == key
        self.kept[key] = Kept(name, language or "zh", preview, known.made_at, now, known.left - 1)

    @rule()
    def turned_away(self) -> None:
        """A voice of Coze, one that is not known, silence, and a workspace that is not there are refused."""
        call = self.coze.audio.voices.clone
        self.refused(NOT_ALLOWED, call, voice_name="x", voice_id=VOICE_ID, **SAMPLE)
        self.refused(NOT_FOUND, call, voice_name="x", voice_id="1", **SAMPLE)
        self.refused(NOT_FOUND, call, voice_name="x", space_id="1", **SAMPLE)
        self.refused(EMPTY, call, voice_name="x", file=("voice.wav", b""), audio_format="wav")

    @rule(model=st.sampled_from(["big", "small"]), size=SIZES)
    def filtered(self, model: str, size: int) -> None:
        """Voices can be listed by model."""
        own = [*self.kept][::-1] if model == "big" else []
        fit = [*own, *(key for key, kind in self.system.items() if kind == model)]
        assert [voice.voice_id for voice in items(self.coze.audio.voices.list(model_type=model, page_size=size))] == fit

    @invariant()
    def lists(self) -> None:
        """Cloned voices are listed before those of Coze, or alone, the newest first."""
        size = 1 + len(self.kept) % 2
        every = items(self.coze.audio.voices.list(page_size=size + 1))
        assert [voice.voice_id for voice in every] == [*[*self.kept][::-1], *self.system]
        assert [voice.is_system_voice for voice in every] == [voice.voice_id in self.system for voice in every]
        own = items(self.coze.audio.voices.list(filter_system_voice=True, page_size=size))
        assert [voice.voice_id for voice in own] == [*self.kept][::-1]
        for voice in own:
            known = self.kept[voice.voice_id]
            shown = (
                voice.name,
                voice.language_code,
                voice.available_training_times,
                voice.create_time,
                voice.update_time,
            )
            assert shown == (known.name, known.language, known.left, known.made_at, known.changed_at)
            assert voice.preview_text == (known.preview or voice.preview_text)
