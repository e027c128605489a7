"""A local Coze with real state, driven by the bundled description.

`Sandbox` runs it in this process, `python -m coze_sandbox` on its own.

The scripted bot and workflows, by what they are asked, are described in `coze_sandbox._script` and
`coze_sandbox._workflow_scripts`; the ids of what is there at the start are the upper-case names
here.
"""

from __future__ import annotations

from ._answers import Violation
from ._clock import Clock
from ._faults import FAULT_KINDS, Fault, Faults
from ._log import RequestLog, RequestRecord
from ._oauth_apps import CHANNEL_APP, ENTERPRISE_APP, PUBLIC_APP, SERVICE_APP, WEB_APP, OAuthApp
from ._oauth_control import OAuthControl
from ._options import DEFAULT_TOKEN, Options
from ._sandbox import Sandbox
from ._seed import (
    APP_ID,
    BOT_ID,
    COLLEAGUE_IDS,
    ENTERPRISE_ID,
    FOLDER_ID,
    LIBRARY_PLUGIN_ID,
    LIVE_ID,
    LOCKED_PLUGIN_ID,
    ORGANIZATION_ID,
    PLUGIN_ID,
    RTC_APP_ID,
    USER_ID,
    VOICE_ID,
    WEATHER_PLUGIN_ID,
    WORKFLOW_ASK,
    WORKFLOW_CHAT,
    WORKFLOW_ECHO,
    WORKFLOW_FAIL,
    WORKFLOW_INTERLEAVED,
    WORKFLOW_UNPUBLISHED,
    WORKSPACE_ID,
)

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
    "Clock",
    "Fault",
    "Faults",
    "OAuthApp",
    "OAuthControl",
    "Options",
    "RequestLog",
    "RequestRecord",
    "Sandbox",
    "Violation",
]
