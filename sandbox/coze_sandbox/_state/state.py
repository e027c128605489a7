"""The state that the handlers share, with its ids and its clock."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from .._common.clock import Clock
from .._common.ids import EventIds, Ids, LogIds
from .._config.oauth_apps import AppKeys
from .._config.options import Options
from .seed import seed_store
from .store import Store
from .stubs import StubRegistry
from .visibility import can_read

__all__ = ["DomainEvent", "SandboxState"]

_LAST_ID = "last_id"
_AHEAD = "ahead"


class SandboxState:
    """The state of one sandbox.

    Args:
        options: The settings.
        clock: The clock.

    Attributes:
        options: The settings.
        clock: The clock.
        store: The documents.
        keys: The keys of OAuth apps.
        auto_consent: Decision on OAuth requests without a consent page; see `Options`.
        stubs: Stubs for upcoming calls.
        logids: Log ids of calls.
        event_ids: Ids of WebSocket messages.
        epoch: Random id that changes with every reset and every start of a process.
    """

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.epoch = uuid.uuid4().hex
        self.store = Store(options.db)
        self.keys = AppKeys(options.oauth_apps)
        self.auto_consent = options.auto_consent
        self.stubs = StubRegistry()
        self.clock.resume(float(self.store.get_meta(_AHEAD) or 0))
        self.clock.on_advance(self._save_clock)
        self._reset_listeners: set[Callable[[], None]] = set()
        self._listeners: list[Callable[[DomainEvent], None]] = []
        self._actor = threading.local()
        self._reset_ids()
        known = self.store.get_meta(_LAST_ID)
        self._ids = Ids(options.seed, None if known is None else int(known))
        if known is None:
            self._seed()

    def new_id(self) -> str:
        """Return an id that this state never used before, also after a restart."""
        value = self._ids.next()
        self.store.set_meta(_LAST_ID, value)
        return value

    @contextmanager
    def on_reset(self, watcher: Callable[[], None]) -> Iterator[None]:
        """Call *watcher* on every reset while the block runs, possibly on another thread."""
        self._reset_listeners.add(watcher)
        try:
            yield
        finally:
            self._reset_listeners.discard(watcher)

    def subscribe(self, listener: Callable[[DomainEvent], None]) -> None:
        """Call *listener* with every domain event."""
        self._listeners.append(listener)

    def emit(self, event: DomainEvent) -> None:
        """Notify the listeners after the current transaction is committed."""
        for listener in self._listeners:
            self.store.after_commit(functools.partial(listener, event))

    def find(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a document, or None if it does not exist or the current account cannot read it."""
        document = self.store.get(kind, key)
        viewer: str | None = getattr(self._actor, "user_id", None)
        if document is None or viewer is None or can_read(self.store, kind, key, document, viewer):
            return document
        return None

    def list(self, kind: str, parent: str | None = None) -> list[dict[str, Any]]:
        """Return the documents of a kind, or of one parent, that the current account can read, oldest first.

        For kinds whose documents belong to accounts; the others are listed by their workspace.
        """
        viewer: str | None = getattr(self._actor, "user_id", None)
        documents = self.store.list(kind, parent)
        return (
            documents
            if viewer is None
            else [document for document in documents if can_read(self.store, kind, "", document, viewer)]
        )

    @contextmanager
    def acting_as(self, user_id: str) -> Iterator[None]:
        """Restrict `find` and `list` to what an account can read, in the block and on this thread."""
        before: str | None = getattr(self._actor, "user_id", None)
        self._actor.user_id = user_id
        try:
            yield
        finally:
            self._actor.user_id = before

    def reset(self) -> None:
        """Restore the seed data."""
        self.clock.reset()  # first, since the seed data has creation times
        with self.store.transaction():
            self.store.clear()
            self.epoch = uuid.uuid4().hex
            self._ids = Ids(self.options.seed)
            self._reset_ids()
            self._seed()
        self.auto_consent = self.options.auto_consent
        self.stubs.clear()
        for watcher in tuple(self._reset_listeners):
            watcher()

    def close(self) -> None:
        """Close the state's file."""
        self.clock.forget(self._save_clock)
        self.store.close()

    def _save_clock(self) -> None:
        self.store.set_meta(_AHEAD, str(self.clock.ahead))

    def _reset_ids(self) -> None:
        self.logids = LogIds(self.options.seed, self.clock)
        self.event_ids = EventIds(self.options.seed)

    def _seed(self) -> None:
        with self.store.transaction():
            seed_store(self.store, self.clock.seconds())
            self.store.set_meta(_LAST_ID, str(self._ids.last))


@attrs.frozen(kw_only=True)
class DomainEvent:
    """An event in the sandbox that is sent to callback apps.

    Attributes:
        kind: The `event_type` of its callback.
        event: The member `event` of the message.
        space_id: The workspace; empty for none.
        account_id: The account; None if the message does not include it.
        connector_id: The channel whose app is notified; None for the apps of the account.
    """

    kind: str
    event: Mapping[str, Any]
    space_id: str = ""
    account_id: str | None = None
    connector_id: str | None = None
