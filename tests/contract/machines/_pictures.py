"""Pictures in knowledge bases, and their captions."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, precondition, rule

from coze_sandbox import WORKSPACE_ID
from tests.contract.machines._base import MANY, SECONDS, SIZES, TEXTS, Machine, items

__all__ = ["Pictures"]

NOT_FOUND = 4200
IMAGE, UPLOADED = 2, 5
PROCESSING, COMPLETED = 0, 1
BY_HAND = 1


@attrs.define
class Kept:
    """A picture as it should be."""

    name: str
    caption: str
    ends_at: int


class Pictures(Machine):
    """Any order of pictures added, captioned, looked for and removed."""

    pictures = Bundle("pictures")

    def begin(self) -> None:
        """Begin with two empty knowledge bases and a file."""
        call = self.coze.datasets.create
        self.home, self.other = (
            call(name=name, space_id=WORKSPACE_ID, format_type=IMAGE).dataset_id for name in ("one", "two")
        )
        self.file = self.coze.files.upload(file=("pixel.png", b"PNG")).id
        self.kept: dict[str, Kept] = {}

    @initialize(target=pictures)
    def first(self) -> Any:
        """Add two: they have an order then."""
        return multiple(self.add("one", "a hill"), self.add("two", ""))

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=pictures, name=TEXTS, caption=st.just("") | TEXTS)
    def add(self, name: str, caption: str) -> Any:
        """A picture that is added has its caption, or none, and is processed for a while."""
        now = self.later()
        base: dict[str, Any] = {"name": name, "source_info": {"document_source": UPLOADED, "source_file_id": self.file}}
        base |= {"caption": caption} if caption else {}
        (photo,) = items(
            self.coze.datasets.documents.create(
                dataset_id=self.home,
                document_bases=[base],
                format_type=IMAGE,
                chunk_strategy={"chunk_type": 0, "caption_type": BY_HAND},
            )
        )
        assert photo.document_id not in self.kept
        self.kept[photo.document_id] = Kept(name, caption, now + int(SECONDS))
        return photo.document_id

    @rule(key=pictures, caption=TEXTS)
    def caption(self, key: str, caption: str) -> None:
        """The picture has the new caption; through another knowledge base it is not found."""
        self.later()
        call = self.coze.datasets.images.update
        self.refused(NOT_FOUND, call, dataset_id=self.other, document_id=key, caption=caption)
        call(dataset_id=self.home, document_id=key, caption=caption)
        self.kept[key].caption = caption

    @rule(key=consumes(pictures))
    def remove(self, key: str) -> None:
        """The picture is gone."""
        self.coze.datasets.documents.delete(document_ids=[key])
        del self.kept[key]
        arguments = {"dataset_id": self.home, "document_id": key, "caption": "x"}
        self.refused(NOT_FOUND, self.coze.datasets.images.update, **arguments)

    @rule()
    def wait(self) -> None:
        """Time goes by, and pictures are done."""
        self.later(SECONDS)

    @rule(text=TEXTS, has_caption=st.booleans(), size=SIZES)
    def search(self, text: str, has_caption: bool, size: int) -> None:
        """Pictures are found by a part of their captions, and by whether they have any."""
        call, part = self.coze.datasets.images.list, text[:1]
        fit = [key for key, picture in self.kept.items() if part in picture.caption][::-1]
        listed = items(call(dataset_id=self.home, keyword=part, page_size=size), len(fit))
        assert [picture.document_id for picture in listed] == fit
        fit = [key for key, picture in self.kept.items() if bool(picture.caption) == has_caption][::-1]
        listed = items(call(dataset_id=self.home, has_caption=has_caption, page_size=size), len(fit))
        assert [picture.document_id for picture in listed] == fit

    @invariant()
    def lists(self) -> None:
        """The pictures of a knowledge base are listed, the newest first."""
        listed = items(self.coze.datasets.images.list(dataset_id=self.home, page_size=2), len(self.kept))
        shown = [(picture.document_id, picture.name, picture.caption, picture.status) for picture in listed]
        expected = [
            (key, picture.name, picture.caption, PROCESSING if self.now < picture.ends_at else COMPLETED)
            for key, picture in self.kept.items()
        ]
        assert shown == expected[::-1]
        assert items(self.coze.datasets.images.list(dataset_id=self.other), 0) == []
