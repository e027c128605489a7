"""Groups of voiceprints, and who speaks."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, precondition, rule

from tests.contract.machines._base import MANY, SIZES, TEXTS, Machine, items

__all__ = ["Voiceprints"]

NOT_FOUND, FULL = 4200, 4000
MOST = 10
SOUNDS = st.sampled_from([b"RIFF-first", b"RIFF-second", b"RIFF-third"])


@attrs.define
class Voice:
    """A voiceprint as it should be."""

    name: str
    desc: str
    sound: bytes


@attrs.define
class Kept:
    """A group as it should be, its voiceprints by id in the order in which they came."""

    name: str
    desc: str
    voices: dict[str, Voice] = attrs.field(factory=dict)


class Voiceprints(Machine):
    """Any order of groups and voiceprints made, changed and deleted, and of sounds to identify."""

    groups = Bundle("groups")
    voices = Bundle("voices")

    def begin(self) -> None:
        """Begin without any."""
        self.api = self.coze.audio.voiceprint_groups
        self.kept: dict[str, Kept] = {}

    @initialize(target=groups)
    def first(self) -> Any:
        """Make a group with voiceprints: much can be done with it."""
        key = self.create("first", None)
        self.add(key, "one", b"RIFF-first")
        self.add(key, "two", b"RIFF-second")
        return key

    @initialize(target=voices)
    def second(self) -> Any:
        """Make another one, whose voiceprint is picked."""
        return self.add(self.create("second", "again"), "three", b"RIFF-third")

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=groups, name=TEXTS, desc=st.none() | TEXTS)
    def create(self, name: str, desc: str | None) -> Any:
        """A new group has an id of its own."""
        group_id = self.api.create(name=name, desc=desc).id
        assert group_id not in self.kept
        self.kept[group_id] = Kept(name, desc or "")
        return group_id

    @rule(key=groups, name=st.none() | TEXTS, desc=st.none() | TEXTS)
    def update(self, key: str, name: str | None, desc: str | None) -> None:
        """What is given is changed, and nothing else."""
        known = self.kept[key]
        self.api.update(group_id=key, name=name, desc=desc)
        known.name, known.desc = name or known.name, desc or known.desc

    @rule(key=consumes(groups))
    def delete(self, key: str) -> None:
        """The group is gone, with its voiceprints."""
        self.api.delete(group_id=key)
        del self.kept[key]
        self.refused(NOT_FOUND, self.api.delete, group_id=key)
        self.refused(NOT_FOUND, self.api.features.list, group_id=key)
        self.refused(NOT_FOUND, self.api.speaker_identify, group_id=key, file=("a.wav", b"RIFF"))

    @rule(target=voices, key=groups, name=TEXTS, sound=SOUNDS)
    def add(self, key: str, name: str, sound: bytes) -> Any:
        """A new voiceprint is the last of its group, unless the group is full."""
        known = self.kept[key]
        arguments = {"group_id": key, "name": name, "file": ("voice.wav", sound)}
        if len(known.voices) == MOST:
            self.refused(FULL, self.api.features.create, **arguments)
            return multiple()
        voice_id = self.api.features.create(**arguments).id
        assert voice_id not in known.voices
        known.voices[voice_id] = Voice(name, "", sound)
        return multiple((key, voice_id))

    @rule(place=voices, name=st.none() | TEXTS, desc=TEXTS, sound=st.none() | SOUNDS)
    def change(self, place: tuple[str, str], name: str | None, desc: str, sound: bytes | None) -> None:
        """What is given is changed in the voiceprint, and nothing else."""
        changes: dict[str, Any] = {"name": name, "desc": desc, "file": sound and ("voice.wav", sound)}
        if not self.is_there(place):
            self.refused(NOT_FOUND, self.api.features.update, **self.where(place), **changes)
            return
        self.api.features.update(**self.where(place), **changes)
        voice = self.kept[place[0]].voices[place[1]]
        voice.name, voice.desc, voice.sound = name or voice.name, desc, sound or voice.sound

    @rule(place=voices)
    def remove(self, place: tuple[str, str]) -> None:
        """The voiceprint is gone."""
        if self.is_there(place):
            self.api.features.delete(**self.where(place))
            del self.kept[place[0]].voices[place[1]]
        self.refused(NOT_FOUND, self.api.features.delete, **self.where(place))

    @rule(key=groups, sound=SOUNDS, top_k=st.none() | SIZES)
    def identify(self, key: str, sound: bytes, top_k: int | None) -> None:
        """Similar voices come first, and no more are returned than requested."""
        voices = self.kept[key].voices
        response = self.api.speaker_identify(group_id=key, file=("voice.wav", sound), top_k=top_k).feature_score_list
        alike = [voice_id for voice_id, voice in voices.items() if voice.sound == sound]
        expected = [*alike, *(voice_id for voice_id in voices if voice_id not in alike)][:top_k]
        assert [match.feature_id for match in response] == expected
        for match in response:
            voice = voices[match.feature_id]
            assert (match.feature_name, match.feature_desc) == (voice.name, voice.desc)
            assert (match.score > 50) == (voice.sound == sound)

    @rule(name=TEXTS)
    def filtered(self, name: str) -> None:
        """Groups can be found by the beginning of their name."""
        fit = [key for key, group in self.kept.items() if group.name.startswith(name[:1])]
        assert [group.id for group in items(self.api.list(name=name[:1]), len(fit))] == fit[::-1]

    @invariant()
    def lists(self) -> None:
        """Groups are listed, the newest first, and voiceprints, the oldest first."""
        size = 1 + len(self.kept) % 2
        listed = items(self.api.list(page_size=size), len(self.kept))
        assert [group.id for group in listed] == list(self.kept)[::-1]
        for group in listed:
            known = self.kept[group.id]
            members = (group.name, group.desc, group.feature_count)
            assert members == (known.name, known.desc, len(known.voices))
            voices = items(self.api.features.list(group_id=group.id, page_size=size), len(known.voices))
            response = [(voice.id, voice.group_id, voice.name, voice.desc) for voice in voices]
            assert response == [(key, group.id, voice.name, voice.desc) for key, voice in known.voices.items()]

    def is_there(self, place: tuple[str, str]) -> bool:
        """Return whether a voiceprint should be there."""
        return place[0] in self.kept and place[1] in self.kept[place[0]].voices

    def where(self, place: tuple[str, str]) -> dict[str, str]:
        """Name a voiceprint."""
        return {"group_id": place[0], "feature_id": place[1]}
