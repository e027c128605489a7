"""The folder in which profiles and tokens are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._private_files import try_lock
from .._profiles import Profiles, config_dir
from ._console import Failure

__all__ = ["locked", "own_profiles", "token_locked"]

_PATIENCE = 10.0
_PAUSE = 0.05


def own_profiles() -> Profiles:
    """Return the profiles of whoever runs the command."""
    folder = config_dir()
    assert folder is not None, "platformdirs is installed with the command line"
    return Profiles(folder)


@contextmanager
def locked(profiles: Profiles) -> Iterator[None]:
    """Keep other commands from changing the profiles at the same time.

    Raises:
        Failure: Another command does not let go of them, or they cannot be locked.
    """
    path = profiles.folder / "profiles.lock"
    profiles.ensure_dir()
    try:
        with _held(lambda: try_lock(path), "another command is changing the profiles; try again"):
            yield
    except OSError as error:
        if error.filename != str(path):
            raise
        raise Failure(f"{path} cannot be made: {error.strerror}; remove it, or set COZE_CONFIG_DIR") from error


@contextmanager
def token_locked(profiles: Profiles, name: str) -> Iterator[None]:
    """Keep clients from renewing a token meanwhile: what they then kept would be of the login before.

    Raises:
        Failure: A client does not let go of it.
    """
    profiles.ensure_dir()
    busy = f"another program is renewing the token of the profile {name!r}; try again"
    with _held(lambda: profiles.store.try_lock(name), busy):
        yield


@contextmanager
def _held(take: Callable[[], Callable[[], None] | None], busy: str) -> Iterator[None]:
    end = time.monotonic() + _PATIENCE
    while (unlock := take()) is None:
        if time.monotonic() > end:
            raise Failure(busy)
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        unlock()
