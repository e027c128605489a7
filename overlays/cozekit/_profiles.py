"""Profiles: who has logged in by the command line, where, and how to go on as them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from ._private_files import ensure_dir, read_regular
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from .auth import FileStore, TokenStore

__all__ = ["DEFAULT", "Profile", "Profiles", "current_profile", "config_dir"]

DEFAULT = "default"
LOGIN_METHODS = ("pkce", "device", "jwt", "token")
_FOLDER = "COZE_CONFIG_DIR"
_NAME = "COZE_PROFILE"


@attrs.frozen(kw_only=True)
class Profile:
    """One login. It holds no secret: the token is in the store, the key of a JWT app in the app's own file.

    Attributes:
        name: Its name.
        base_url: Address of the service. The token is sent there and nowhere else.
        method: How it was logged in: `pkce`, `device`, `jwt` or `token`.
        client_id: Id of the OAuth app; "" for a token.
        app_file: The file of the app, for `jwt`.
        audience: Host of Coze that the JWTs are for, for `jwt`; "" for that of `base_url`.
    """

    name: str
    base_url: str
    method: str = attrs.field(validator=attrs.validators.in_(LOGIN_METHODS))
    client_id: str = ""
    app_file: str = ""
    audience: str = ""

    def credentials(self, store: TokenStore) -> dict[str, Any]:
        """Return `token` or `auth` for a client, which renews the token by itself where that is possible.

        Raises:
            CozeError: There is no token, or it cannot be read; the message says what to do.
        """
        if self.method == "jwt":
            from .auth import JWTAuth

            place = {"base_url": self.base_url, "audience": self.audience or None}
            return {"auth": JWTAuth.from_file(self.app_file, **place, store=store, key=self.name)}
        kept = store.load(self.name)
        if kept is None:
            raise InvalidArgumentError(f"the profile {self.name!r} has no token: {self.login_command}")
        if self.method == "token":
            return {"token": kept.access_token}
        from .auth import DeviceOAuth, PKCEOAuth

        flow = PKCEOAuth if self.method == "pkce" else DeviceOAuth
        return {"auth": flow(self.client_id, base_url=self.base_url).auth(store=store, key=self.name)}

    @property
    def login_command(self) -> str:
        """The command that logs in again."""
        named = "" if self.name == DEFAULT else f" --profile {self.name}"
        method = {"pkce": "", "device": " --device", "jwt": f" --jwt {self.app_file}", "token": " --token"}[self.method]
        # Only who told them has a gateway, whose address is not in the app's file.
        gateway = f" --base-url {self.base_url} --audience {self.audience}" if self.audience else ""
        return f"run `cozekit login{method}{gateway}{named}`"


class Profiles:
    """The profiles of one folder.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "profiles.json"

    @property
    def store(self) -> FileStore:
        """Where the tokens are, each under the name of its profile."""
        from .auth import FileStore

        return FileStore(self.folder / "tokens")

    def read(self) -> tuple[dict[str, Profile], str | None]:
        """Return the profiles by name, and the name of the default one.

        Raises:
            InvalidArgumentError: The file cannot be read.
        """
        try:
            kept = json.loads(read_regular(self.path))
            found = {name: _profile(name, members) for name, members in kept["profiles"].items()}
            default = kept.get("default")
            return found, default if default in found else None
        except FileNotFoundError:
            return {}, None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = "it is damaged; remove it and log in again"
            if isinstance(error, OSError):
                reason = f"{error.strerror}; set COZE_API_TOKEN, or COZE_CONFIG_DIR to a folder that is yours"
            raise InvalidArgumentError(f"the profiles in {self.path} cannot be read: {reason}") from error

    def save(self, profile: Profile) -> None:
        """Add or replace a profile. The first one becomes the default.

        Raises:
            InvalidArgumentError: They cannot be kept.
        """
        found, default = self.read()
        self._write({**found, profile.name: profile}, profile.name if default is None else default)

    def remove(self, name: str) -> None:
        """Remove a profile."""
        found, default = self.read()
        found.pop(name, None)
        self._write(found, default if default != name else None)

    def set_default(self, name: str) -> None:
        """Make a profile the one that is used where none is named."""
        self._write(self.read()[0], name)

    def ensure_dir(self) -> None:
        """Make the folder, for its owner alone.

        Raises:
            InvalidArgumentError: It cannot be made.
        """
        try:
            ensure_dir(self.folder)
        except OSError as error:
            raise InvalidArgumentError(f"{self.folder} cannot be made: {error.strerror}") from error

    def _write(self, found: dict[str, Profile], default: str | None) -> None:
        nameless = attrs.filters.exclude("name")
        profiles = {name: attrs.asdict(one, filter=nameless) for name, one in sorted(found.items())}
        self.ensure_dir()
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=".profiles.", dir=self.folder)  # mode 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"default": default, "profiles": profiles}, file, indent=2)
            Path(temporary).replace(self.path)
            temporary = ""
        except OSError as error:
            raise InvalidArgumentError(f"the profiles in {self.path} cannot be kept: {error.strerror}") from error
        finally:
            if temporary:
                Path(temporary).unlink(missing_ok=True)


def _profile(name: str, members: dict[str, Any]) -> Profile:
    known = {field.name for field in attrs.fields(Profile)}  # a later version may keep more
    members = {"method": members.get("way"), **members}  # an earlier version calls it `way`
    return Profile(**{**{key: value for key, value in members.items() if key in known}, "name": name})


def config_dir() -> Path | None:
    """Return where profiles are: COZE_CONFIG_DIR, else the platform's folder for settings.

    That folder is what the command line is installed with (platformdirs). Without it nobody can have logged in.
    """
    given = os.environ.get(_FOLDER, "").strip()
    if given:
        return Path(given).expanduser()
    try:
        from platformdirs import user_config_path
    except ImportError:
        return None
    return user_config_path("cozekit", appauthor=False)


def current_profile(name: str | None = None) -> tuple[Profile, Profiles] | None:
    """Return the profile that is named, else that of COZE_PROFILE, else the default one; None if there is none.

    Raises:
        InvalidArgumentError: A profile was named that is not there.
    """
    wanted = name or os.environ.get(_NAME, "").strip()
    folder = config_dir()
    if folder is None:
        if wanted:
            raise InvalidArgumentError(f'the profile {wanted!r} needs the command line: pip install "cozekit[cli]"')
        return None
    profiles = Profiles(folder)
    found, default = profiles.read()
    chosen = wanted or default
    if chosen is None:
        return None
    if chosen not in found:
        raise InvalidArgumentError(
            f"there is no profile {chosen!r}: `cozekit profiles` lists them, `cozekit login` makes one"
        )
    return found[chosen], profiles
