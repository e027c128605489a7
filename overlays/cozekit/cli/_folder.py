"""The folder in which profiles and tokens are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import BaseFileLock, FileLock

from .._profiles import Profiles, folder_or_none
from ._terminal import Failure

__all__ = ["locked", "own_profiles", "token_locked"]

_PATIENCE = 10.0
_PAUSE = 0.05


def own_profiles() -> Profiles:
    """Return the profiles of whoever runs the command."""
    folder = folder_or_none()
    assert folder is not None, "platformdirs is installed with the command line"
    return Profiles(folder)


def locked(profiles: Profiles) -> BaseFileLock:
    """Keep other commands from changing the profiles at the same time."""
    profiles.make_folder()
    return FileLock(profiles.folder / "profiles.lock", timeout=_PATIENCE)


@contextmanager
def token_locked(profiles: Profiles, name: str) -> Iterator[None]:
    """Keep clients from renewing a token meanwhile: what they then kept would be of the login before.

    Raises:
        Failure: A client does not let go of it.
    """
    profiles.make_folder()
    end = time.monotonic() + _PATIENCE
    while (unlock := profiles.store.try_lock(name)) is None:
        if time.monotonic() > end:
            raise Failure(f"another program is renewing the token of the profile {name!r}; try again")
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        unlock()
