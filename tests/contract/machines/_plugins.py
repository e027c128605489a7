"""Plugins of the store, whose calls are counted."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from coze_sandbox import LIBRARY_PLUGIN_ID, LOCKED_PLUGIN_ID, PLUGIN_ID, WEATHER_PLUGIN_ID
from tests.contract.machines._base import SIZES, TEXTS, Machine, items

__all__ = ["Plugins"]

NOT_FOUND, NOT_ALLOWED, NO_PERMISSION = 4200, 4000, 4101
BY_HEAT = (WEATHER_PLUGIN_ID, PLUGIN_ID, LOCKED_PLUGIN_ID)
NEWEST = tuple(sorted(BY_HEAT, reverse=True))
PLUGINS = st.sampled_from([*BY_HEAT, LIBRARY_PLUGIN_ID, "1"])


class Plugins(Machine):
    """Any order of tools called and plugins looked up."""

    def begin(self) -> None:
        """Begin without any call."""
        self.calls = dict.fromkeys(BY_HEAT, 0)

    @rule(text=TEXTS)
    def mirror(self, text: str) -> None:
        """A tool works as described, and the call is counted."""
        response = self.coze.plugins.tools.call(plugin_id=PLUGIN_ID, tool_name="mirror", arguments={"text": text})
        assert response.result == {"text": text[::-1]}
        self.calls[PLUGIN_ID] += 1

    @rule()
    def forecast(self) -> None:
        """A call of another plugin is counted there."""
        self.coze.plugins.tools.call(
            plugin_id=WEATHER_PLUGIN_ID, tool_name="get_weather", arguments={"city": "Hangzhou"}
        )
        self.calls[WEATHER_PLUGIN_ID] += 1

    @rule()
    def turned_away(self) -> None:
        """A tool that is locked, free, unknown or wrongly called is not run."""
        call, arguments = self.coze.plugins.tools.call, {"arguments": {"text": "x"}}
        self.refused(NO_PERMISSION, call, plugin_id=LOCKED_PLUGIN_ID, tool_name="get_headlines", **arguments)
        self.refused(NOT_ALLOWED, call, plugin_id=LIBRARY_PLUGIN_ID, tool_name="note", **arguments)
        self.refused(NOT_ALLOWED, call, plugin_id=PLUGIN_ID, tool_name="mirror", arguments={})
        self.refused(NOT_FOUND, call, plugin_id=PLUGIN_ID, tool_name="lantern", **arguments)
        self.refused(NOT_FOUND, call, plugin_id="1", tool_name="mirror", **arguments)

    @rule(ids=st.lists(PLUGINS, min_size=1, max_size=4))
    def looked_up(self, ids: list[str]) -> None:
        """Plugins are returned in the requested order, each once, without those that are not known."""
        response = self.coze.plugins.retrieve_many(ids=ids).items
        assert [plugin.plugin_id for plugin in response] == [key for key in dict.fromkeys(ids) if key != "1"]
        for plugin in response:
            assert self.coze.plugins.retrieve(plugin_id=plugin.plugin_id).name == plugin.name

    @rule(size=SIZES)
    def newest(self, size: int) -> None:
        """The store can be listed by age."""
        listed = items(self.coze.stores.plugins.list(sort_type="newest", page_size=size))
        assert tuple(plugin.metainfo.entity_id for plugin in listed) == NEWEST

    @invariant()
    def lists(self) -> None:
        """The store lists what is paid for, the hottest first, with the number of calls."""
        listed = items(self.coze.stores.plugins.list(page_size=2))
        assert tuple(plugin.metainfo.entity_id for plugin in listed) == BY_HEAT
        assert {plugin.metainfo.entity_id: plugin.plugin_info.call_count for plugin in listed} == self.calls
