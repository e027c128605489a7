"""`cozekit doctor`: checks token, services, clock, region and permissions."""

from __future__ import annotations

import email.utils
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import attrs

from coze_api._core._loopback import is_loopback
from coze_api._core._operation import Operation, Options
from coze_api.operations import apps, audio, bots, datasets, users, workflows, workspaces

from .. import Coze
from .._config import COZE_CN, COZE_COM
from ..errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    CozeError,
    GatewayError,
    OAuthError,
    PermissionDeniedError,
)
from ._environment import Credentials, check_proxies, check_versions, detect_credentials
from ._report import Report

__all__ = ["REGIONS", "examine"]

REGIONS = {COZE_COM: "international, coze.com", COZE_CN: "mainland China, coze.cn"}

_TIMEOUT = 15.0
_SKEW_SECONDS = 60
_MOST_ENTRIES = 1


@attrs.frozen
class _ServiceCheck:
    """Result of a call to one service.

    Attributes:
        base_url: The service.
        error: The error, if the call failed.
        skew: Seconds that the clock of this machine is ahead; None if the response has no time.
    """

    base_url: str
    error: CozeError | None
    skew: float | None


def examine(profile_name: str | None, base_url: str | None) -> Report:
    """Run all checks.

    Args:
        profile_name: The profile to use. Default: that of a client.
        base_url: The URL to check. Default: that of the profile; both official ones if there is none.
    """
    report = Report()
    check_versions(report)
    proxy = check_proxies(report)
    credentials = detect_credentials(report, profile_name, base_url)
    if credentials is None or not report.healthy:
        return report
    places = [credentials.base_url] if credentials.base_url else list(REGIONS)
    hosts = " and ".join(_host(place) for place in places)
    report.info("privacy", f"the token is sent to {hosts}, and nowhere else.")
    checks = [_check_service(place, credentials) for place in places]
    for check in checks:
        _report_service(report, check, credentials, proxy=proxy, alone=len(checks) == 1)
    report.services.extend(check.base_url for check in checks if check.error is None)
    _check_clock(report, checks)
    if len(checks) > 1:
        _check_region(report, checks)
    for place in report.services:
        _check_permissions(report, place, credentials)
    return report


def _client(base_url: str, credentials: Credentials) -> Coze:
    return Coze(base_url=base_url, retry=0, timeout=_TIMEOUT, **credentials.options)


def _check_service(base_url: str, credentials: Credentials) -> _ServiceCheck:
    answer: Any = None
    error: CozeError | None = None
    with _client(base_url, credentials) as coze:
        try:
            answer = coze.users.me().response
        except CozeError as failure:
            error, answer = failure, getattr(failure, "response", None)
    date = None if answer is None else email.utils.parsedate_tz(answer.headers.get("date", ""))
    skew = None if date is None else time.time() - email.utils.mktime_tz(date)
    return _ServiceCheck(base_url, error, skew)


def _report_service(
    report: Report, check: _ServiceCheck, credentials: Credentials, *, proxy: bool, alone: bool
) -> None:
    host, error = _host(check.base_url), check.error
    region = REGIONS.get(check.base_url)
    named = f"{host} ({region})" if region else host
    match error:
        case None:
            report.ok("service", f"{named} accepts the token.")
        case OAuthError():
            report.error(
                "token", f"{host} rejects the token request: {error.msg}", f"{error.hint} {credentials.remedy}".strip()
            )
        case GatewayError():
            report.error("service", f"the response of {host} is not one of Coze: {error.msg}", _GATEWAY)
        case PermissionDeniedError() | AuthenticationError() if not alone:
            report.info("service", f"{named} rejects the token (code {error.code}).")
        case PermissionDeniedError():
            other = _other_region(check.base_url)
            hint = f" It may belong to {other}: try `cozekit doctor --base-url {other}`." if other else ""
            report.error("token", f"{named} rejects the token (code {error.code}).{hint}", credentials.remedy)
        case AuthenticationError():
            text = f"{named} does not know the token (code {error.code}): it is misspelled, expired or deleted."
            report.error("token", text, credentials.remedy)
        case APIConnectionError():
            elsewhere = not is_loopback(urlsplit(check.base_url).hostname or "")
            report.error("connection", *_explain(error, host, proxy=proxy and elsewhere))
        case APIError():
            report.error("service", f"{host} fails: {error.msg} (HTTP {error.status}, code {error.code}, logid"
                       f" {error.logid or 'unknown'})", "try again later")  # fmt: skip
        case _:
            report.error("token", str(error), credentials.remedy)


_GATEWAY = (
    "a proxy, a firewall or a login page of the network responds instead; contact the administrator of the network"
)


def _explain(error: APIConnectionError, host: str, *, proxy: bool) -> tuple[str, str]:
    """Return why there is no connection, and what to do."""
    through = " The proxy named above may be the cause." if proxy else ""
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                return f"the name {host} is not known (DNS).{through}", "check the URL, the network and its DNS"
            case ssl.SSLCertVerificationError():
                text = f"the certificate of {host} is not trusted: {cause.verify_message}.{through}"
                return text, "a proxy that decrypts traffic needs its own certificate: set SSL_CERT_FILE to its file"
            case ssl.SSLError():
                return (
                    f"no encrypted connection to {host}: {cause.reason or cause}.{through}",
                    "check the URL and the proxy",
                )
            case ConnectionRefusedError():
                return f"nothing listens at {host}.{through}", "check the URL and the port"
    if isinstance(error, APITimeoutError):
        return f"{host} did not respond within {_TIMEOUT:g} s.{through}", "check network, firewall and proxy"
    return f"no connection to {host}: {error}.{through}", "check network and proxy"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _check_clock(report: Report, checks: list[_ServiceCheck]) -> None:
    skews = [check.skew for check in checks if check.skew is not None]
    if not skews:
        return
    skew = min(skews, key=abs)
    if abs(skew) <= _SKEW_SECONDS:
        report.ok("clock", "the clock of this machine is right.")
        return
    side = "ahead" if skew > 0 else "behind"
    report.error(
        "clock",
        f"the clock of this machine is {abs(skew):.0f} s {side}: JWTs are rejected, and expiry is judged wrongly",
        "set the clock, or synchronize it (NTP)",
    )


def _check_region(report: Report, checks: list[_ServiceCheck]) -> None:
    """Report the region of the token, if both were checked."""
    accepting = [check.base_url for check in checks if check.error is None]
    if not accepting:
        if all(isinstance(check.error, PermissionDeniedError | AuthenticationError) for check in checks):
            text = "no region accepts the token: it is misspelled, expired or deleted"
            report.error("region", text, "create a new one on www.coze.com or www.coze.cn")
        return
    home = accepting[0]
    report.ok("region", f"the token belongs to {REGIONS[home]}.")
    if home != COZE_COM:
        remedy = f"set COZE_API_BASE={home}, or pass Coze(base_url=…)"
        report.error("region", f"clients use {_host(COZE_COM)} by default, which rejects it", remedy)


def _check_permissions(report: Report, base_url: str, credentials: Credentials) -> None:
    """Try operations that only read, and report which ones the token may call."""
    with _client(base_url, credentials) as coze:
        report.allowed.append(users.ME.id)
        workspace, answered = None, _try(report, coze, workspaces.LIST, {"page_size": _MOST_ENTRIES})
        listed = getattr(answered, "workspaces", None)
        if listed:
            workspace = listed[0].id
        _try(report, coze, audio.VOICES_LIST, {"page_size": _MOST_ENTRIES})
        if workspace is not None:
            _try(report, coze, bots.LIST, {"workspace_id": workspace, "page_size": _MOST_ENTRIES})
            _try(report, coze, apps.LIST, {"workspace_id": workspace, "page_size": _MOST_ENTRIES})
            _try(report, coze, datasets.LIST, {"space_id": workspace, "page_size": _MOST_ENTRIES})
            paged = {"workspace_id": workspace, "page_num": 1, "page_size": _MOST_ENTRIES}
            _try(report, coze, workflows.LIST, paged)
    report.info("permissions", f"tried, and allowed: {', '.join(report.allowed)}")
    if report.denied:
        names = ", ".join(f"{name} ({permission})" for name, permission in report.denied.items())
        report.info("permissions", f"tried, and not allowed: {names}", "add the permissions to the token, if needed")


def _try(report: Report, coze: Coze, operation: Operation[Any], arguments: dict[str, Any]) -> Any:
    try:
        answer = coze.request(operation, arguments, Options())
    except PermissionDeniedError:
        report.denied[operation.id] = operation.permission or ""
        return None
    except CozeError as error:
        report.info("permissions", f"{operation.id} could not be tried: {error}")
        return None
    report.allowed.append(operation.id)
    return answer


def _other_region(base_url: str) -> str | None:
    return {COZE_COM: COZE_CN, COZE_CN: COZE_COM}.get(base_url)


def _host(base_url: str) -> str:
    return urlsplit(base_url).netloc or base_url
