"""Seed data, which exists before the first request.

The ids are fixed, so that tests and examples can use them.
"""

from __future__ import annotations

from typing import Any

from .seed_plugins import LIBRARY_PLUGIN_ID, LOCKED_PLUGIN_ID, PLUGIN_ID, WEATHER_PLUGIN_ID, seed_plugins
from .store import Store

__all__ = [
    "APP_ID",
    "BOT_ID",
    "COLLEAGUE_IDS",
    "ENTERPRISE_ID",
    "FOLDER_ID",
    "LIBRARY_PLUGIN_ID",
    "LIVE_ID",
    "LOCKED_PLUGIN_ID",
    "ORGANIZATION_ID",
    "PLUGIN_ID",
    "RTC_APP_ID",
    "USER_ID",
    "VOICE_ID",
    "WEATHER_PLUGIN_ID",
    "WORKFLOW_ASK",
    "WORKFLOW_CHAT",
    "WORKFLOW_ECHO",
    "WORKFLOW_FAIL",
    "WORKFLOW_INTERLEAVED",
    "WORKFLOW_UNPUBLISHED",
    "WORKSPACE_ID",
    "seed_bot",
    "seed_store",
    "seed_workflow",
]

USER_ID = "7300000000000000001"
COLLEAGUE_IDS = ("7300000000000000002", "7300000000000000003", "7300000000000000004")
WORKSPACE_ID = "7300000000000000100"
BOT_ID = "7300000000000000200"
WORKFLOW_ECHO = "7300000000000000301"
WORKFLOW_ASK = "7300000000000000302"
WORKFLOW_FAIL = "7300000000000000303"
WORKFLOW_INTERLEAVED = "7300000000000000304"
WORKFLOW_UNPUBLISHED = "7300000000000000305"
WORKFLOW_CHAT = "7300000000000000306"

APP_ID = "7300000000000000500"
VOICE_ID = "7300000000000000400"
LIVE_ID = "7300000000000000450"
RTC_APP_ID = "6705332c79516e0173000045"

ENTERPRISE_ID = "volcano_7300000000000000600"
ORGANIZATION_ID = "7300000000000000601"
FOLDER_ID = "7300000000000000700"

_NAMES = ("Sandbox Owner", "Colleague 1", "Colleague 2", "Colleague 3")
_WORKFLOWS = {
    WORKFLOW_ECHO: ("echo", "echo"),
    WORKFLOW_ASK: ("ask", "ask"),  # codespell:ignore ask
    WORKFLOW_FAIL: ("fail", "fail"),
    WORKFLOW_INTERLEAVED: ("interleaved", "interleaved"),
    WORKFLOW_UNPUBLISHED: ("unpublished", "echo"),
    WORKFLOW_CHAT: ("chat", "chat"),
}
_FOLDERS = ((FOLDER_ID, "Projects", ""), ("7300000000000000701", "Finished projects", FOLDER_ID))
_SYSTEM_VOICES = {
    VOICE_ID: ("Calm voice", "en", "英语", "big"),
    "7300000000000000401": ("Lively voice", "zh", "中文", "small"),
}


def seed_store(store: Store, now: int) -> None:
    """Insert the seed data into an empty store.

    Args:
        store: The store.
        now: Creation time.
    """
    _seed_people(store)
    seed_bot(store, BOT_ID, "Sandbox bot", now)
    for key, (name, script) in _WORKFLOWS.items():
        seed_workflow(store, key, now, name, script)
    _seed_app(store, now)
    for key, described in _SYSTEM_VOICES.items():
        store.put("voice", key, _voice(key, described, now))
    for key, name, parent in _FOLDERS:
        folder = {
            "id": key,
            "name": name,
            "description": "",
            "folder_type": "development",
            "workspace_id": WORKSPACE_ID,
            "creator_user_id": USER_ID,
            "parent_folder_id": parent,
        }
        store.put("folder", key, folder, WORKSPACE_ID)
    streams = (("Chinese", "origin"), ("English", "translation"))
    infos = [
        {"stream_id": f"stream_{LIVE_ID}_{number}", "name": name, "live_type": kind}
        for number, (name, kind) in enumerate(streams)
    ]
    store.put("live", LIVE_ID, {"stream_infos": infos})
    seed_plugins(store, now)
    _seed_enterprise(store, now)


def _seed_people(store: Store) -> None:
    for key, nick_name in zip((USER_ID, *COLLEAGUE_IDS), _NAMES, strict=True):
        user_name = nick_name.lower().replace(" ", "_")
        user = {
            "user_id": key,
            "user_name": user_name,
            "nick_name": nick_name,
            "avatar_url": f"https://sandbox.invalid/avatar/{key}.png",
        }
        store.put("user", key, user)
    workspace = {
        "id": WORKSPACE_ID,
        "name": "Personal workspace",
        "description": "The workspace that every account has.",
        "icon_url": "https://sandbox.invalid/workspace.png",
        "owner_uid": USER_ID,
        "workspace_type": "personal",
        "enterprise_id": "",
    }
    store.put("workspace", WORKSPACE_ID, workspace)
    member = {"user_id": USER_ID, "role_type": "owner"}
    store.put("member", f"{WORKSPACE_ID}/{USER_ID}", member, WORKSPACE_ID)


def seed_bot(store: Store, key: str, name: str, now: int) -> None:
    """Insert a bot that is published to the API channel.

    Args:
        store: The store.
        key: Its id.
        name: Its name.
        now: Creation time.
    """
    version = str(now * 1000)
    draft = {
        "bot_id": key,
        "name": name,
        "description": "Repeats what you say.",  # codespell:ignore say
        "create_time": now,
        "update_time": now,
        "owner_user_id": USER_ID,
    }
    published = {"version": version, "published_at": now, "connectors": ["1024"], "creator": USER_ID, "snapshot": draft}
    bot = {"space_id": WORKSPACE_ID, "draft": draft, "collaboration_mode": "single"}
    bot["channels"] = {"1024": {"version": version, "published_at": now}}
    store.put("bot", key, bot, WORKSPACE_ID)
    store.put("bot_version", f"{key}/{version}", published, key)


def seed_workflow(store: Store, key: str, now: int, name: str = "", script: str = "echo") -> None:
    """Insert a workflow.

    Args:
        store: The store.
        key: Its id.
        now: Creation time.
        name: Its name; its id by default.
        script: Name of its script.
    """
    store.put("workflow", key, _workflow(key, name or key, script, now), WORKSPACE_ID)


def _workflow(key: str, name: str, script: str, now: int) -> dict[str, Any]:
    return {
        "workflow_id": key,
        "space_id": WORKSPACE_ID,
        "name": name,
        "script": script,
        "mode": "chatflow" if script == "chat" else "workflow",
        "published": key != WORKFLOW_UNPUBLISHED,
        "app_id": "0",
        "creator_id": USER_ID,
        "created_at": now,
        "updated_at": now,
        "collaboration_mode": "single",
    }


def _seed_app(store: Store, now: int) -> None:
    app = {
        "id": APP_ID,
        "space_id": WORKSPACE_ID,
        "name": "Sandbox app",
        "description": "An app that is published.",
        "icon_url": "https://sandbox.invalid/app.png",
        "is_published": True,
        "owner_user_id": USER_ID,
        "updated_at": now,
        "published_at": now,
    }
    store.put("app", APP_ID, app, WORKSPACE_ID)


def _voice(key: str, described: tuple[str, str, str, str], now: int) -> dict[str, Any]:
    name, language_code, language_name, model_type = described
    return {
        "voice_id": key,
        "name": name,
        "is_system_voice": True,
        "state": "cloned",
        "model_type": model_type,
        "model_name": "",
        "language_code": language_code,
        "language_name": language_name,
        "preview_text": "Hello.",
        "preview_audio": f"https://sandbox.invalid/voice/{key}.mp3",
        "available_training_times": 0,
        "create_time": now,
        "update_time": now,
    }


def _seed_enterprise(store: Store, now: int) -> None:
    store.put("enterprise", ENTERPRISE_ID, {"enterprise_id": ENTERPRISE_ID})
    organization = {"organization_id": ORGANIZATION_ID, "name": "Default organization", "is_default": True}
    store.put("organization", ORGANIZATION_ID, {**organization, "enterprise_id": ENTERPRISE_ID}, ENTERPRISE_ID)
    employee = {"user_id": USER_ID, "role": "enterprise_admin"}
    store.put("employee", f"{ENTERPRISE_ID}/{USER_ID}", employee, ENTERPRISE_ID)
    member = {"user_id": USER_ID, "role": "organization_super_admin", "created_at": now}
    store.put("organization_member", f"{ORGANIZATION_ID}/{USER_ID}", member, ORGANIZATION_ID)
