"""Knowledge bases and the documents in them."""

from __future__ import annotations

import base64
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, precondition, rule

from coze_sandbox import BOT_ID, WORKSPACE_ID
from tests.contract.machines._base import MANY, SECONDS, SIZES, TEXTS, Machine, items

__all__ = ["Datasets"]

NOT_FOUND = 4200
PROCESSING, COMPLETED, FAILED = 0, 1, 9
TEXT, IMAGE = 0, 2
CHUNKS = {"chunk_type": 0}


@attrs.define
class Document:
    """A document as it should be."""

    name: str
    content: bytes
    ends_at: int


@attrs.define
class Kept:
    """A knowledge base as it should be, its documents by id in the order in which they came."""

    name: str
    description: str
    format_type: int
    documents: dict[str, Document] = attrs.field(factory=dict)


class Datasets(Machine):
    """Any order of knowledge bases made, changed and deleted, and of documents in them."""

    datasets = Bundle("datasets")
    documents = Bundle("documents")

    def begin(self) -> None:
        """Begin without any."""
        self.kept: dict[str, Kept] = {}
        self.bound: list[str] = []

    @initialize(target=datasets)
    def first(self) -> Any:
        """Make a knowledge base with documents, which a bot knows: much can be done with it."""
        key = self.create("first", "", TEXT)
        self.add(key, [("one", "a"), ("two", "b"), ("three", "")])
        self.bind([key])
        return key

    @initialize(target=documents)
    def second(self) -> Any:
        """Make another one, whose documents are picked."""
        return self.add(self.create("second", "", TEXT), [("one", "a"), ("two", "b"), ("three", "")])

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=datasets, name=TEXTS, description=TEXTS, format_type=st.sampled_from([TEXT, TEXT, IMAGE]))
    def create(self, name: str, description: str, format_type: int) -> Any:
        """A new knowledge base has an id of its own."""
        self.later()
        dataset_id = self.coze.datasets.create(
            name=name, description=description, space_id=WORKSPACE_ID, format_type=format_type
        ).dataset_id
        assert dataset_id not in self.kept
        self.kept[dataset_id] = Kept(name, description, format_type)
        return dataset_id

    @rule(key=datasets, name=TEXTS, description=st.none() | TEXTS)
    def update(self, key: str, name: str, description: str | None) -> None:
        """Name and description are replaced; a description that is left out is emptied."""
        self.later()
        changes = {"name": name} | ({} if description is None else {"description": description})
        self.coze.datasets.update(dataset_id=key, **changes)
        self.kept[key].name, self.kept[key].description = name, description or ""

    @rule(key=consumes(datasets))
    def delete(self, key: str) -> None:
        """The knowledge base is gone, with its documents, also for the bot that knew it."""
        self.bind([*self.bound, key])
        self.coze.datasets.delete(dataset_id=key)
        self.bound = [dataset for dataset in self.bound if dataset != key]
        documents = self.kept.pop(key).documents
        self.refused(NOT_FOUND, self.coze.datasets.delete, dataset_id=key)
        self.refused(NOT_FOUND, self.coze.datasets.update, dataset_id=key, name="x")
        self.refused(NOT_FOUND, self.coze.datasets.documents.list, dataset_id=key)
        if documents:
            self.refused(NOT_FOUND, self.coze.datasets.documents.delete, document_ids=list(documents))

    @rule(keys=st.lists(datasets, max_size=2, unique=True))
    def bind(self, keys: list[str]) -> None:
        """A bot knows the knowledge bases that it is given, and no others."""
        self.bound = [key for key in dict.fromkeys(keys) if key in self.kept]
        self.coze.bots.update(bot_id=BOT_ID, knowledge={"dataset_ids": self.bound})

    @rule(target=documents, key=datasets, texts=st.lists(st.tuples(TEXTS, st.text("ab", max_size=5)), max_size=3))
    def add(self, key: str, texts: list[tuple[str, str]]) -> Any:
        """Documents are added in the order given, and are processed for a while."""
        known, now = self.kept[key], self.later()
        if known.format_type != TEXT or not texts:
            return multiple()
        bases = [
            {"name": name, "source_info": {"file_base64": _base64(text), "file_type": "txt"}} for name, text in texts
        ]
        listed = items(self.coze.datasets.documents.create(dataset_id=key, document_bases=bases, chunk_strategy=CHUNKS))
        assert [document.name for document in listed] == [name for name, _ in texts]
        for document, (name, text) in zip(listed, texts, strict=True):
            assert not any(document.document_id in other.documents for other in self.kept.values())
            known.documents[document.document_id] = Document(name, text.encode(), now + int(SECONDS))
            self.same(document, key)
        return multiple(*((key, document.document_id) for document in listed))

    @rule(place=documents, name=TEXTS)
    def rename(self, place: tuple[str, str], name: str) -> None:
        """The document has the new name."""
        self.later()
        arguments = {"document_id": place[1], "document_name": name}
        if self.is_there(place):
            self.coze.datasets.documents.update(**arguments)
            self.kept[place[0]].documents[place[1]].name = name
        else:
            self.refused(NOT_FOUND, self.coze.datasets.documents.update, **arguments)

    @rule(places=st.lists(documents, min_size=1, max_size=2, unique=True))
    def remove(self, places: list[tuple[str, str]]) -> None:
        """All documents that are named are gone, or none if one was gone already."""
        keys = [key for _, key in places]
        if all(map(self.is_there, places)):
            self.coze.datasets.documents.delete(document_ids=keys)
            for dataset, key in places:
                del self.kept[dataset].documents[key]
        self.refused(NOT_FOUND, self.coze.datasets.documents.delete, document_ids=keys)

    @rule(key=datasets)
    def progress(self, key: str) -> None:
        """The state of documents is returned in the order of the request."""
        keys = list(self.kept[key].documents)[::-1]
        if not keys:
            self.refused(NOT_FOUND, self.coze.datasets.process, dataset_id=key, document_ids=["1"])
            return
        response = self.coze.datasets.process(dataset_id=key, document_ids=keys).data
        assert [status.document_id for status in response] == keys
        for status in response:
            known = self.kept[key].documents[status.document_id]
            assert (status.document_name, status.status) == (known.name, self.status(known))
            assert (status.progress == 100) == (status.status != PROCESSING)

    @rule(seconds=st.sampled_from([1, SECONDS]))
    def wait(self, seconds: float) -> None:
        """Time goes by, and documents are done."""
        self.later(seconds)

    @rule(size=SIZES, name=TEXTS, format_type=st.sampled_from([TEXT, IMAGE]))
    def filtered(self, size: int, name: str, format_type: int) -> None:
        """Lists can be restricted by a part of the name and by kind."""
        part = name[:1]
        fit = [key for key, dataset in self.kept.items() if part in dataset.name and dataset.format_type == format_type]
        where = {"space_id": WORKSPACE_ID, "name": part, "format_type": format_type, "page_size": size}
        assert [dataset.dataset_id for dataset in items(self.coze.datasets.list(**where), len(fit))] == fit[::-1]

    @invariant()
    def known(self) -> None:
        """The bot knows what it was given and is still there."""
        knowledge = self.coze.bots.retrieve(bot_id=BOT_ID, is_published=False).knowledge
        assert [info.id for info in knowledge.knowledge_infos] == self.bound

    @invariant()
    def lists(self) -> None:
        """All knowledge bases and documents are listed, the newest first, and have the expected members."""
        size = 1 + len(self.kept) % 2
        listed = items(self.coze.datasets.list(space_id=WORKSPACE_ID, page_size=size), len(self.kept))
        assert [dataset.dataset_id for dataset in listed] == list(self.kept)[::-1]
        for dataset in listed:
            known = self.kept[dataset.dataset_id]
            assert (dataset.name, dataset.description, dataset.format_type) == (
                known.name,
                known.description,
                known.format_type,
            )
            assert dataset.bot_used_count == (dataset.dataset_id in self.bound)
            assert dataset.doc_count == len(known.documents)
            assert dataset.file_list == [document.name for document in known.documents.values()]
            assert dataset.all_file_size == str(sum(len(document.content) for document in known.documents.values()))
            there = [key for key, document in known.documents.items() if self.status(document) == PROCESSING]
            assert dataset.processing_file_id_list == there
            documents = items(
                self.coze.datasets.documents.list(dataset_id=dataset.dataset_id, size=size), len(known.documents)
            )
            assert [document.document_id for document in documents] == list(known.documents)[::-1]
            for document in documents:
                self.same(document, dataset.dataset_id)

    def same(self, shown: Any, key: str) -> None:
        """Compare a document that is shown with what it should be."""
        known = self.kept[key].documents[shown.document_id]
        assert (shown.name, shown.size, shown.status) == (known.name, len(known.content), self.status(known))

    def status(self, document: Document) -> int:
        """Return how far a document should be. Empty ones fail."""
        if document.ends_at > self.now:
            return PROCESSING
        return COMPLETED if document.content else FAILED

    def is_there(self, place: tuple[str, str]) -> bool:
        """Return whether a document should be there."""
        return place[0] in self.kept and place[1] in self.kept[place[0]].documents


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
