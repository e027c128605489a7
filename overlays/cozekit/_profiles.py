"""Profiles: the logins that the command line stored, and the credentials for them."""

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
    """One login. It contains no secret: the token is in the token store, the key of a JWT app in the app's own file.

    Attributes:
        name: Its name.
        base_url: Base URL of the service. The token is sent only there.
        method: Login method: `pkce`, `device`, `jwt` or `token`.
        client_id: Id of the OAuth app; "" for a token.
        app_file: For `jwt`: path of the app's file.
        audience: For `jwt`: host of Coze for which JWTs are signed; "" for the host of `base_url`.
    """

    name: str
    base_url: str
    method: str = attrs.field(validator=attrs.validators.in_(LOGIN_METHODS))
    client_id: str = ""
    app_file: str = ""
    audience: str = ""

    def credentials(self, store: TokenStore) -> dict[str, Any]:
        """Return `token` or `auth` for a client. An `auth` refreshes its token.

        Raises:
            CozeError: There is no token, or it cannot be read.
        """
        if self.method == "jwt":
            from .auth import JWTAuth

            service = {"base_url": self.base_url, "audience": self.audience or None}
            return {"auth": JWTAuth.from_file(self.app_file, **service, store=store, key=self.name)}
        token = store.load(self.name)
        if token is None:
            raise InvalidArgumentError(f"the profile {self.name!r} has no token: {self.login_command}")
        if self.method == "token":
            return {"token": token.access_token}
        from .auth import DeviceOAuth, PKCEOAuth

        flow = PKCEOAuth if self.method == "pkce" else DeviceOAuth
        return {"auth": flow(self.client_id, base_url=self.base_url).auth(store=store, key=self.name)}

    @property
    def login_command(self) -> str:
        """Advice with the command that logs in again."""
        profile = "" if self.name == DEFAULT else f" --profile {self.name}"
        method = {"pkce": "", "device": " --device", "jwt": f" --jwt {self.app_file}", "token": " --token"}[self.method]
        # The file of an app has the URL of Coze, but not that of a gateway.
        gateway = f" --base-url {self.base_url} --audience {self.audience}" if self.audience else ""
        return f"run `cozekit login{method}{gateway}{profile}`"


class Profiles:
    """The profiles in one folder.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "profiles.json"

    @property
    def store(self) -> FileStore:
        """The store of the tokens; the keys are the names of the profiles."""
        from .auth import FileStore

        return FileStore(self.folder / "tokens")

    def read(self) -> tuple[dict[str, Profile], str | None]:
        """Return the profiles by name, and the name of the default one.

        Raises:
            InvalidArgumentError: The file cannot be read.
        """
        try:
            data = json.loads(read_regular(self.path))
            profiles = {name: _profile(name, members) for name, members in data["profiles"].items()}
            default = data.get("default")
            return profiles, default if default in profiles else None
        except FileNotFoundError:
            return {}, None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = "it is damaged; remove it and log in again"
            if isinstance(error, OSError):
                reason = f"{error.strerror}; set COZE_API_TOKEN, or set COZE_CONFIG_DIR to a folder of your own"
            raise InvalidArgumentError(f"the profiles in {self.path} cannot be read: {reason}") from error

    def save(self, profile: Profile) -> None:
        """Add or replace a profile. The first one becomes the default.

        Raises:
            InvalidArgumentError: The file cannot be written.
        """
        profiles, default = self.read()
        self._write({**profiles, profile.name: profile}, profile.name if default is None else default)

    def remove(self, name: str) -> None:
        """Remove a profile."""
        profiles, default = self.read()
        profiles.pop(name, None)
        self._write(profiles, default if default != name else None)

    def set_default(self, name: str) -> None:
        """Set the profile that is used by default."""
        self._write(self.read()[0], name)

    def ensure_dir(self) -> None:
        """Create the folder, which only its owner can use.

        Raises:
            InvalidArgumentError: It cannot be created.
        """
        try:
            ensure_dir(self.folder)
        except OSError as error:
            raise InvalidArgumentError(f"{self.folder} cannot be created: {error.strerror}") from error

    def _write(self, profiles: dict[str, Profile], default: str | None) -> None:
        without_name = attrs.filters.exclude("name")
        members = {name: attrs.asdict(profile, filter=without_name) for name, profile in sorted(profiles.items())}
        self.ensure_dir()
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=".profiles.", dir=self.folder)  # mode 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"default": default, "profiles": members}, file, indent=2)
            Path(temporary).replace(self.path)
            temporary = ""
        except OSError as error:
            raise InvalidArgumentError(f"the profiles in {self.path} cannot be written: {error.strerror}") from error
        finally:
            if temporary:
                Path(temporary).unlink(missing_ok=True)


def _profile(name: str, members: dict[str, Any]) -> Profile:
    known = {field.name for field in attrs.fields(Profile)}  # a later version may write more
    members = {"method": members.get("way"), **members}  # an earlier version calls it `way`
    return Profile(**{**{key: value for key, value in members.items() if key in known}, "name": name})


def config_dir() -> Path | None:
    """Return the folder of the profiles: COZE_CONFIG_DIR, else the platform's folder for settings.

    It is None if platformdirs is not installed, which the command line needs: then nobody has logged in.
    """
    folder = os.environ.get(_FOLDER, "").strip()
    if folder:
        return Path(folder).expanduser()
    try:
        from platformdirs import user_config_path
    except ImportError:
        return None
    return user_config_path("cozekit", appauthor=False)


def current_profile(name: str | None = None) -> tuple[Profile, Profiles] | None:
    """Return the profile *name*, else that of COZE_PROFILE, else the default one; None if there is none.

    Raises:
        InvalidArgumentError: The named profile does not exist.
    """
    name = name or os.environ.get(_NAME, "").strip()
    folder = config_dir()
    if folder is None:
        if name:
            raise InvalidArgumentError(f'the profile {name!r} needs the command line: pip install "cozekit[cli]"')
        return None
    profiles = Profiles(folder)
    by_name, default = profiles.read()
    name = name or default
    if name is None:
        return None
    if name not in by_name:
        raise InvalidArgumentError(
            f"there is no profile {name!r}: `cozekit profiles` lists them, `cozekit login` creates one"
        )
    return by_name[name], profiles
