"""What can be told without asking anybody: versions, proxies, where the token comes from."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import attrs

from .. import __version__
from .._config import resolve_token
from .._profiles import current_profile
from ..auth import FileStore
from ..errors import CozeError
from ._report import Report

__all__ = ["Credentials", "find_credentials", "look_at_proxies", "look_at_versions"]

_PACKAGES = {
    "speed": ("orjson",),
    "jwt": ("PyJWT", "cryptography"),
    "redis": ("redis",),
    "ws": ("websockets",),
    "sandbox": ("starlette", "uvicorn", "jsonschema-rs"),
}
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@attrs.frozen
class Credentials:
    """What requests are authorised by.

    Attributes:
        options: `token` or `auth` for a client.
        base_url: The one address that the token may be sent to; None where the user named none.
        remedy: How to log in again.
        renews: Whether the token is renewed by itself.
    """

    options: dict[str, Any] = attrs.field(repr=False)
    base_url: str | None
    remedy: str
    renews: bool


def look_at_versions(report: Report) -> None:
    """Tell the versions of what is installed, and which extras are not."""
    known = f"cozekit {__version__}, Python {platform.python_version()}, httpx {version('httpx')}"
    found, missing = [], []
    for extra, packages in _PACKAGES.items():
        versions = [_version(package) for package in packages]
        if all(versions):
            found.append(f"{extra} ({', '.join(f'{one} {its}' for one, its in zip(packages, versions, strict=True))})")
        else:
            missing.append(extra)
    report.note("versions", f"{known}; extras: {', '.join(found) or 'none'}")
    if missing:
        names = ",".join(missing)
        report.note("versions", f"not installed: {', '.join(missing)}", f'if needed: pip install "cozekit[{names}]"')


def look_at_proxies(report: Report, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell what stands between here and Coze. Returns whether there is a proxy."""
    found = False
    for name in _PROXIES:
        value = environment.get(name.lower()) or environment.get(name)
        if not value:
            continue
        found = True
        scheme, shown = urlsplit(value).scheme, _without_password(value)
        if scheme not in {"http", "https", "socks5", "socks5h"}:
            report.bad("proxy", f"{name} is {shown}, which is no address of a proxy", f"write {name}=http://host:port")
        elif scheme.startswith("socks") and _version("socksio") is None:
            report.bad("proxy", f"{name} is {shown}, and support for it is missing", 'pip install "httpx[socks]"')
        else:
            report.note(
                "proxy",
                f"{name} is {shown}: requests to other machines go through it",
                "unset it if it should not be used",
            )
    for name in _FILES:
        value = environment.get(name)
        if value and not os.path.exists(value):  # noqa: PTH110 (a text from outside, which may be no path at all)
            report.bad("certificates", f"{name} is {value}, which does not exist", f"unset {name}, or mend the path")
    return found


def find_credentials(report: Report, profile_name: str | None, base_url: str | None) -> Credentials | None:
    """Find what authorises requests, in the order in which a client does, and tell it.

    Args:
        report: Where to tell it.
        profile_name: The profile that was asked for.
        base_url: The address that was asked for.
    """
    try:
        token = None if profile_name else resolve_token(None)
        if token:
            report.good("token", "COZE_API_TOKEN is set, and used.")
            named = os.environ.get("COZE_PROFILE", "").strip()
            if named:
                report.note("token", f"so the profile {named!r} of COZE_PROFILE is not", "unset one of both")
            remedy = "make a token on the web site, and set COZE_API_TOKEN to it"
            return Credentials({"token": token}, base_url, remedy, renews=False)
        current = current_profile(profile_name)
        if current is None:
            report.bad("token", "there is no token: COZE_API_TOKEN is not set, and nobody has logged in", _LOG_IN)
            return None
        profile, profiles = current
        if base_url is not None and base_url.rstrip("/") != profile.base_url.rstrip("/"):
            where = f"the profile {profile.name!r} is for {profile.base_url}, not for {base_url}"
            report.bad("token", where, "log in there as well, or leave the other address out")
            return None
        options = profile.credentials(profiles.store)
        renews = profile.method == "jwt" or _look_at_end(report, profiles.store, profile.name, profile.login_command)
    except CozeError as error:
        report.bad("token", str(error), "")
        return None
    report.good("token", f"the profile {profile.name!r} is used ({profile.method}).")
    return Credentials(options, profile.base_url, profile.login_command, renews=renews)


_LOG_IN = "run `cozekit login`, or set COZE_API_TOKEN"


def _look_at_end(report: Report, store: FileStore, name: str, remedy: str) -> bool:
    kept = store.load(name)
    if kept is None:
        return False
    if kept.refresh_token is None and kept.expires_at <= datetime.now(UTC):
        report.bad("token", f"the token expired at {kept.expires_at:%Y-%m-%d %H:%M} UTC", remedy)
    return kept.refresh_token is not None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _without_password(address: str) -> str:
    head, at, tail = address.rpartition("@")
    scheme, separator, _ = head.partition("://")
    return f"{scheme}{separator}…@{tail}" if at else address
