"""What a test does in place of people and developers: allow apps, deactivate them, hold their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._config.oauth_apps import APPS, SERVICE_APP, OAuthApp
from .._state.state import SandboxState
from .consent import decide, list_pending, set_active

__all__ = ["OAuthControl"]


class OAuthControl:
    """The people and developers of one sandbox.

    Args:
        world: The state.
        base_url: Tells where the sandbox listens.
    """

    def __init__(self, world: SandboxState, base_url: Callable[[], str]) -> None:
        self._state = world
        self._base_url = base_url

    @property
    def apps(self) -> tuple[OAuthApp, ...]:
        """The OAuth apps: those of every sandbox, and those of the options."""
        return (*APPS, *self._state.options.oauth_apps)

    @property
    def auto_consent(self) -> bool | None:
        """What people decide at once: True, they allow; False, they refuse; None, they are asked.

        May be set; a reset goes back to the options.
        """
        return self._state.auto_consent

    @auto_consent.setter
    def auto_consent(self, decision: bool | None) -> None:
        if decision not in {True, False, None}:
            raise ValueError("auto_consent must be true, false or null")
        self._state.auto_consent = decision

    def waiting(self) -> list[dict[str, Any]]:
        """List what waits for a decision, oldest first: `kind` (`browser` or `device`), `client_id`, `key`."""
        return list_pending(self._state)

    def decide(self, key: str, *, allow: bool = True) -> str | None:
        """Allow or refuse what waits.

        Args:
            key: The code that a device shows, or the key in the address of the page.
            allow: What the person decides.

        Returns:
            Where the browser goes next; None for a device.

        Raises:
            ValueError: Nothing waits under this key.
        """
        return decide(self._state, key, allow=allow)

    def set_active(self, client_id: str, *, active: bool) -> None:
        """Deactivate an app, or activate it again.

        Raises:
            ValueError: There is no such app.
        """
        set_active(self._state, client_id, active=active)

    def jwt_config(self, client_id: str = SERVICE_APP.client_id, *, base_url: str | None = None) -> dict[str, Any]:
        """Return the configuration of an app that signs, in the shape of the file that Coze lets download.

        Args:
            client_id: Whose.
            base_url: Where the sandbox is reached; where it listens by default.

        Raises:
            ValueError: There is no such app, it does not sign, or came with a public key of its own.
        """
        for app in self.apps:
            if app.client_id == client_id:
                return self._state.keys.jwt_config(app, base_url or self._base_url())
        raise ValueError(f"there is no OAuth app {client_id}")
