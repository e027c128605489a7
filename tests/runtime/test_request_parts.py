"""The places of arguments in a request, and what the caller may add."""

from __future__ import annotations

from typing import Any

import pytest

from coze_api._core._argument_types import Bool, ListOf, Text
from coze_api._core._model import Empty
from coze_api._core._operation import Argument, Operation, Options
from coze_api._core._request import prepare
from coze_api.errors import InvalidArgumentError
from tests.runtime._responses import Recorder, answer, client, nothing_sent

PLACES: dict[str, Argument] = {
    "thing_id": Argument("thing_id", "path", Text()),
    "flag": Argument("flag", "query", Bool()),
    "ids": Argument("ids", "query", ListOf(Text())),
    "kind": Argument("X-Kind", "header", Text()),
}
OPERATION = Operation("things.get", "GET", "/things/{thing_id}", Empty.from_dict, arguments=PLACES)


class TestPlaces:
    """Paths and queries."""

    @pytest.mark.parametrize(
        ("argument", "sent"),
        [
            ("a/b", "a%2Fb"), ("../x", "..%2Fx"), ("a?b#c", "a%3Fb%23c"), ("ü 你", "%C3%BC%20%E4%BD%A0"),
            ("%2e", "%252e"), ("{thing_id}", "%7Bthing_id%7D"), ("a;b=c", "a%3Bb%3Dc"), ("...", "..."), ("a\r\nb", "a%0D%0Ab"),
        ],
    )  # fmt: skip
    def test_path_value_stays_in_its_segment(self, argument: str, sent: str) -> None:
        """A value stays within its path segment, whatever it contains."""
        recorder = Recorder()
        client(recorder).request(OPERATION, {"thing_id": argument}, Options())
        assert recorder.target == f"/things/{sent}"

    @pytest.mark.parametrize(("argument", "problem"), [("", "empty"), (".", "'.'"), ("..", "'..'")])
    def test_path_value_that_changes_the_operation_is_rejected(self, argument: str, problem: str) -> None:
        """A value that would turn the path into that of another operation is rejected."""
        with pytest.raises(InvalidArgumentError, match=f"^things.get: thing_id must not be {problem}$"):
            client(nothing_sent).request(OPERATION, {"thing_id": argument}, Options())

    @pytest.mark.parametrize(
        ("argument", "sent"),
        [
            ({"flag": True}, "flag=true"), ({"flag": False}, "flag=false"), ({"ids": ["a", "b"]}, "ids=a%2Cb"),
            ({"ids": ["a b&c=d+ü"]}, "ids=a+b%26c%3Dd%2B%C3%BC"),
        ],
    )  # fmt: skip
    def test_query_values_are_formatted_and_quoted(self, argument: dict[str, Any], sent: str) -> None:
        """Booleans are written in lower case, lists are joined by commas, and all values are quoted."""
        assert prepare(OPERATION, {"thing_id": "1", **argument}, Options()).target == f"/things/1?{sent}"

    def test_comma_in_a_list_item_is_rejected(self) -> None:
        """A list item with a comma would be read as two items and is rejected, unless it is an extra parameter."""
        problem = r"^things\.get: ids\[1\] must not contain a comma, as Coze would read two items: 'b,c'$"
        with pytest.raises(InvalidArgumentError, match=problem):
            prepare(OPERATION, {"thing_id": "1", "ids": ["a", "b,c"]}, Options())
        extra = Options(query={"ids": ["a", "b,c"]})
        assert prepare(OPERATION, {"thing_id": "1"}, extra).target == "/things/1?ids=a%2Cb%2Cc"

    def test_lone_surrogate_in_path_or_query_is_rejected(self) -> None:
        """Text that UTF-8 cannot encode is rejected as an argument in path and query."""
        for argument in ({"thing_id": "\ud800"}, {"thing_id": "1", "ids": ["\ud800"]}):
            with pytest.raises(InvalidArgumentError, match=r"^things\.get: "):
                prepare(OPERATION, argument, Options())

    def test_header_with_a_line_break_is_rejected(self) -> None:
        """Headers are sent, but a header with a line break is rejected."""
        assert prepare(OPERATION, {"thing_id": "1", "kind": "a"}, Options()).headers["x-kind"] == "a"
        with pytest.raises(InvalidArgumentError, match=r"^things\.get hold a value for X-Kind"):
            prepare(OPERATION, {"thing_id": "1", "kind": "a\r\nX-Evil: 1"}, Options())


class TestExtras:
    """What the caller may add to a request."""

    def test_extras_override_described_arguments(self) -> None:
        """Extra body fields, parameters and headers are sent without validation, and override the described ones."""
        recorder = Recorder(answer({}))
        client(recorder).chat.create(
            bot_id="1",
            user_id="2",
            conversation_id="3",
            extra_body={"user_id": 7, "stream": None, "brand_new": {"a": [1.5]}},
            extra_query={"conversation_id": "9", "debug": True, "gone": None},
            extra_headers={
                "x-tt-env": "test",
                "authorization": "Bearer other",
                "content-type": "application/json; v=2",
            },
        )
        assert recorder.body == {"bot_id": "1", "user_id": 7, "stream": None, "brand_new": {"a": [1.5]}}
        assert recorder.target == "/v3/chat?conversation_id=9&debug=true"
        assert recorder.last.headers["x-tt-env"] == "test"
        assert recorder.last.headers.get_list("authorization") == ["Bearer other"]
        assert recorder.last.headers.get_list("content-type") == ["application/json; v=2"]

    def test_extra_body_of_a_get(self) -> None:
        """A body can be added to an operation that describes none."""
        recorder = Recorder(answer({}))
        client(recorder).files.retrieve(file_id="1", extra_body={"a": 1})
        assert recorder.body == {"a": 1}

    def test_extra_fields_of_a_form(self) -> None:
        """Beside a file, extra body fields are fields of the form; None is omitted."""
        recorder = Recorder(answer({}))
        client(recorder).files.upload(file=b"x", extra_body={"flag": True, "list": [1], "none": None})
        content = recorder.last.content
        assert b'name="flag"\r\n\r\ntrue\r\n' in content
        assert b'name="list"\r\n\r\n[1]\r\n' in content
        assert b"none" not in content

    @pytest.mark.parametrize("value", ["a\n", "a\r\nX: 1", "ü", " a", 5])
    def test_invalid_extra_header_is_rejected_without_showing_it(self, value: Any) -> None:
        """A header that cannot be sent is rejected without being shown, since it may be a secret."""
        with pytest.raises(InvalidArgumentError) as caught:
            client(nothing_sent).files.retrieve(file_id="1", extra_headers={"X-Secret": value})
        assert str(caught.value) == (
            "files.retrieve: extra_headers hold a value for X-Secret that is not printable ASCII text"
        )
