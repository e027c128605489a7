"""What can go wrong on the way to a token. `cozekit.errors` shows these beside all others."""

from __future__ import annotations

from coze_api._core._errors import show_in
from coze_api.errors import AuthenticationError, CozeError

__all__ = [
    "AuthorizationDenied",
    "DeviceCancelled",
    "DeviceDenied",
    "DeviceExpired",
    "DeviceTimeout",
    "InvalidClient",
    "InvalidGrant",
    "OAuthError",
    "StateMismatch",
    "TokenStoreError",
]


class OAuthError(AuthenticationError):
    """There is no token. `reason` is what OAuth calls the cause, `hint` what to do about it."""

    def __str__(self) -> str:
        facts = [self.reason] if self.reason else []
        if self.status >= 400:
            facts.append(f"HTTP {self.status}")
        if self.logid:
            facts.append(f"logid {self.logid}")
        text = f"{self.operation or 'OAuth'}: {self.msg or 'there is no token'}" + (
            f" ({', '.join(facts)})" if facts else ""
        )
        return f"{text}. {self.hint}" if self.hint else text


class InvalidClient(OAuthError):
    """Coze does not accept the app: its id, its secret, its key or the JWT signed with it."""


class InvalidGrant(OAuthError):
    """The code or refresh token is worth nothing (any more): the user must log in again."""


class AuthorizationDenied(OAuthError):
    """The user refused, or the app is not allowed to ask."""


class DeviceDenied(AuthorizationDenied):
    """The user refused on the page that the device showed."""


class DeviceExpired(OAuthError):
    """The user did not finish before the device code expired. Start again."""


class DeviceTimeout(CozeError, TimeoutError):
    """The user did not finish in the time that the caller gave. The device code may still be valid: wait again."""


class DeviceCancelled(CozeError):
    """The caller stopped waiting for the user."""


class StateMismatch(CozeError):
    """The browser brought back another state than it was sent with: somebody else began this authorization."""


class TokenStoreError(CozeError):
    """Tokens cannot be read, kept or locked; the message says where, and what to do."""


show_in(f"{__package__}.errors", globals(), __all__)
