"""Logging in, by each way that a command line can go."""

from __future__ import annotations

import getpass
import os
import sys
import webbrowser
from datetime import UTC, datetime
from pathlib import Path

import attrs

from .. import Coze
from .._config import COZE_CN, COZE_COM, env_base_url, normalize_token
from .._profiles import Profile, Profiles
from ..auth import (
    DeviceOAuth,
    JWTAuth,
    MemoryStore,
    PKCEOAuth,
    Token,
    TokenStore,
    new_state,
    new_verifier,
    parse_callback,
)
from ..errors import PermissionDeniedError
from ._console import Failure, Terminal
from ._locks import locked, token_locked
from ._redirect_server import Loopback

__all__ = ["Login", "address_of", "ask_who"]

_REGIONS = {"com": COZE_COM, "cn": COZE_CN}
_CLIENT_ID = "COZE_CLIENT_ID"
# Nobody says until when a token lives that was made on the web site.
_UNKNOWN_END = datetime(9999, 1, 1, tzinfo=UTC)
_TIMEOUT = 20.0


@attrs.frozen(kw_only=True)
class Login:
    """One login.

    Attributes:
        terminal: Where to write.
        profiles: Where to keep it.
        name: Name of the profile.
        base_url: Address of the service, if it was given.
        client_id: Id of the OAuth app, if it was given.
        workspace: Limits the token to one workspace.
        timeout: Seconds that a person may take.
    """

    terminal: Terminal
    profiles: Profiles
    name: str
    base_url: str | None
    client_id: str | None
    workspace: str | None
    timeout: float

    def by_browser(self, port: int, *, open_browser: bool) -> None:
        """Log in by PKCE: the browser goes to Coze, and comes back to a server of this machine."""
        state, verifier = new_state(), new_verifier()
        client_id, base_url = self._app("pkce")
        with Loopback(port, lambda url: parse_callback(url, state=state)) as loopback:
            pkce = PKCEOAuth(client_id, loopback.redirect_uri, base_url=base_url)
            address = pkce.authorize_url(state=state, code_verifier=verifier, workspace_id=self.workspace)
            opened = open_browser and _opened(address)
            self.terminal.note("Your browser shows the page to log in. If it does not, open:" if opened else "Open:")
            self.terminal.note(f"  {address}")
            code = loopback.wait(self.timeout)
        self._keep("pkce", base_url, pkce.exchange(code, code_verifier=verifier), client_id=client_id)

    def by_device(self) -> None:
        """Log in by a code that is typed in elsewhere."""
        client_id, base_url = self._app("device")
        device = DeviceOAuth(client_id, base_url=base_url)
        code = device.start(workspace_id=self.workspace)
        self.terminal.note(f"Open  {code.verification_uri}")
        self.terminal.note(f"and enter the code  {code.user_code}")
        self.terminal.note(f"or open  {code.verification_url}  and check that it shows this code.")
        token = device.wait(code, timeout=self.timeout)
        self._keep("device", base_url, token, client_id=client_id)

    def by_jwt(self, file: Path, audience: str | None) -> None:
        """Log in as a service, with the file that the console of Coze gives for an app. Its key stays in that file."""
        path = str(file.expanduser().resolve())
        given = {} if self.base_url is None else {"base_url": self.base_url}
        base_url = JWTAuth.from_file(path, audience=audience, **given).base_url
        profile = Profile(name=self.name, base_url=base_url, method="jwt", app_file=path, audience=audience or "")
        who = ask_who(profile, MemoryStore())
        with token_locked(self.profiles, self.name):
            self.profiles.store.delete(self.name)  # a token of another app under this name would be taken for ours
            self._save(profile)
        self._tell(profile, who)

    def by_token(self) -> None:
        """Keep a token that was made on the web site."""
        token = normalize_token(_read_secret())
        if not token:
            raise Failure("no token was given")
        base_url = self.base_url or self._before("token").base_url or COZE_COM
        with Coze(token, base_url=base_url, retry=0, timeout=_TIMEOUT) as coze:
            who = coze.users.me()
        profile = Profile(name=self.name, base_url=base_url, method="token")
        self._replace(profile, Token(access_token=token, expires_at=_UNKNOWN_END))
        self._tell(profile, who.nick_name or who.user_name)

    def _app(self, way: str) -> tuple[str, str]:
        """Return client id and address: what is given, else what was used last time under this name."""
        before = self._before(way)
        client_id = self.client_id or os.environ.get(_CLIENT_ID, "").strip() or before.client_id
        base_url = self.base_url or before.base_url or COZE_COM
        if not client_id:
            web = base_url.replace("://api.", "://www.") if base_url in _REGIONS.values() else base_url
            raise Failure(
                f"which OAuth app? Give --client-id or set {_CLIENT_ID}; apps are made on {web}/open/oauth/apps."
                " Without an app: `cozekit login --token`",
                status=2,
            )
        return client_id, base_url

    def _before(self, way: str) -> Profile:
        found, _ = self.profiles.read()
        nobody = Profile(name=self.name, base_url="", method=way)
        before = found.get(self.name, nobody)
        return before if before.method == way else attrs.evolve(nobody, base_url=before.base_url)

    def _keep(self, way: str, base_url: str, token: Token, *, client_id: str) -> None:
        profile = Profile(name=self.name, base_url=base_url, method=way, client_id=client_id)
        self._replace(profile, token)
        self._tell(profile, ask_who(profile, self.profiles.store))

    def _replace(self, profile: Profile, token: Token) -> None:
        with token_locked(self.profiles, self.name):
            self.profiles.store.save(self.name, token)
            self._save(profile)

    def _save(self, profile: Profile) -> None:
        with locked(self.profiles):
            self.profiles.save(profile)

    def _tell(self, profile: Profile, who: str) -> None:
        named = f" as {who}" if who else ""
        self.terminal.note(f"Logged in{named} (profile {profile.name}, {profile.base_url}).", "green")


def ask_who(profile: Profile, store: TokenStore) -> str:
    """Return the name of the account behind a profile; "" if its token may not ask."""
    with Coze(base_url=profile.base_url, retry=0, timeout=_TIMEOUT, **profile.credentials(store)) as coze:
        try:
            user = coze.users.me()
        except PermissionDeniedError:
            return ""
    return str(user.nick_name or user.user_name or "")


def address_of(region: str | None, base_url: str | None) -> str | None:
    """Return the address that was asked for; None if none was.

    Raises:
        Failure: Two were.
    """
    if region is not None and base_url is not None:
        raise Failure("give either --region or --base-url, not both", status=2)
    if region is not None:
        return _REGIONS[region]
    return (base_url or env_base_url()).rstrip("/") or None


def _opened(address: str) -> bool:
    """Open a browser that has a window of its own. One of the terminal would take the terminal away."""
    windows = sys.platform in {"win32", "darwin"} or any(
        os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    )
    try:
        return windows and webbrowser.open(address)
    except webbrowser.Error:
        return False


def _read_secret() -> str:
    """Read a token without showing it: from the keyboard, or from what is piped in. Never from the command line."""
    if sys.stdin.isatty():
        try:
            return getpass.getpass("Token: ", stream=sys.stderr)
        except EOFError:  # Ctrl-D
            return ""
    return sys.stdin.readline()
