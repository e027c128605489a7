"""`cozekit login`, by each method."""

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
from ._console import CLIError, Terminal
from ._locks import locked, token_locked
from ._redirect_server import RedirectServer

__all__ = ["Login", "chosen_base_url", "account_name"]

_REGIONS = {"com": COZE_COM, "cn": COZE_CN}
_CLIENT_ID = "COZE_CLIENT_ID"
# The lifetime of a token that was created on the website is not known.
_UNKNOWN_END = datetime(9999, 1, 1, tzinfo=UTC)
_TIMEOUT = 20.0


@attrs.frozen(kw_only=True)
class Login:
    """One login.

    Attributes:
        terminal: The terminal.
        profiles: The profiles.
        name: Name of the profile.
        base_url: URL of the service, if there is one.
        client_id: Id of the OAuth app, if there is one.
        workspace: Limits the token to one workspace.
        timeout: Seconds to wait for the user.
    """

    terminal: Terminal
    profiles: Profiles
    name: str
    base_url: str | None
    client_id: str | None
    workspace: str | None
    timeout: float

    def by_browser(self, port: int, *, open_browser: bool) -> None:
        """Log in with PKCE: the browser is redirected to a server on this machine."""
        state, verifier = new_state(), new_verifier()
        client_id, base_url = self._app("pkce")
        with RedirectServer(port, lambda redirected: parse_callback(redirected, state=state)) as server:
            pkce = PKCEOAuth(client_id, server.redirect_uri, base_url=base_url)
            url = pkce.authorize_url(state=state, code_verifier=verifier, workspace_id=self.workspace)
            opened = open_browser and _open_browser(url)
            self.terminal.note("Your browser shows the page to log in. If it does not, open:" if opened else "Open:")
            self.terminal.note(f"  {url}")
            code = server.wait(self.timeout)
        self._keep("pkce", base_url, pkce.exchange(code, code_verifier=verifier), client_id=client_id)

    def by_device(self) -> None:
        """Log in with a code that the user enters on another device."""
        client_id, base_url = self._app("device")
        device = DeviceOAuth(client_id, base_url=base_url)
        code = device.start(workspace_id=self.workspace)
        self.terminal.note(f"Open  {code.verification_uri}")
        self.terminal.note(f"and enter the code  {code.user_code}")
        self.terminal.note(f"or open  {code.verification_url}  and check that it shows this code.")
        token = device.wait(code, timeout=self.timeout)
        self._keep("device", base_url, token, client_id=client_id)

    def by_jwt(self, file: Path, audience: str | None) -> None:
        """Log in as a service, with the JSON file of an app from the console of Coze. Its key stays in that file."""
        path = str(file.expanduser().resolve())
        options = {} if self.base_url is None else {"base_url": self.base_url}
        base_url = JWTAuth.from_file(path, audience=audience, **options).base_url
        profile = Profile(name=self.name, base_url=base_url, method="jwt", app_file=path, audience=audience or "")
        who = account_name(profile, MemoryStore())
        with token_locked(self.profiles, self.name):
            self.profiles.store.delete(self.name)  # a token of another app with this name would be used
            self._save(profile)
        self._report_login(profile, who)

    def by_token(self) -> None:
        """Save a token that was created on the website."""
        token = normalize_token(_read_secret())
        if not token:
            raise CLIError("no token was entered")
        base_url = self.base_url or self._before("token").base_url or COZE_COM
        with Coze(token, base_url=base_url, retry=0, timeout=_TIMEOUT) as coze:
            who = coze.users.me()
        profile = Profile(name=self.name, base_url=base_url, method="token")
        self._replace(profile, Token(access_token=token, expires_at=_UNKNOWN_END))
        self._report_login(profile, who.nick_name or who.user_name)

    def _app(self, method: str) -> tuple[str, str]:
        """Return client id and URL: those of the options, else those of the last login with this name."""
        before = self._before(method)
        client_id = self.client_id or os.environ.get(_CLIENT_ID, "").strip() or before.client_id
        base_url = self.base_url or before.base_url or COZE_COM
        if not client_id:
            web = base_url.replace("://api.", "://www.") if base_url in _REGIONS.values() else base_url
            raise CLIError(
                f"no OAuth app: pass --client-id or set {_CLIENT_ID}; apps are created on {web}/open/oauth/apps."
                " Without an app: `cozekit login --token`",
                status=2,
            )
        return client_id, base_url

    def _before(self, method: str) -> Profile:
        profiles, _ = self.profiles.read()
        new = Profile(name=self.name, base_url="", method=method)
        before = profiles.get(self.name, new)
        return before if before.method == method else attrs.evolve(new, base_url=before.base_url)

    def _keep(self, method: str, base_url: str, token: Token, *, client_id: str) -> None:
        profile = Profile(name=self.name, base_url=base_url, method=method, client_id=client_id)
        self._replace(profile, token)
        self._report_login(profile, account_name(profile, self.profiles.store))

    def _replace(self, profile: Profile, token: Token) -> None:
        with token_locked(self.profiles, self.name):
            self.profiles.store.save(self.name, token)
            self._save(profile)

    def _save(self, profile: Profile) -> None:
        with locked(self.profiles):
            self.profiles.save(profile)

    def _report_login(self, profile: Profile, who: str) -> None:
        named = f" as {who}" if who else ""
        self.terminal.note(f"Logged in{named} (profile {profile.name}, {profile.base_url}).", "green")


def account_name(profile: Profile, store: TokenStore) -> str:
    """Return the name of the account of a profile; an empty string if the token may not read it."""
    with Coze(base_url=profile.base_url, retry=0, timeout=_TIMEOUT, **profile.credentials(store)) as coze:
        try:
            user = coze.users.me()
        except PermissionDeniedError:
            return ""
    return str(user.nick_name or user.user_name or "")


def chosen_base_url(region: str | None, base_url: str | None) -> str | None:
    """Return the URL of the options; None if there is none.

    Raises:
        CLIError: Both options are given.
    """
    if region is not None and base_url is not None:
        raise CLIError("pass either --region or --base-url, not both", status=2)
    if region is not None:
        return _REGIONS[region]
    return (base_url or env_base_url()).rstrip("/") or None


def _open_browser(address: str) -> bool:
    """Open a browser with its own window. A browser in the terminal would block the terminal."""
    windows = sys.platform in {"win32", "darwin"} or any(
        os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    )
    try:
        return windows and webbrowser.open(address)
    except webbrowser.Error:
        return False


def _read_secret() -> str:
    """Read a token without showing it, from the keyboard or a pipe. Never from the command line."""
    if sys.stdin.isatty():
        try:
            return getpass.getpass("Token: ", stream=sys.stderr)
        except EOFError:  # Ctrl-D
            return ""
    return sys.stdin.readline()
