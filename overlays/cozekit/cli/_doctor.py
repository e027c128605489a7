"""Asks Coze who the token is, and finds out why it does not answer."""

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
from ._environment import Credentials, find_credentials, look_at_proxies, look_at_versions
from ._report import Report

__all__ = ["REGIONS", "examine"]

REGIONS = {COZE_COM: "international, coze.com", COZE_CN: "mainland China, coze.cn"}

_TIMEOUT = 15.0
_SKEW_SECONDS = 60
_MOST_ENTRIES = 1


@attrs.frozen
class _Visit:
    """How one service took the token.

    Attributes:
        base_url: The service.
        error: What it said against it, if anything.
        skew: Seconds that the clock of this machine is ahead; None if it did not tell the time.
    """

    base_url: str
    error: CozeError | None
    skew: float | None


def examine(profile_name: str | None, base_url: str | None) -> Report:
    """Look at everything that can be wrong.

    Args:
        profile_name: The profile to use; the one that a client would use by default.
        base_url: The address to ask. By default that of the profile, or, where nobody said any, both official ones.
    """
    report = Report()
    look_at_versions(report)
    proxy = look_at_proxies(report)
    credentials = find_credentials(report, profile_name, base_url)
    if credentials is None or not report.healthy:
        return report
    places = [credentials.base_url] if credentials.base_url else list(REGIONS)
    hosts = " and ".join(_host(place) for place in places)
    report.note("privacy", f"the token is sent to {hosts}, and nowhere else.")
    visits = [_visit(place, credentials) for place in places]
    for visit in visits:
        _judge(report, visit, credentials, proxy=proxy, alone=len(visits) == 1)
    report.services.extend(visit.base_url for visit in visits if visit.error is None)
    _look_at_clock(report, visits)
    if len(visits) > 1:
        _look_at_region(report, visits)
    for place in report.services:
        _look_at_permissions(report, place, credentials)
    return report


def _client(base_url: str, credentials: Credentials) -> Coze:
    return Coze(base_url=base_url, retry=0, timeout=_TIMEOUT, **credentials.options)


def _visit(base_url: str, credentials: Credentials) -> _Visit:
    answer: Any = None
    error: CozeError | None = None
    with _client(base_url, credentials) as coze:
        try:
            answer = coze.users.me().response
        except CozeError as failure:
            error, answer = failure, getattr(failure, "response", None)
    date = None if answer is None else email.utils.parsedate_tz(answer.headers.get("date", ""))
    skew = None if date is None else time.time() - email.utils.mktime_tz(date)
    return _Visit(base_url, error, skew)


def _judge(report: Report, visit: _Visit, credentials: Credentials, *, proxy: bool, alone: bool) -> None:
    host, error = _host(visit.base_url), visit.error
    region = REGIONS.get(visit.base_url)
    named = f"{host} ({region})" if region else host
    match error:
        case None:
            report.good("service", f"{named} takes the token.")
        case OAuthError():
            report.bad("token", f"{host} gives no new token: {error.msg}", f"{error.hint} {credentials.remedy}".strip())
        case GatewayError():
            report.bad("service", f"{host} answers with something that is not of Coze: {error.msg}", _GATEWAY)
        case PermissionDeniedError() | AuthenticationError() if not alone:
            report.note("service", f"{named} does not take the token (code {error.code}).")
        case PermissionDeniedError():
            other = _other_region(visit.base_url)
            hint = f" It may be of {other}: try `cozekit doctor --base-url {other}`." if other else ""
            report.bad("token", f"{named} does not take the token (code {error.code}).{hint}", credentials.remedy)
        case AuthenticationError():
            text = f"{named} does not know the token (code {error.code}): it is misspelt, has expired or was deleted."
            report.bad("token", text, credentials.remedy)
        case APIConnectionError():
            elsewhere = not is_loopback(urlsplit(visit.base_url).hostname or "")
            report.bad("connection", *_explain(error, host, proxy=proxy and elsewhere))
        case APIError():
            report.bad("service", f"{host} fails: {error.msg} (HTTP {error.status}, code {error.code}, logid"
                       f" {error.logid or 'unknown'})", "try again later")  # fmt: skip
        case _:
            report.bad("token", str(error), credentials.remedy)


_GATEWAY = "a proxy, a firewall or a login page of the network answers in its place; ask who runs the network"


def _explain(error: APIConnectionError, host: str, *, proxy: bool) -> tuple[str, str]:
    """Tell why no connection came about, and what to do."""
    through = " The proxy named above may be the cause." if proxy else ""
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                return f"the name {host} is not known (DNS).{through}", "check the address, the network and its DNS"
            case ssl.SSLCertVerificationError():
                text = f"the certificate of {host} is not trusted: {cause.verify_message}.{through}"
                return text, "a proxy that reads along needs its own certificate: name its file in SSL_CERT_FILE"
            case ssl.SSLError():
                return (
                    f"no encrypted connection to {host}: {cause.reason or cause}.{through}",
                    "check address, proxy",
                )
            case ConnectionRefusedError():
                return f"nothing listens at {host}.{through}", "check address and port"
    if isinstance(error, APITimeoutError):
        return f"{host} did not answer within {_TIMEOUT:g} s.{through}", "check network, firewall and proxy"
    return f"no connection to {host}: {error}.{through}", "check network and proxy"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _look_at_clock(report: Report, visits: list[_Visit]) -> None:
    skews = [visit.skew for visit in visits if visit.skew is not None]
    if not skews:
        return
    skew = min(skews, key=abs)
    if abs(skew) <= _SKEW_SECONDS:
        report.good("clock", "the clock of this machine is right.")
        return
    side = "ahead" if skew > 0 else "behind"
    report.bad(
        "clock",
        f"the clock of this machine is {abs(skew):.0f} s {side}: JWTs are refused, and tokens seem to expire wrongly",
        "set the clock, or let it be set (NTP)",
    )


def _look_at_region(report: Report, visits: list[_Visit]) -> None:
    """Tell which region the token belongs to, where both were asked."""
    takers = [visit.base_url for visit in visits if visit.error is None]
    if not takers:
        if all(isinstance(visit.error, PermissionDeniedError | AuthenticationError) for visit in visits):
            text = "no region takes the token: it is misspelt, has expired or was deleted"
            report.bad("region", text, "make a new one, on www.coze.com or www.coze.cn")
        return
    home = takers[0]
    report.good("region", f"the token belongs to {REGIONS[home]}.")
    if home != COZE_COM:
        remedy = f"set COZE_API_BASE={home}, or give Coze(base_url=…)"
        report.bad("region", f"a client asks {_host(COZE_COM)} unless told otherwise, which does not know it", remedy)


def _look_at_permissions(report: Report, base_url: str, credentials: Credentials) -> None:
    """Try what only reads, and tell what the token may do."""
    with _client(base_url, credentials) as coze:
        report.may.append(users.ME.id)
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
    report.note("permissions", f"tried, and allowed: {', '.join(report.may)}")
    if report.may_not:
        names = ", ".join(f"{name} ({permission})" for name, permission in report.may_not.items())
        report.note("permissions", f"tried, and not allowed: {names}", "add the permission to the token, if needed")


def _try(report: Report, coze: Coze, operation: Operation[Any], arguments: dict[str, Any]) -> Any:
    try:
        answer = coze.request(operation, arguments, Options())
    except PermissionDeniedError:
        report.may_not[operation.id] = operation.permission or ""
        return None
    except CozeError as error:
        report.note("permissions", f"{operation.id} could not be tried: {error}")
        return None
    report.may.append(operation.id)
    return answer


def _other_region(base_url: str) -> str | None:
    return {COZE_COM: COZE_CN, COZE_CN: COZE_COM}.get(base_url)


def _host(base_url: str) -> str:
    return urlsplit(base_url).netloc or base_url
