"""Locks of profiles and tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .._private_files import try_lock
from .._profiles import Profiles, config_dir
from ._console import CLIError

__all__ = ["locked", "user_profiles", "token_locked"]

_LOCK_TIMEOUT = 10.0
_RETRY_DELAY = 0.05


def user_profiles() -> Profiles:
    """Return the profiles of the user."""
    folder = config_dir()
    assert folder is not None, "platformdirs is installed with the command line"
    return Profiles(folder)


@contextmanager
def locked(profiles: Profiles) -> Iterator[None]:
    """Lock the profiles against changes by other commands.

    Raises:
        CLIError: Another command holds the lock for too long, or they cannot be locked.
    """
    path = profiles.folder / "profiles.lock"
    profiles.ensure_dir()
    try:
        with _acquired(lambda: try_lock(path), "another command is changing the profiles; try again"):
            yield
    except OSError as error:
        if error.filename != str(path):
            raise
        raise CLIError(f"{path} cannot be created: {error.strerror}; remove it, or set COZE_CONFIG_DIR") from error


@contextmanager
def token_locked(profiles: Profiles, name: str) -> Iterator[None]:
    """Lock a token against refreshes by clients, which would save a token of the previous login.

    Raises:
        CLIError: A client holds the lock for too long.
    """
    profiles.ensure_dir()
    busy = f"another program is refreshing the token of the profile {name!r}; try again"
    with _acquired(lambda: profiles.store.try_lock(name), busy):
        yield


@contextmanager
def _acquired(acquire: Callable[[], Callable[[], None] | None], busy: str) -> Iterator[None]:
    end = time.monotonic() + _LOCK_TIMEOUT
    while (unlock := acquire()) is None:
        if time.monotonic() > end:
            raise CLIError(busy)
        time.sleep(_RETRY_DELAY)
    try:
        yield
    finally:
        unlock()
