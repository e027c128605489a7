"""The machines, and the faults that each of them must find."""

from __future__ import annotations

from tests.contract.machines._base import Machine
from tests.contract.machines._bills import Bills
from tests.contract.machines._bots import Bots
from tests.contract.machines._browsers import Browsers
from tests.contract.machines._callback_apps import CallbackApps
from tests.contract.machines._chats import Chats
from tests.contract.machines._conversations import Conversations
from tests.contract.machines._copies import Copies
from tests.contract.machines._databases import Databases
from tests.contract.machines._datasets import Datasets
from tests.contract.machines._devices import Devices
from tests.contract.machines._editors import Editors
from tests.contract.machines._mutants import Mutant, reversed_, short, skipping, unsaved
from tests.contract.machines._organizations import Organizations
from tests.contract.machines._people import Members
from tests.contract.machines._pictures import Pictures
from tests.contract.machines._plugins import Plugins
from tests.contract.machines._quotas import Quotas
from tests.contract.machines._runs import Runs
from tests.contract.machines._service_apps import ServiceApps
from tests.contract.machines._variables import Variables
from tests.contract.machines._voiceprints import Voiceprints
from tests.contract.machines._voices import Voices

__all__ = ["SEEDED"]

SEEDED: dict[type[Machine], list[Mutant]] = {
    Bills: [
        Mutant("bill_tasks.create", unsaved),
        *(Mutant("bill_tasks.list", fault) for fault in (reversed_, short, skipping)),
    ],
    Bots: [
        *(Mutant(f"bots.{verb}", unsaved) for verb in ("create", "update", "publish", "unpublish")),
        Mutant("bots.list", skipping),
        Mutant("bots.list_published", short),
        Mutant("bots.versions.list", reversed_),
        Mutant("chat.create", unsaved),
        Mutant("chat.messages.list", short),
    ],
    Browsers: [
        *(Mutant(f"oauth.{verb}", unsaved) for verb in ("authorize", "authorize_workspace", "token")),
    ],
    CallbackApps: [
        *(Mutant(f"api_apps.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"api_apps.events.{verb}", unsaved) for verb in ("create", "delete")),
        Mutant("api_apps.list", skipping),
        Mutant("api_apps.events.list", short),
    ],
    Chats: [
        *(Mutant(f"chat.{verb}", unsaved) for verb in ("create", "cancel", "submit_tool_outputs")),
        Mutant("chat.messages.list", short),
    ],
    Conversations: [
        *(Mutant(f"conversations.{verb}", unsaved) for verb in ("create", "update", "delete", "clear")),
        *(Mutant(f"conversations.messages.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"conversations.messages.feedback.{verb}", unsaved) for verb in ("create", "delete")),
        *(Mutant("conversations.messages.list", fault) for fault in (reversed_, short, skipping)),
        *(Mutant("conversations.list", fault) for fault in (reversed_, short, skipping)),
    ],
    Copies: [
        *(Mutant(f"copy_tasks.{verb}", unsaved) for verb in ("create", "retrieve")),
        Mutant("templates.duplicate", unsaved),
        *(Mutant("apps.list", fault) for fault in (reversed_, short)),
        Mutant("workflows.list", skipping),
    ],
    Databases: [
        *(Mutant(f"databases.{verb}", unsaved) for verb in ("create", "delete")),
        *(Mutant(f"databases.records.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant("databases.records.query", fault) for fault in (reversed_, short, skipping)),
        Mutant("databases.list", skipping),
    ],
    Datasets: [
        *(Mutant(f"datasets.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"datasets.documents.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant("datasets.documents.list", fault) for fault in (reversed_, short, skipping)),
        Mutant("datasets.list", skipping),
        Mutant("datasets.process", short),
    ],
    Devices: [
        *(Mutant(f"oauth.{verb}", unsaved) for verb in ("device_code", "device_code_workspace", "token")),
    ],
    Editors: [
        *(
            Mutant(f"{kind}.collaborators.{verb}", unsaved)
            for kind in ("apps", "bots", "workflows")
            for verb in ("create", "delete")
        ),
        *(Mutant(f"{kind}.collaboration_modes.update", unsaved) for kind in ("bots", "workflows")),
    ],
    Members: [
        *(Mutant(f"workspaces.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"workspaces.members.{verb}", unsaved) for verb in ("create", "update", "delete")),
        Mutant("workspaces.members.list", skipping),
        Mutant("workspaces.list", reversed_),
    ],
    Organizations: [
        Mutant("enterprises.organizations.create", unsaved),
        Mutant("organizations.update", unsaved),
        *(Mutant(f"enterprises.members.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"organizations.members.{verb}", unsaved) for verb in ("create", "update", "delete")),
        Mutant("organizations.members.list", skipping),
    ],
    Pictures: [
        *(Mutant(f"datasets.{name}", unsaved) for name in ("documents.create", "documents.delete", "images.update")),
        *(Mutant("datasets.images.list", fault) for fault in (reversed_, short, skipping)),
    ],
    Plugins: [Mutant("plugins.tools.call", unsaved), Mutant("stores.plugins.list", skipping)],
    Quotas: [
        *(Mutant(f"benefit_limitations.{verb}", unsaved) for verb in ("create", "update")),
        *(Mutant("benefit_limitations.list", fault) for fault in (reversed_, short, skipping)),
    ],
    Runs: [
        *(Mutant(f"workflows.runs.{verb}", unsaved) for verb in ("create", "resume")),
    ],
    ServiceApps: [
        *(Mutant(f"oauth.{verb}", unsaved) for verb in ("token", "token_account", "token_enterprise")),
    ],
    Variables: [Mutant("variables.update", unsaved), Mutant("variables.retrieve", short)],
    Voiceprints: [
        *(Mutant(f"audio.voiceprint_groups.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"audio.voiceprint_groups.features.{verb}", unsaved) for verb in ("create", "update", "delete")),
        Mutant("audio.voiceprint_groups.list", skipping),
        Mutant("audio.voiceprint_groups.features.list", short),
        Mutant("audio.voiceprint_groups.speaker_identify", reversed_),
    ],
    Voices: [
        Mutant("audio.voices.clone", unsaved),
        *(Mutant("audio.voices.list", fault) for fault in (reversed_, short, skipping)),
    ],
}
