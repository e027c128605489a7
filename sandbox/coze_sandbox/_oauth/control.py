"""Control of OAuth apps and consent by tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._config.oauth_apps import APPS, SERVICE_APP, OAuthApp
from .._state.state import SandboxState
from .consent import decide, list_pending, set_active

__all__ = ["OAuthControl"]


class OAuthControl:
    """Acts for the users and developers of OAuth apps.

    Args:
        world: The state.
        base_url: Returns the base URL of the sandbox.
    """

    def __init__(self, world: SandboxState, base_url: Callable[[], str]) -> None:
        self._state = world
        self._base_url = base_url

    @property
    def apps(self) -> tuple[OAuthApp, ...]:
        """The OAuth apps: those of the seed data and those of the options."""
        return (*APPS, *self._state.options.oauth_apps)

    @property
    def auto_consent(self) -> bool | None:
        """Decision without a consent page: True allows, False denies; None shows the page.

        Can be set; a reset restores the value of the options.
        """
        return self._state.auto_consent

    @auto_consent.setter
    def auto_consent(self, decision: bool | None) -> None:
        if decision not in {True, False, None}:
            raise ValueError("auto_consent must be true, false or null")
        self._state.auto_consent = decision

    def waiting(self) -> list[dict[str, Any]]:
        """Return the pending requests, oldest first, with `kind` (`browser` or `device`), `client_id` and `key`."""
        return list_pending(self._state)

    def decide(self, key: str, *, allow: bool = True) -> str | None:
        """Decide a pending request.

        Args:
            key: The user code of a device, or the key in the URL of the consent page.
            allow: Whether to allow it.

        Returns:
            The redirect URL of the browser; None for a device.

        Raises:
            ValueError: There is no pending request with this key.
        """
        return decide(self._state, key, allow=allow)

    def set_active(self, client_id: str, *, active: bool) -> None:
        """Deactivate an app, or activate it again.

        Raises:
            ValueError: The app is unknown.
        """
        set_active(self._state, client_id, active=active)

    def jwt_config(self, client_id: str = SERVICE_APP.client_id, *, base_url: str | None = None) -> dict[str, Any]:
        """Return the configuration of an app that signs JWTs, in the format of the file from Coze.

        Args:
            client_id: The app.
            base_url: Base URL of the sandbox; by default the one of the running server.

        Raises:
            ValueError: The app is unknown, does not sign, or was registered with a public key of its own.
        """
        for app in self.apps:
            if app.client_id == client_id:
                return self._state.keys.jwt_config(app, base_url or self._base_url())
        raise ValueError(f"unknown OAuth app {client_id}")
