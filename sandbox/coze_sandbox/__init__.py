"""A local Coze with real state, driven by the bundled OpenAPI description.

`Sandbox` runs it in this process, `python -m coze_sandbox` as a process of its own.

The scripts of the bot and the workflows are described in `coze_sandbox._bots.script` and
`coze_sandbox._workflows.scripts`; the upper-case names here are the ids of the seed data. Importing the
package is cheap: a module is loaded when one of its names is first used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._callbacks.dispatcher import Callbacks as Callbacks
    from ._callbacks.sender import Attempt as Attempt
    from ._callbacks.sender import Delivery as Delivery
    from ._common.clock import Clock as Clock
    from ._config.oauth_apps import CHANNEL_APP as CHANNEL_APP
    from ._config.oauth_apps import ENTERPRISE_APP as ENTERPRISE_APP
    from ._config.oauth_apps import PUBLIC_APP as PUBLIC_APP
    from ._config.oauth_apps import SERVICE_APP as SERVICE_APP
    from ._config.oauth_apps import WEB_APP as WEB_APP
    from ._config.oauth_apps import OAuthApp as OAuthApp
    from ._config.options import DEFAULT_TOKEN as DEFAULT_TOKEN
    from ._config.options import Options as Options
    from ._faults.faults import FAULT_KINDS as FAULT_KINDS
    from ._faults.faults import Fault as Fault
    from ._faults.faults import Faults as Faults
    from ._http.request_log import RequestLog as RequestLog
    from ._http.request_log import RequestRecord as RequestRecord
    from ._http.request_log import SocketEntry as SocketEntry
    from ._http.responses import Violation as Violation
    from ._oauth.control import OAuthControl as OAuthControl
    from ._sandbox import Sandbox as Sandbox
    from ._scenario.scenario import Scenario as Scenario
    from ._state.seed import APP_ID as APP_ID
    from ._state.seed import BOT_ID as BOT_ID
    from ._state.seed import COLLEAGUE_IDS as COLLEAGUE_IDS
    from ._state.seed import ENTERPRISE_ID as ENTERPRISE_ID
    from ._state.seed import FOLDER_ID as FOLDER_ID
    from ._state.seed import LIBRARY_PLUGIN_ID as LIBRARY_PLUGIN_ID
    from ._state.seed import LIVE_ID as LIVE_ID
    from ._state.seed import LOCKED_PLUGIN_ID as LOCKED_PLUGIN_ID
    from ._state.seed import ORGANIZATION_ID as ORGANIZATION_ID
    from ._state.seed import PLUGIN_ID as PLUGIN_ID
    from ._state.seed import RTC_APP_ID as RTC_APP_ID
    from ._state.seed import USER_ID as USER_ID
    from ._state.seed import VOICE_ID as VOICE_ID
    from ._state.seed import WEATHER_PLUGIN_ID as WEATHER_PLUGIN_ID
    from ._state.seed import WORKFLOW_ASK as WORKFLOW_ASK
    from ._state.seed import WORKFLOW_CHAT as WORKFLOW_CHAT
    from ._state.seed import WORKFLOW_ECHO as WORKFLOW_ECHO
    from ._state.seed import WORKFLOW_FAIL as WORKFLOW_FAIL
    from ._state.seed import WORKFLOW_INTERLEAVED as WORKFLOW_INTERLEAVED
    from ._state.seed import WORKFLOW_UNPUBLISHED as WORKFLOW_UNPUBLISHED
    from ._state.seed import WORKSPACE_ID as WORKSPACE_ID

__all__ = [
    "APP_ID",
    "BOT_ID",
    "CHANNEL_APP",
    "COLLEAGUE_IDS",
    "DEFAULT_TOKEN",
    "ENTERPRISE_APP",
    "ENTERPRISE_ID",
    "FAULT_KINDS",
    "FOLDER_ID",
    "LIBRARY_PLUGIN_ID",
    "LIVE_ID",
    "LOCKED_PLUGIN_ID",
    "ORGANIZATION_ID",
    "PLUGIN_ID",
    "PUBLIC_APP",
    "RTC_APP_ID",
    "SERVICE_APP",
    "USER_ID",
    "VOICE_ID",
    "WEATHER_PLUGIN_ID",
    "WEB_APP",
    "WORKFLOW_ASK",
    "WORKFLOW_CHAT",
    "WORKFLOW_ECHO",
    "WORKFLOW_FAIL",
    "WORKFLOW_INTERLEAVED",
    "WORKFLOW_UNPUBLISHED",
    "WORKSPACE_ID",
    "Attempt",
    "Callbacks",
    "Clock",
    "Delivery",
    "Fault",
    "Faults",
    "OAuthApp",
    "OAuthControl",
    "Options",
    "RequestLog",
    "RequestRecord",
    "Sandbox",
    "Scenario",
    "SocketEntry",
    "Violation",
]

_MODULES = {
    "APP_ID": "_state.seed",
    "Attempt": "_callbacks.sender",
    "BOT_ID": "_state.seed",
    "CHANNEL_APP": "_config.oauth_apps",
    "COLLEAGUE_IDS": "_state.seed",
    "Callbacks": "_callbacks.dispatcher",
    "Clock": "_common.clock",
    "DEFAULT_TOKEN": "_config.options",
    "Delivery": "_callbacks.sender",
    "ENTERPRISE_APP": "_config.oauth_apps",
    "ENTERPRISE_ID": "_state.seed",
    "FAULT_KINDS": "_faults.faults",
    "FOLDER_ID": "_state.seed",
    "Fault": "_faults.faults",
    "Faults": "_faults.faults",
    "LIBRARY_PLUGIN_ID": "_state.seed",
    "LIVE_ID": "_state.seed",
    "LOCKED_PLUGIN_ID": "_state.seed",
    "OAuthApp": "_config.oauth_apps",
    "OAuthControl": "_oauth.control",
    "ORGANIZATION_ID": "_state.seed",
    "Options": "_config.options",
    "PLUGIN_ID": "_state.seed",
    "PUBLIC_APP": "_config.oauth_apps",
    "RTC_APP_ID": "_state.seed",
    "RequestLog": "_http.request_log",
    "RequestRecord": "_http.request_log",
    "SERVICE_APP": "_config.oauth_apps",
    "Sandbox": "_sandbox",
    "Scenario": "_scenario.scenario",
    "SocketEntry": "_http.request_log",
    "USER_ID": "_state.seed",
    "VOICE_ID": "_state.seed",
    "Violation": "_http.responses",
    "WEATHER_PLUGIN_ID": "_state.seed",
    "WEB_APP": "_config.oauth_apps",
    "WORKFLOW_ASK": "_state.seed",
    "WORKFLOW_CHAT": "_state.seed",
    "WORKFLOW_ECHO": "_state.seed",
    "WORKFLOW_FAIL": "_state.seed",
    "WORKFLOW_INTERLEAVED": "_state.seed",
    "WORKFLOW_UNPUBLISHED": "_state.seed",
    "WORKSPACE_ID": "_state.seed",
}

if not TYPE_CHECKING:  # visible to type checkers, it would make every misspelt name valid

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted(__all__)
