"""The folder in which profiles and tokens are."""

from __future__ import annotations

from filelock import BaseFileLock, FileLock

from .._profiles import Profiles, folder_or_none

__all__ = ["locked", "own_profiles"]

_PATIENCE = 10


def own_profiles() -> Profiles:
    """Return the profiles of whoever runs the command."""
    folder = folder_or_none()
    assert folder is not None, "platformdirs is installed with the command line"
    return Profiles(folder)


def locked(profiles: Profiles) -> BaseFileLock:
    """Keep other commands from changing the profiles at the same time."""
    profiles.make_folder()
    return FileLock(profiles.folder / "profiles.lock", timeout=_PATIENCE)
