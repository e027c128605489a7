"""Every operation, sync and async, with responses whose values are anything that JSON can express, and any headers.

What leaves a call is a result that can be used like any other, or an exception below `CozeError`. Bytes are mutated by
`make fuzz`; here, values are: a response is the described example in which some members are something else.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coze_api import AsyncPage, AsyncPager, Page
from cozekit import AsyncCoze, Coze, RetryPolicy
from cozekit.errors import APIError, CozeError
from tests.contract._calls import BASE, MODES, TOKEN, Call, Mode, calls

MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "4"))
NOW = RetryPolicy(max_retries=1, initial_delay=0, max_delay=0, max_retry_after=0)
ALL = [call for call in calls() if call.kind != "stream"]

NUMBERS = [0, -1, 1.5, 1e300, float("inf"), float("nan"), 2**63, 10**400, True]
TEXTS = ["", "0", "٣", "²", "\ud800", "1e999", "9" * 5000, "\0", "<b>", "null", "[" * 300]
SCALARS = st.one_of(st.none(), st.sampled_from(NUMBERS), st.sampled_from(TEXTS), st.text(max_size=9), st.integers())
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3)
)
DEEP = st.builds(lambda depth, inner: _nested(depth, inner), st.sampled_from([60, 127, 200, 900, 3000]), SCALARS)
NAMES = (
    "content-type",
    "content-encoding",
    "date",
    "link",
    "location",
    "retry-after",
    "set-cookie",
    "www-authenticate",
    "x-tt-logid",
)
ABSURD = (
    b"",
    b"\xff\xfe",
    b"9" * 5000,
    b"1e999",
    "٣".encode(),
    b"javascript:x",
    b"http://xn--",
    b"text/html; charset=hex",
    b"application/json; charset=utf-16",
    b"text/event-stream",
    b"gzip, br, zstd",
    b"Fri, 31 Dec 9999 23:59:59 -2359",
    b"a=\xff; path=/",
)
BYTES = st.binary(max_size=20).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))
HEADERS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ABSURD) | BYTES, max_size=3)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 404, 429, 500, 599, 999])


def _nested(depth: int, inner: Any) -> str:
    """Write JSON that `json` itself could not."""
    return "[" * depth + json.dumps(inner) + "]" * depth


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Find all members and items."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        yield value, key
        yield from _places(item)


@st.composite
def bodies(draw: st.DrawFn, call: Call) -> bytes:
    """Make a response like the example, in which up to three members are something else."""
    example = call.example_answer()
    body = copy.deepcopy(example) if isinstance(example, dict) else {"code": 0, "msg": "", "data": None}
    body |= {"detail": {"logid": "L"}}
    if draw(st.booleans()):
        body["error"] = "invalid_request"
    deep: list[str] = []
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(list(_places(body)) or [(body, "data")]))
        if draw(st.integers(0, 9)) == 0:
            deep.append(draw(DEEP))
            holder[key] = f"deep {len(deep) - 1}"
        else:
            holder[key] = draw(VALUES)
    text = json.dumps(body)
    for number, inner in enumerate(deep):
        text = text.replace(f'"deep {number}"', inner)
    return text.encode()


def use(result: Any) -> None:
    """Do with a result what programs do: show it, compare it, write it, and read its log id."""
    assert repr(result)
    assert result == result
    if hasattr(result, "to_dict"):
        json.dumps(result.to_dict())
    assert isinstance(result.logid, str)


def described(error: CozeError) -> None:
    """Read all attributes of an exception."""
    assert str(error)
    assert repr(error)
    if isinstance(error, APIError):
        assert isinstance(error.code, int)
        assert all(
            isinstance(text, str) for text in (error.msg, error.logid, error.hint, error.debug_url, error.reason)
        )


def _run(call: Call, handler: Any, arguments: dict[str, Any]) -> None:
    with httpx.Client(transport=httpx.MockTransport(handler)) as http:
        result = call.method(Coze(TOKEN, base_url=BASE, http_client=http, retry=NOW))(**arguments)
        if call.kind == "file":
            assert isinstance(result.read(), bytes)
        elif isinstance(result, Page):
            for _, page in zip(range(3), result.pages(), strict=False):
                use(page.answer)
        else:
            use(result)


async def _arun(call: Call, handler: Any, arguments: dict[str, Any]) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        pending = call.method(AsyncCoze(TOKEN, base_url=BASE, http_client=http, retry=NOW))(**arguments)
        result = await pending
        if call.kind == "file":
            assert isinstance(await result.read(), bytes)
        elif isinstance(pending, AsyncPager):
            page: AsyncPage[Any] | None = result
            for _ in range(3):
                if page is not None:
                    use(page.answer)
                    page = await page.next_page()
        else:
            use(result)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", ALL, ids=lambda call: call.id)
@settings(
    max_examples=MAX_EXAMPLES,
    deadline=None,
    derandomize=MAX_EXAMPLES <= 4,
    phases=[Phase.generate, Phase.shrink],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_values(call: Call, mode: Mode, data: st.DataObject) -> None:
    """No value in a response or its headers raises an exception outside CozeError, nor does use of what came of it."""
    status, headers, body = data.draw(STATUSES), data.draw(HEADERS), data.draw(bodies(call))
    pairs = [(b"content-type", b"application/json"), *((name.encode(), value) for name, value in headers.items())]
    values, members = call.example()

    def handle(request: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(body)  # given as a stream, so that a wrong content-encoding is found by the client
        return httpx.Response(status, headers=pairs, stream=stream)

    arguments = call.arguments(values, members)
    try:
        _run(call, handle, arguments) if mode == "sync" else asyncio.run(_arun(call, handle, arguments))
    except CozeError as error:
        described(error)
