"""Calls in any order have the effects that they should have: what is made is there, what is deleted is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cozekit.errors import CozeError
from tests.contract.machines._base import Machine, Stage, explore, stage
from tests.contract.machines._bots import Bots
from tests.contract.machines._callback_apps import CallbackApps
from tests.contract.machines._conversations import Conversations
from tests.contract.machines._datasets import Datasets
from tests.contract.machines._devices import Devices
from tests.contract.machines._mutants import Mutant, reversed_, short, skipping, unsaved
from tests.contract.machines._organizations import Organizations
from tests.contract.machines._people import Members
from tests.contract.machines._plugins import Plugins
from tests.contract.machines._variables import Variables
from tests.contract.machines._voiceprints import Voiceprints

KINDS: tuple[type[Machine], ...] = (
    Bots,
    CallbackApps,
    Conversations,
    Datasets,
    Devices,
    Members,
    Organizations,
    Plugins,
    Variables,
    Voiceprints,
)
SEEDED: dict[type[Machine], list[Mutant]] = {
    Bots: [
        *(Mutant(f"bots.{verb}", unsaved) for verb in ("create", "update", "publish", "unpublish")),
        Mutant("bots.list", skipping),
        Mutant("bots.list_published", short),
        Mutant("bots.versions.list", reversed_),
        Mutant("chat.create", unsaved),
        Mutant("chat.messages.list", short),
    ],
    CallbackApps: [
        *(Mutant(f"api_apps.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"api_apps.events.{verb}", unsaved) for verb in ("create", "delete")),
        Mutant("api_apps.list", skipping),
        Mutant("api_apps.events.list", short),
    ],
    Conversations: [
        *(Mutant(f"conversations.{verb}", unsaved) for verb in ("create", "update", "delete", "clear")),
        *(Mutant(f"conversations.messages.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"conversations.messages.feedback.{verb}", unsaved) for verb in ("create", "delete")),
        *(Mutant("conversations.messages.list", fault) for fault in (reversed_, short, skipping)),
        *(Mutant("conversations.list", fault) for fault in (reversed_, short, skipping)),
    ],
    Datasets: [
        *(Mutant(f"datasets.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"datasets.documents.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant("datasets.documents.list", fault) for fault in (reversed_, short, skipping)),
        Mutant("datasets.list", skipping),
        Mutant("datasets.process", short),
    ],
    Devices: [Mutant("oauth.device_code", unsaved), Mutant("oauth.token", unsaved)],
    Members: [
        *(Mutant(f"workspaces.{verb}", unsaved) for verb in ("create", "update")),
        *(Mutant(f"workspaces.members.{verb}", unsaved) for verb in ("create", "delete")),
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
    Plugins: [Mutant("plugins.tools.call", unsaved), Mutant("stores.plugins.list", skipping)],
    Variables: [Mutant("variables.update", unsaved), Mutant("variables.retrieve", short)],
    Voiceprints: [
        *(Mutant(f"audio.voiceprint_groups.{verb}", unsaved) for verb in ("create", "update", "delete")),
        *(Mutant(f"audio.voiceprint_groups.features.{verb}", unsaved) for verb in ("create", "update", "delete")),
        Mutant("audio.voiceprint_groups.list", skipping),
        Mutant("audio.voiceprint_groups.features.list", short),
        Mutant("audio.voiceprint_groups.speaker_identify", reversed_),
    ],
}
MACHINES = [pytest.param(machine, id=machine.__name__) for machine in KINDS]


@pytest.fixture(scope="module")
def on() -> Iterator[Stage]:
    """Give a sandbox and a client to all machines."""
    with stage() as made:
        yield made


@pytest.mark.parametrize("machine", MACHINES)
def test_machine(machine: type[Machine], on: Stage) -> None:
    """Whatever the order of calls, the answers are those of a model in plain Python."""
    explore(machine, on)


def test_machine_of_async_client() -> None:
    """The async client's answers are those of the model, too."""
    with stage(is_async=True) as on:
        explore(Conversations, on)


@pytest.mark.parametrize(
    ("machine", "mutant"),
    [pytest.param(machine, one, id=f"{machine.__name__}-{one}") for machine, many in SEEDED.items() for one in many],
)
def test_seeded_fault_is_found(
    machine: type[Machine], mutant: Mutant, on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A create that is lost, a delete that does nothing, a wrong page or order: each makes its machine fail."""
    mutant.seed(monkeypatch)
    with pytest.raises((AssertionError, CozeError, pytest.fail.Exception)):
        explore(machine, on, examples=40)
