"""What responses contain besides their result, and what errors contain."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import httpx
import pytest

from coze_api import Empty, ItemList, Response
from coze_api.errors import (
    CODES,
    APIError,
    AuthenticationError,
    ConflictError,
    ContentPolicyError,
    CozeError,
    DecodeError,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServerTimeoutError,
    StreamFailed,
    StreamInterrupted,
)
from coze_api.models import Chat, ChatErrorEvent, ChatLastError, Message, StreamError
from tests.runtime._responses import Handler, answer, async_client, client, raw

HEADERS = {"x-tt-logid": "from-header"}
DETAIL = {"logid": "from-body"}


def failing(handler: Handler) -> Any:
    """Return the error of a call."""
    with pytest.raises(APIError) as caught:
        client(handler).files.retrieve(file_id="1")
    return caught.value


class TestResponse:
    """`.response` and `.logid`."""

    def test_model_has_status_headers_and_log_id(self) -> None:
        """A model that is a response has status, headers in any spelling, log id, and the HTTP response."""
        file = client(answer({"id": "1"}, headers=HEADERS)).files.retrieve(file_id="1")
        assert isinstance(file.response, Response)
        assert file.response.status == 200
        assert file.response.headers["X-TT-LOGID"] == "from-header"
        assert file.logid == file.response.logid == "from-header"
        assert isinstance(file.response.http, httpx.Response)
        assert repr(file.response) == "Response(status=200, logid='from-header')"

    def test_list_has_status_and_log_id(self) -> None:
        """A list that is a response is a list of models with status and log id."""
        items = client(answer([{"id": "1"}], headers=HEADERS)).chat.messages.list(conversation_id="1", chat_id="2")
        assert isinstance(items, ItemList)
        assert isinstance(items, list)
        assert (items.logid, items.response.status, items[0].id) == ("from-header", 200, "1")

    def test_empty_result_has_a_log_id(self) -> None:
        """A response without a result is `Empty`, with the log id."""
        empty = client(answer(headers=HEADERS)).conversations.delete(conversation_id="1")
        assert isinstance(empty, Empty)
        assert empty.logid == "from-header"

    def test_page_and_whole_response_have_a_log_id(self) -> None:
        """A page, and a result that is the whole response, have the log id."""
        run = client(answer("{}", detail=DETAIL, debug_url="https://debug")).workflows.runs.create(workflow_id="1")
        assert (run.data, run.debug_url, run.logid) == ("{}", "https://debug", "from-body")
        page = client(answer({"items": [], "total": 0}, headers=HEADERS)).bots.list(workspace_id="1")
        assert page.logid == page.response.logid == page.answer.logid == "from-header"

    @pytest.mark.anyio
    async def test_async_results_have_a_log_id(self) -> None:
        """The results of an async client have the log id."""
        coze = async_client(answer({"id": "1"}, headers=HEADERS))
        assert (await coze.files.retrieve(file_id="1")).logid == "from-header"
        assert (await coze.bots.list(workspace_id="1")).logid == "from-header"

    @pytest.mark.parametrize(
        ("detail", "headers", "logid"),
        [
            (DETAIL, HEADERS, "from-body"),
            (None, HEADERS, "from-header"),
            ({}, HEADERS, "from-header"),
            ({"logid": ""}, HEADERS, "from-header"),
            ("text", HEADERS, "from-header"),
            (DETAIL, None, "from-body"),
            (None, None, ""),
        ],
    )
    def test_log_id_of_the_body_overrides_the_headers(
        self, detail: Any, headers: dict[str, str] | None, logid: str
    ) -> None:
        """The log id of the body overrides that of the headers, for errors and results; without either it is empty."""
        assert client(answer({}, detail=detail, headers=headers)).files.retrieve(file_id="1").logid == logid
        assert failing(answer(code=4000, detail=detail, headers=headers)).logid == logid

    @pytest.mark.parametrize("name", ["response", "logid"])
    def test_nested_and_own_objects_have_no_response(self, name: str) -> None:
        """Nested models, and models that the caller creates, raise an error that names which object has the response."""
        chat = client(answer({"id": "1", "last_error": {"code": 1, "msg": ""}})).chat.retrieve(
            conversation_id="1", chat_id="1"
        )
        assert chat.last_error is not None
        for part in (chat.last_error, ChatLastError(msg="")):
            with pytest.raises(
                AttributeError, match=r"this ChatLastError is not a response itself; read \.response on"
            ):
                getattr(part, name)
            assert not hasattr(part, name)

    def test_equality_ignores_the_response(self) -> None:
        """Two results with the same content are equal, whatever their log ids."""
        first, second = (
            client(answer({"id": "1"}, headers={"x-tt-logid": logid})).files.retrieve(file_id="1") for logid in "ab"
        )
        assert first == second
        assert first.logid != second.logid
        assert Message.from_dict({"id": "1"}) != first


class TestErrors:
    """What errors contain."""

    def test_api_error_has_all_details_in_its_text(self) -> None:
        """An API error has code, message, log id, operation, hint, status, debug page and response, and its text has
        all of them.
        """
        error = failing(
            answer(code=4016, msg="occupied", status=400, detail=DETAIL, debug_url="https://debug", headers=HEADERS)
        )
        assert isinstance(error, ConflictError)
        assert (error.code, error.msg, error.status) == (4016, "occupied", 400)
        assert (error.logid, error.operation, error.debug_url) == ("from-body", "files.retrieve", "https://debug")
        assert error.hint == CODES[4016].hint
        assert error.retryable
        assert error.response is not None
        assert error.response.status == 400
        assert str(error) == (
            f"files.retrieve: occupied (HTTP 400, code 4016, logid from-body). {error.hint} Debug: https://debug"
        )

    @pytest.mark.parametrize(
        ("code", "status", "error", "retryable"),
        [
            (4100, 200, AuthenticationError, False),
            (4000, 500, InvalidRequestError, False),
            (4014, 200, ContentPolicyError, False),
            (4028, 200, QuotaError, False),
            (4013, 200, RateLimitError, True),
            (4001, 200, NotFoundError, False),
            (4029, 200, ServerTimeoutError, False),
            (999999, 200, APIError, False),
            (999999, 400, InvalidRequestError, False),
            (0, 401, AuthenticationError, False),
            (0, 403, PermissionDeniedError, False),
            (0, 404, NotFoundError, False),
            (0, 408, ServerTimeoutError, True),
            (0, 409, ConflictError, False),
            (0, 418, InvalidRequestError, False),
            (0, 429, RateLimitError, True),
            (0, 503, ServerError, True),
        ],
    )
    def test_code_then_status_decides_the_class(
        self, code: int, status: int, error: type[APIError], retryable: bool
    ) -> None:
        """The code decides the class first, the HTTP status second; every class is an `APIError` and a `CozeError`."""
        raised = failing(answer(code=code, msg="m", status=status))
        assert type(raised) is error
        assert isinstance(raised, CozeError)
        assert (raised.code, raised.status, raised.retryable) == (code or status, status, retryable)

    def test_every_known_code_has_a_class_and_a_hint(self) -> None:
        """Every known code has the class of its category, if it has one, and a hint."""
        for code, known in CODES.items():
            error = failing(answer(code=code, msg=""))
            assert (type(error) is APIError) == (known.category is None)
            assert error.retryable is known.retryable
            assert error.hint.startswith(known.hint or known.meaning)

    @pytest.mark.parametrize(("code", "status"), [(4101, 200), (0, 403)])
    def test_missing_permission_is_named(self, code: int, status: int) -> None:
        """A permission error names the permission that the operation needs."""
        assert failing(answer(code=code, status=status)).hint.endswith("The token needs the permission 'retrieveFile'.")

    def test_message_under_another_name_is_read(self) -> None:
        """A message under another field name is read; without any, the HTTP reason is used."""
        assert failing(raw('{"code":1,"message":"oops"}')).msg == "oops"
        assert failing(raw("{}", status=404)).msg == "Not Found"
        assert str(failing(raw("{}", status=520))) == "files.retrieve: failed (HTTP 520, code 520)"


class TestGateway:
    """Responses that are not from Coze."""

    def test_html_error_page_is_shown_shortened(self) -> None:
        """An HTML page of a gateway is shown shortened, with its type, and can be retried."""
        error = failing(raw("<html>\n <h1>502 Bad\tGateway</h1>" + "x" * 500, status=502, content_type="text/html"))
        assert type(error) is GatewayError
        assert error.content_type == "text/html"
        assert error.excerpt == ("<html> <h1>502 Bad Gateway</h1>" + "x" * 500)[:200]
        assert (error.code, error.status, error.retryable) == (502, 502, True)
        assert "try again" in error.hint

    @pytest.mark.parametrize("status", [200, 301, 404])
    def test_html_success_page_suggests_the_base_url(self, status: int) -> None:
        """An HTML page in place of a response suggests that the base URL is that of the web site."""
        error = failing(raw("<!doctype html>", status=status, content_type="text/html; charset=utf-8"))
        assert type(error) is GatewayError
        assert not error.retryable
        assert error.hint == "The base URL seems to be a web site; use https://api.coze.com or https://api.coze.cn."

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"code":0} trailing', b"NaN!"])
    def test_invalid_json_is_never_a_parser_error(self, body: bytes) -> None:
        """Invalid or incomplete JSON never raises the parser's exception."""
        error = failing(raw(body))
        assert type(error) is GatewayError
        assert error.__cause__ is None
        assert "the response is not JSON but application/json" in str(error)

    def test_unknown_charset_is_ignored(self) -> None:
        """A charset that does not exist is ignored."""
        assert failing(raw("<html>", content_type="text/html; charset=klingon")).excerpt == "<html>"

    def test_gateway_rate_limit_has_its_retry_after(self) -> None:
        """A rate limit of a gateway has its Retry-After."""
        assert failing(raw("slow down", status=429, content_type="text/plain")).retryable

    @pytest.mark.anyio
    async def test_async_gateway_error(self) -> None:
        """An async client raises GatewayError for an HTML page."""
        with pytest.raises(GatewayError, match="HTTP 502"):
            await async_client(raw("<html>", status=502, content_type="text/html")).files.retrieve(file_id="1")


class TestDecodeError:
    """JSON of unknown shape."""

    @pytest.mark.parametrize("body", ["[1]", "5"])
    def test_decode_error_has_operation_log_id_and_response(self, body: str) -> None:
        """A DecodeError has operation, log id and the response."""
        error = failing(lambda _: httpx.Response(200, text=body, headers=HEADERS))
        assert type(error) is DecodeError
        assert str(error) == (
            f"files.retrieve: the response has an unknown shape: it is {body} (HTTP 200, code 200, logid from-header)"
        )
        assert error.response is not None
        assert error.response.http.text == body


class TestPickling:
    """Errors and results are pickled by process pools."""

    @pytest.mark.parametrize(
        "handler",
        [answer(code=4100, msg="m", debug_url="https://debug"), raw("<html>", status=502), answer([1])],
    )
    def test_pickled_api_error_keeps_all_but_the_response(self, handler: Handler) -> None:
        """A pickled API error keeps everything except its response."""
        error = failing(handler)
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(twin) is type(error)
            assert str(twin) == str(error)
            assert twin.args == error.args
            assert vars(twin) == {**vars(error), "response": None}

    def test_pickled_stream_error_keeps_all_but_the_stream(self) -> None:
        """A pickled stream error keeps everything except its stream."""
        failed = StreamFailed("m", code=4028, operation="chat.stream")
        failed.event = ChatErrorEvent(StreamError(code=4028))
        assert pickle.loads(pickle.dumps(failed)).event == failed.event
        last = ChatErrorEvent(StreamError(code=1))
        broken = StreamInterrupted(
            "why", operation="o", logid="l", stream=lambda: None, events=3, last_event=last, rest=b"x"
        )
        twin = pickle.loads(pickle.dumps(broken))
        assert str(twin) == str(broken)
        assert vars(twin) == {**vars(broken), "stream": None}

    def test_result_can_be_pickled_and_copied(self) -> None:
        """A result can be pickled and copied, including its response."""
        chat = client(answer({"id": "1"}, headers=HEADERS)).chat.retrieve(conversation_id="1", chat_id="1")
        for twin in (pickle.loads(pickle.dumps(chat)), copy.deepcopy(chat)):
            assert isinstance(twin, Chat)
            assert twin == chat
            assert twin.logid == "from-header"
