"""Calls the operations of a service and reports how its responses differ from the description."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import attrs
import httpx

from tests.contract._calls import document
from tests.contract._urls import text_of
from tests.live._drift import drift
from tests.live._selection import Ids, Question, questions

__all__ = ["Report", "default_base", "look"]


@attrs.define
class Report:
    """The result of a check.

    Attributes:
        answered: Operations that succeeded.
        refused: Operations that failed with a documented code, with code and message.
        skipped: Operations that were not called, with the arguments for which no value was known.
        drift: Operations with differences.
    """

    answered: list[str] = attrs.field(factory=list)
    refused: dict[str, str] = attrs.field(factory=dict)
    skipped: dict[str, str] = attrs.field(factory=dict)
    drift: dict[str, list[str]] = attrs.field(factory=dict)

    def __str__(self) -> str:
        lines = [
            f"{len(self.answered)} operations answered, {len(self.refused)} refused, {len(self.skipped)} not called."
        ]
        for title, entries in (
            ("Refused", self.refused),
            ("Not called, since these arguments are unknown", self.skipped),
        ):
            lines += [f"\n{title}:", *(f"  {name}: {why}" for name, why in sorted(entries.items()))] if entries else []
        if not self.drift:
            return "\n".join([*lines, "\nNo drift: every response matches the description."])
        lines.append("\nDrift:")
        for name, differences in sorted(self.drift.items()):
            lines += [f"  {name}", *(f"    - {difference}" for difference in differences)]
        return "\n".join(lines)


def look(base: str, token: str, *, pause: float = 0.5, transport: httpx.BaseTransport | None = None) -> Report:
    """Call every operation that only reads, with ids from earlier responses.

    Args:
        base: Address of the service.
        token: Access token. Operations that it may not call are refused, which is not drift.
        pause: Seconds between requests.
        transport: Transport for tests. Default: the network.
    """
    report, ids, waiting = Report(), Ids(), questions()
    with httpx.Client(
        base_url=base, transport=transport, timeout=30, headers={"Authorization": f"Bearer {token}"}
    ) as http:
        while ready := [question for question in waiting if question.arguments(ids) is not None]:
            for question in ready:
                waiting.remove(question)
                _call(question, ids, http, report)
                time.sleep(pause)
    for question in waiting:
        schemas = {**{part["name"]: part["schema"] for part in question.call.parameters}, **question.call.members}
        report.skipped[question.call.id] = ", ".join(
            name for name in question.needs if ids.find(name, schemas[name]) is None
        )
    return report


def _call(question: Question, ids: Ids, http: httpx.Client, report: Report) -> None:
    call, arguments = question.call, question.arguments(ids)
    assert arguments is not None
    places = {parameter["name"]: parameter["in"] for parameter in call.parameters}
    path = call.path
    for name, value in arguments.items():
        path = path.replace(f"{{{name}}}", quote(text_of(value), safe=""))
    query = {name: text_of(value) for name, value in arguments.items() if places.get(name) == "query"}
    body = {name: value for name, value in arguments.items() if name not in places}
    response = http.request(
        call.verb, path, params=query, headers=call.fixed_headers, json=body if call.body is not None else None
    )
    try:
        answer = response.json()
    except json.JSONDecodeError:
        answer = response.text
    if differences := drift(call, response.status_code, answer):
        report.drift[call.id] = differences
    if isinstance(answer, dict) and answer.get("code", 0) == 0:
        report.answered.append(call.id)
        ids.learn(question, answer)
    elif call.id not in report.drift:
        report.refused[call.id] = f"{answer['code']} {answer.get('msg', '')!s:.100}"


def default_base() -> str:
    """Return the address of the first service of the description."""
    return str(document()["servers"][0]["url"])
