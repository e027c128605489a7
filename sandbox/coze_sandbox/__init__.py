"""A local Coze with real state, driven by the bundled description.

`Sandbox` runs it in this process, `python -m coze_sandbox` on its own.

The scripted bot and workflows, by what they are asked, are described in `coze_sandbox._script` and
`coze_sandbox._workflow_scripts`; the ids of what is there at the start are the upper-case names
here. Importing the package is cheap: what a name needs is loaded when the name is first used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._answers import Violation as Violation
    from ._callbacks import Callbacks as Callbacks
    from ._clock import Clock as Clock
    from ._delivery import Attempt as Attempt
    from ._delivery import Delivery as Delivery
    from ._faults import FAULT_KINDS as FAULT_KINDS
    from ._faults import Fault as Fault
    from ._faults import Faults as Faults
    from ._log import RequestLog as RequestLog
    from ._log import RequestRecord as RequestRecord
    from ._log import SocketEntry as SocketEntry
    from ._oauth_apps import CHANNEL_APP as CHANNEL_APP
    from ._oauth_apps import ENTERPRISE_APP as ENTERPRISE_APP
    from ._oauth_apps import PUBLIC_APP as PUBLIC_APP
    from ._oauth_apps import SERVICE_APP as SERVICE_APP
    from ._oauth_apps import WEB_APP as WEB_APP
    from ._oauth_apps import OAuthApp as OAuthApp
    from ._oauth_control import OAuthControl as OAuthControl
    from ._options import DEFAULT_TOKEN as DEFAULT_TOKEN
    from ._options import Options as Options
    from ._sandbox import Sandbox as Sandbox
    from ._scenario import Scenario as Scenario
    from ._seed import APP_ID as APP_ID
    from ._seed import BOT_ID as BOT_ID
    from ._seed import COLLEAGUE_IDS as COLLEAGUE_IDS
    from ._seed import ENTERPRISE_ID as ENTERPRISE_ID
    from ._seed import FOLDER_ID as FOLDER_ID
    from ._seed import LIBRARY_PLUGIN_ID as LIBRARY_PLUGIN_ID
    from ._seed import LIVE_ID as LIVE_ID
    from ._seed import LOCKED_PLUGIN_ID as LOCKED_PLUGIN_ID
    from ._seed import ORGANIZATION_ID as ORGANIZATION_ID
    from ._seed import PLUGIN_ID as PLUGIN_ID
    from ._seed import RTC_APP_ID as RTC_APP_ID
    from ._seed import USER_ID as USER_ID
    from ._seed import VOICE_ID as VOICE_ID
    from ._seed import WEATHER_PLUGIN_ID as WEATHER_PLUGIN_ID
    from ._seed import WORKFLOW_ASK as WORKFLOW_ASK
    from ._seed import WORKFLOW_CHAT as WORKFLOW_CHAT
    from ._seed import WORKFLOW_ECHO as WORKFLOW_ECHO
    from ._seed import WORKFLOW_FAIL as WORKFLOW_FAIL
    from ._seed import WORKFLOW_INTERLEAVED as WORKFLOW_INTERLEAVED
    from ._seed import WORKFLOW_UNPUBLISHED as WORKFLOW_UNPUBLISHED
    from ._seed import WORKSPACE_ID as WORKSPACE_ID

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
    "APP_ID": "_seed",
    "Attempt": "_delivery",
    "BOT_ID": "_seed",
    "CHANNEL_APP": "_oauth_apps",
    "COLLEAGUE_IDS": "_seed",
    "Callbacks": "_callbacks",
    "Clock": "_clock",
    "DEFAULT_TOKEN": "_options",
    "Delivery": "_delivery",
    "ENTERPRISE_APP": "_oauth_apps",
    "ENTERPRISE_ID": "_seed",
    "FAULT_KINDS": "_faults",
    "FOLDER_ID": "_seed",
    "Fault": "_faults",
    "Faults": "_faults",
    "LIBRARY_PLUGIN_ID": "_seed",
    "LIVE_ID": "_seed",
    "LOCKED_PLUGIN_ID": "_seed",
    "OAuthApp": "_oauth_apps",
    "OAuthControl": "_oauth_control",
    "ORGANIZATION_ID": "_seed",
    "Options": "_options",
    "PLUGIN_ID": "_seed",
    "PUBLIC_APP": "_oauth_apps",
    "RTC_APP_ID": "_seed",
    "RequestLog": "_log",
    "RequestRecord": "_log",
    "SERVICE_APP": "_oauth_apps",
    "Sandbox": "_sandbox",
    "Scenario": "_scenario",
    "SocketEntry": "_log",
    "USER_ID": "_seed",
    "VOICE_ID": "_seed",
    "Violation": "_answers",
    "WEATHER_PLUGIN_ID": "_seed",
    "WEB_APP": "_oauth_apps",
    "WORKFLOW_ASK": "_seed",
    "WORKFLOW_CHAT": "_seed",
    "WORKFLOW_ECHO": "_seed",
    "WORKFLOW_FAIL": "_seed",
    "WORKFLOW_INTERLEAVED": "_seed",
    "WORKFLOW_UNPUBLISHED": "_seed",
    "WORKSPACE_ID": "_seed",
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
