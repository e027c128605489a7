"""Validation of arguments before anything is sent, and their place in the request."""

from __future__ import annotations

import enum
import io
import math
from collections.abc import Callable
from typing import Any

import pytest

from coze_api import Client, Unknown
from coze_api._core._argument_types import (
    AnyValue,
    Bool,
    EnumOf,
    FileValue,
    Float,
    Int,
    InvalidValue,
    ListOf,
    MapOf,
    Object,
    Text,
    Value,
)
from coze_api._core._model import Empty
from coze_api._core._operation import Argument, Operation, Options
from coze_api.errors import CozeError, InvalidArgumentError
from coze_api.models import BotMode, BotPublishStatus, EnterMessage, Message, ToolOutput
from tests.runtime._responses import Recorder, answer, async_client, client, nothing_sent


class Color(str, enum.Enum):  # noqa: UP042  (its str() is not its value)
    """A string enum of the caller."""

    RED = "red"


def encode(value: Value, argument: Any) -> Any:
    """Send *given* as argument ``x`` of kind *value* and return what the body contains."""
    operation = Operation("o.p", "POST", "/", Empty.from_dict, arguments={"x": Argument("x", "body", value)})
    recorder = Recorder(answer())
    client(recorder).request(operation, {"x": argument}, Options())
    return recorder.body.get("x")


class TestValues:
    """Each kind of value."""

    @pytest.mark.parametrize(
        ("value", "argument", "problem"),
        [
            (Text(), 5, "x must be a str, not int (5)"),
            (Text(), b"x", "x must be a str, not bytes (b'x')"),
            (Text(min_length=2), "a", "x must have at least 2 characters, has 1"),
            (Text(max_length=2), "äöü", "x must have at most 2 characters, has 3"),
            (Int(), "5", "x must be an int, not str ('5')"),
            (Int(), True, "x must be an int, not bool (True)"),
            (Int(), 5.0, "x must be an int, not float (5.0)"),
            (Int(minimum=1), 0, "x must be at least 1, is 0"),
            (Int(maximum=50), 51, "x must be at most 50, is 51"),
            (Float(), "1", "x must be a number, not str ('1')"),
            (Float(), False, "x must be a number, not bool (False)"),
            (Float(), math.nan, "x must be finite, is nan"),
            (Float(), math.inf, "x must be finite, is inf"),
            (Float(minimum=0.5), 0.4, "x must be at least 0.5, is 0.4"),
            (Bool(), 1, "x must be True or False, not 1"),
            (Bool(), "true", "x must be True or False, not 'true'"),
            (
                EnumOf(BotPublishStatus),
                "gone",
                "x must be one of 'all', 'published_online', 'published_draft', 'unpublished_draft', not 'gone' (extra_* ar",
            ),
            (EnumOf(BotMode), True, "x must be one of 0, "),
            (ListOf(Text()), "abc", "x must be a list, not str"),
            (ListOf(Text()), {"a": 1}, "x must be a list, not dict"),
            (ListOf(Text()), {"a"}, "x must be a list, not set"),
            (ListOf(Text(), min_items=1), [], "x must have at least 1 items, has 0"),
            (ListOf(Text(), max_items=1), ["a", "b"], "x must have at most 1 items, has 2"),
            (ListOf(Text(max_length=1)), ["a", "bc"], "x[1] must have at most 1 characters, has 2"),
            (ListOf(ListOf(Int())), [[1], [2, "3"]], "x[1][1] must be an int, not str ('3')"),
            (MapOf(Text()), [("a", "b")], "x must be a dict, not list"),
            (MapOf(Text(), max_items=1), {"a": "", "b": ""}, "x must have at most 1 pairs, has 2"),
            (MapOf(Text()), {"a": 1}, "x['a'] must be a str, not int (1)"),
            (MapOf(Text()), {1: "a"}, "x key 1 must be a str, not int (1)"),
            (MapOf(Text(), key=Text(max_length=2)), {"abc": "a"}, "x key 'abc' must have at most 2 characters, has 3"),
            (Object(lambda: ToolOutput), 5, "x must be a ToolOutput or a dict, not int (5)"),
            (Object(lambda: ToolOutput), "text", "x must be a ToolOutput or a dict, not str ('text')"),
            (Object(lambda: ToolOutput), Message.from_dict({}), "x must be a ToolOutput, not a Message"),
            (Object(lambda: ToolOutput), {"output": "a"}, "x.tool_call_id is required"),
            (Object(lambda: ToolOutput), {"output": 1, "tool_call_id": "a"}, "x.output must be a str, not int (1)"),
            (Object(lambda: ToolOutput), ToolOutput.from_dict({"output": "a"}), "x.tool_call_id is required"),
            (ListOf(Object(lambda: ToolOutput)), [{"tool_call_id": "a"}], "x[0].output is required"),
        ],
    )
    def test_invalid_value_is_rejected_with_operation_argument_and_rule(
        self, value: Value, argument: Any, problem: str
    ) -> None:
        """An invalid value is rejected by an error that names operation, argument, rule and value."""
        with pytest.raises(InvalidArgumentError) as caught:
            encode(value, argument)
        assert str(caught.value).startswith(f"o.p: {problem}")

    @pytest.mark.parametrize(
        ("value", "argument", "sent"),
        [
            (Text(min_length=2, max_length=2), "äö", "äö"),
            (Text(), "", ""),
            (Text(), Color.RED, "red"),
            (Int(minimum=1, maximum=1), 1, 1),
            (Int(), BotMode(1), 1),
            (Int(), 0, 0),
            (Float(minimum=0, maximum=1), 1, 1),
            (Bool(), False, False),
            (EnumOf(BotPublishStatus), "published_online", "published_online"),
            (EnumOf(BotPublishStatus), BotPublishStatus.PUBLISHED_ONLINE, "published_online"),
            (EnumOf(BotMode), 0, 0),
            (ListOf(Text()), (), []),
            (ListOf(Text(), min_items=2, max_items=2), ("a", "b"), ["a", "b"]),
            (MapOf(AnyValue()), {}, {}),
            (MapOf(Text()), {"a": "b"}, {"a": "b"}),
            (AnyValue(), [ToolOutput(output="a", tool_call_id="b")], [{"output": "a", "tool_call_id": "b"}]),
            (
                Object(lambda: ToolOutput),
                ToolOutput(output="a", tool_call_id="b"),
                {"output": "a", "tool_call_id": "b"},
            ),
            (
                Object(lambda: ToolOutput),
                {"output": "a", "tool_call_id": "b", "more": [None]},
                {"output": "a", "tool_call_id": "b", "more": [None]},
            ),
            (Object(lambda: ToolOutput), Unknown("new", {"type": "new"}), {"type": "new"}),
        ],
    )
    def test_valid_value_is_sent_as_plain_json(self, value: Value, argument: Any, sent: Any) -> None:
        """Valid values are sent, limits included; models, enum members and tuples as plain JSON."""
        assert encode(value, argument) == sent

    def test_string_may_replace_an_object(self) -> None:
        """A string may replace the object that it usually stands for."""
        assert encode(Object(lambda: EnterMessage), "hi") == {
            "role": "user",
            "type": "question",
            "content": "hi",
            "content_type": "text",
        }

    @pytest.mark.parametrize("value", [{1, 2}, object(), {1j: 2}, "\ud800"])
    def test_value_that_is_no_json_is_rejected(self, value: Any) -> None:
        """A value that JSON cannot express is rejected before it is sent, even if any value is allowed."""
        with pytest.raises(InvalidArgumentError, match=r"o\.p: .*JSON"):
            encode(AnyValue(), value)


class TestFiles:
    """File contents."""

    @pytest.mark.parametrize(
        ("argument", "problem"),
        [
            (5, "file must be bytes, a binary file object or (name, content), not int"),
            ("a.png", "file must be bytes, a binary file object or (name, content), not str"),
            (io.StringIO("x"), "file must be opened in binary mode, not as text"),
            (("a.png", io.StringIO("x")), "file must be opened in binary mode, not as text"),
            (b"12345", "file must have at most 4 bytes, has 5"),
            (io.BytesIO(b"12345"), "file must have at most 4 bytes, has 5"),
            ((), "file must be (name, content) or (name, content, type), not a tuple of 0"),
            (("a", b"", "b", {}), "file must be (name, content) or (name, content, type), not a tuple of 4"),
            ((1, b""), "file must have a str as name and type, not 1"),
            (("", b""), "file must have a str as name and type, not ''"),
            (("a", b"", 1), "file must have a str as name and type, not 1"),
            (("a", b"", "text/plain\r\nX-Evil: 1"), "file has no media type in 'text/plain\\r\\nX-Evil: 1'"),
        ],
    )
    def test_invalid_or_oversized_file_is_rejected(self, argument: Any, problem: str) -> None:
        """A value that is not a file is rejected, and so is a file that is too large."""
        operation = Operation(
            "f.up", "POST", "/", Empty.from_dict, arguments={"file": Argument("file", "part", FileValue(max_bytes=4))}
        )
        with pytest.raises(InvalidArgumentError) as caught:
            client(nothing_sent).request(operation, {"file": argument}, Options())
        assert str(caught.value) == f"f.up: {problem}"

    def test_size_is_measured_from_the_start(self) -> None:
        """A file whose position is at its end has its full size, since it is sent from its start; measuring does not
        move it.
        """
        file = io.BytesIO(b"12345")
        file.seek(5)
        with pytest.raises(InvalidValue, match="has 5"):
            prepare_file(file, max_bytes=4)
        assert file.tell() == 5

    @pytest.mark.parametrize(
        ("name", "sent"),
        [
            ("/tmp/a.png", "a.png"),
            (r"C:\Users\me\a.png", "a.png"),
            (7, "file"),
            (None, "file"),
            ("", "file"),
            ("a/", "file"),
        ],
    )
    def test_file_object_is_named_by_its_last_path_part(self, name: Any, sent: str) -> None:
        """The name of a file object is its last path part; one without a name is called ``file``."""
        file = io.BytesIO(b"x")
        file.name = name
        assert prepare_file(file)[0] == sent

    def test_explicit_name_and_type_are_used(self) -> None:
        """An explicit name and type are used; buffers are accepted like bytes."""
        assert prepare_file(("b.txt", bytearray(b"x"), "text/x")) == ("b.txt", b"x", "text/x")
        assert prepare_file(memoryview(b"x")) == ("file", b"x")


def prepare_file(argument: Any, max_bytes: int | None = None) -> Any:
    """Return the prepared file of a request."""
    return FileValue(max_bytes=max_bytes).encode(argument, "file")


CALLS: list[tuple[Callable[[Client], Any], str]] = [
    (lambda c: c.bots.create(space_id="1", name=""), "bots.create: name must have at least 1 characters, has 0"),
    (
        lambda c: c.bots.versions.list(bot_id="1", page_size=31),
        "bots.versions.list: page_size must be at most 30, is 31",
    ),
    (lambda c: c.files.upload(file="a"), "files.upload: file must be bytes"),  # type: ignore[arg-type]  # that is the mistake
    (lambda c: c.chat.stream(bot_id="1", user_id=2), "chat.stream: user_id must be a str, not int (2)"),  # type: ignore[arg-type]  # that is the mistake
    (
        lambda c: c.chat.create(
            bot_id="1",
            user_id="2",
            additional_messages=["a", {"role": "nobody", "content": "", "content_type": "text"}],
        ),
        "chat.create: additional_messages[1].role must be one of",
    ),
]


class TestMethods:
    """Arguments of generated methods."""

    @pytest.mark.parametrize(("call", "problem"), CALLS)
    def test_invalid_argument_raises_and_sends_nothing(self, call: Callable[[Client], Any], problem: str) -> None:
        """An invalid argument raises a `CozeError` that is also a `ValueError`, and nothing is sent."""
        with pytest.raises(InvalidArgumentError) as caught:
            call(client(nothing_sent))
        assert str(caught.value).startswith(problem)
        assert isinstance(caught.value, CozeError)
        assert isinstance(caught.value, ValueError)

    @pytest.mark.anyio
    async def test_invalid_argument_raises_and_sends_nothing_async(self) -> None:
        """An async client raises for an invalid argument, and nothing is sent."""
        with pytest.raises(InvalidArgumentError, match=r"^bots\.create: name must have at least 1"):
            await async_client(nothing_sent).bots.create(space_id="1", name="")

    def test_required_argument_must_not_be_none(self) -> None:
        """None for a required argument is rejected, and the keyword itself cannot be omitted."""
        with pytest.raises(InvalidArgumentError, match=r"^files\.retrieve: file_id is required$"):
            client(nothing_sent).files.retrieve(file_id=None)  # type: ignore[arg-type]  # that is the mistake
        with pytest.raises(TypeError, match="file_id"):
            client(nothing_sent).files.retrieve()  # type: ignore[call-arg]  # that is the mistake

    def test_none_omits_an_optional_argument(self) -> None:
        """None omits an argument from body and query; no null is sent."""
        recorder = Recorder(answer({}))
        client(recorder).chat.create(bot_id="1", user_id="2", conversation_id=None, meta_data=None)
        assert recorder.target == "/v3/chat"
        assert recorder.body == {"bot_id": "1", "user_id": "2", "stream": False}
