"""Callback apps and their subscriptions, in pages that are reached by tokens."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, precondition, rule

from tests.contract.machines._base import MANY, TEXTS, Machine, items

__all__ = ["CallbackApps"]

NOT_FOUND = 4200
KINDS = st.sampled_from(["normal", "connector"])
EVENTS = st.lists(st.sampled_from(["bot.published", "bot.deleted", "bot.unpublished"]), min_size=1, unique=True)


@attrs.define
class Kept:
    """An app as it should be."""

    name: str
    app_type: str
    callback_url: str = ""
    events: list[str] = attrs.field(factory=list)


class CallbackApps(Machine):
    """Any order of apps made, changed and deleted, and of subscriptions."""

    apps = Bundle("apps")

    def begin(self) -> None:
        """Begin without any."""
        self.kept: dict[str, Kept] = {}

    @initialize(target=apps)
    def first(self) -> Any:
        """Make an app with subscriptions: much can be done with it."""
        key = self.create("first", "normal")
        self.subscribe(key, ["bot.published", "bot.deleted"])
        return key

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=apps, name=TEXTS, kind=KINDS)
    def create(self, name: str, kind: str) -> Any:
        """A new app is what it was made of."""
        app = self.coze.api_apps.create(name=name, app_type=kind, connector_id="10")
        assert app.id not in self.kept
        self.kept[app.id] = Kept(name, kind)
        self.same(app)
        return app.id

    @rule(key=apps, name=st.none() | TEXTS, url=st.none() | st.just("https://example.com/hook"))
    def update(self, key: str, name: str | None, url: str | None) -> None:
        """What is given is changed, and nothing else."""
        self.coze.api_apps.update(api_app_id=key, name=name, callback_url=url)
        known = self.kept[key]
        known.name, known.callback_url = name or known.name, url or known.callback_url

    @rule(key=consumes(apps))
    def delete(self, key: str) -> None:
        """The app is gone."""
        self.coze.api_apps.delete(api_app_id=key)
        del self.kept[key]
        self.refused(NOT_FOUND, self.coze.api_apps.delete, api_app_id=key)
        self.refused(NOT_FOUND, self.coze.api_apps.events.list, api_app_id=key)

    @rule(key=apps, events=EVENTS)
    def subscribe(self, key: str, events: list[str]) -> None:
        """Events are added that were not subscribed to."""
        self.coze.api_apps.events.create(api_app_id=key, event_types=events)
        known = self.kept[key]
        known.events += [event for event in events if event not in known.events]

    @rule(key=apps, events=EVENTS)
    def unsubscribe(self, key: str, events: list[str]) -> None:
        """Events are no longer subscribed to."""
        self.coze.api_apps.events.delete(api_app_id=key, event_types=events)
        known = self.kept[key]
        known.events = [event for event in known.events if event not in events]

    @rule(kind=KINDS)
    def filtered(self, kind: str) -> None:
        """Apps can be listed by kind."""
        fit = [key for key, app in self.kept.items() if app.app_type == kind]
        assert [app.id for app in items(self.coze.api_apps.list(app_type=kind, page_size=2))] == fit

    @invariant()
    def lists(self) -> None:
        """All apps and subscriptions are listed."""
        size = 1 + len(self.kept) % 2
        listed = items(self.coze.api_apps.list(page_size=size))
        assert [app.id for app in listed] == list(self.kept)
        for app in listed:
            self.same(app)
            events = items(self.coze.api_apps.events.list(api_app_id=app.id, page_size=size))
            assert [event.event_type for event in events] == self.kept[app.id].events
            assert {event.api_app_id for event in events} <= {app.id}

    def same(self, shown: Any) -> None:
        """Compare an app that is shown with what it should be."""
        known = self.kept[shown.id]
        assert (shown.name, shown.app_type, shown.callback_url) == (known.name, known.app_type, known.callback_url)
