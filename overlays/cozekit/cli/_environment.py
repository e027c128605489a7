"""Checks that need no connection: versions, proxies, and the source of the token."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import attrs

from coze_api import API_VERSION

from .. import __version__
from .._config import resolve_token
from .._profiles import current_profile
from ..auth import FileStore
from ..errors import CozeError
from ._report import Report

__all__ = ["Credentials", "detect_credentials", "check_proxies", "check_versions"]

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
    """The credentials of requests.

    Attributes:
        options: `token` or `auth` for a client.
        base_url: The only URL that the token may be sent to; None if the user named none.
        remedy: How to log in again.
        refreshes: Whether the token is refreshed automatically.
    """

    options: dict[str, Any] = attrs.field(repr=False)
    base_url: str | None
    remedy: str
    refreshes: bool


def check_versions(report: Report) -> None:
    """Report installed versions and missing extras."""
    ours = f"cozekit {__version__}, API description {API_VERSION}"
    known = f"{ours}, Python {platform.python_version()}, httpx {version('httpx')}"
    installed, missing = [], []
    for extra, packages in _PACKAGES.items():
        versions = [_version(package) for package in packages]
        if all(versions):
            parts = (f"{name} {number}" for name, number in zip(packages, versions, strict=True))
            installed.append(f"{extra} ({', '.join(parts)})")
        else:
            missing.append(extra)
    report.info("versions", f"{known}; extras: {', '.join(installed) or 'none'}")
    if missing:
        names = ",".join(missing)
        report.info("versions", f"not installed: {', '.join(missing)}", f'if needed: pip install "cozekit[{names}]"')


def check_proxies(report: Report, environment: Mapping[str, str] = os.environ) -> bool:
    """Report proxies and certificate files. Returns whether there is a proxy."""
    has_proxy = False
    for name in _PROXIES:
        value = environment.get(name.lower()) or environment.get(name)
        if not value:
            continue
        has_proxy = True
        scheme, shown = urlsplit(value).scheme, _without_password(value)
        if scheme not in {"http", "https", "socks5", "socks5h"}:
            report.error(
                "proxy", f"{name} is {shown}, which is not the URL of a proxy", f"write {name}=http://host:port"
            )
        elif scheme.startswith("socks") and _version("socksio") is None:
            report.error("proxy", f"{name} is {shown}, and support for it is missing", 'pip install "httpx[socks]"')
        else:
            report.info(
                "proxy",
                f"{name} is {shown}: requests to other machines go through it",
                "unset it if it should not be used",
            )
    for name in _FILES:
        value = environment.get(name)
        if value and not os.path.exists(value):  # noqa: PTH110 (the text may not be a valid path)
            report.error(
                "certificates", f"{name} is {value}, which does not exist", f"unset {name}, or correct the path"
            )
    return has_proxy


def detect_credentials(report: Report, profile_name: str | None, base_url: str | None) -> Credentials | None:
    """Find the credentials in the same order as a client, and report them.

    Args:
        report: The report.
        profile_name: The profile that the user named.
        base_url: The URL that the user named.
    """
    try:
        token = None if profile_name else resolve_token(None)
        if token:
            report.ok("token", "COZE_API_TOKEN is set, and used.")
            named = os.environ.get("COZE_PROFILE", "").strip()
            if named:
                report.info("token", f"the profile {named!r} of COZE_PROFILE is not used", "unset one of the two")
            remedy = "create a token on the website, and set COZE_API_TOKEN to it"
            return Credentials({"token": token}, base_url, remedy, refreshes=False)
        current = current_profile(profile_name)
        if current is None:
            report.error("token", "there is no token: COZE_API_TOKEN is not set, and you are not logged in", _LOG_IN)
            return None
        profile, profiles = current
        if base_url is not None and base_url.rstrip("/") != profile.base_url.rstrip("/"):
            where = f"the profile {profile.name!r} is for {profile.base_url}, not for {base_url}"
            report.error("token", where, "log in there as well, or omit the other URL")
            return None
        options = profile.credentials(profiles.store)
        refreshes = profile.method == "jwt" or _check_expiry(
            report, profiles.store, profile.name, profile.login_command
        )
    except CozeError as error:
        report.error("token", str(error), "")
        return None
    report.ok("token", f"the profile {profile.name!r} is used ({profile.method}).")
    return Credentials(options, profile.base_url, profile.login_command, refreshes=refreshes)


_LOG_IN = "run `cozekit login`, or set COZE_API_TOKEN"


def _check_expiry(report: Report, store: FileStore, name: str, remedy: str) -> bool:
    token = store.load(name)
    if token is None:
        return False
    if token.refresh_token is None and token.expires_at <= datetime.now(UTC):
        report.error("token", f"the token expired at {token.expires_at:%Y-%m-%d %H:%M} UTC", remedy)
    return token.refresh_token is not None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _without_password(address: str) -> str:
    head, at, tail = address.rpartition("@")
    scheme, separator, _ = head.partition("://")
    return f"{scheme}{separator}…@{tail}" if at else address
