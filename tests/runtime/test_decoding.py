"""Decoding of responses, above all of those that the description does not foresee."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from coze_api import ItemList, Model, UnixTime, UnixTimeMs, Unknown
from coze_api._core import _json
from coze_api._core._model import decode_tagged_union, decode_union
from coze_api._core._time import unix_time, unix_time_ms
from coze_api.errors import (
    APIError,
    AuthenticationError,
    DecodeError,
    GatewayError,
    InvalidRequestError,
    ServerError,
)
from coze_api.models import (
    Bot,
    BotMode,
    Chat,
    ChatFailureReason,
    ChatRequiredAction,
    ChatStatus,
    File,
    Message,
    WorkflowInterruptData,
    WorkflowInterruptType,
)
from tests.runtime._responses import answer, async_client, client, raw

CHAT = {"id": "1", "conversation_id": "2", "status": "completed"}


def chat(**members: Any) -> Chat:
    """Decode a chat from a response."""
    return client(answer({**CHAT, **members})).chat.retrieve(conversation_id="2", chat_id="1")


class TestEnums:
    """Open enums."""

    def test_unknown_string_is_an_unknown_member(self) -> None:
        """V2: an unlisted string becomes an enum member that is marked as unknown."""
        status = chat(status="sleeping").status
        assert isinstance(status, ChatStatus)
        assert isinstance(status, str)
        assert status == "sleeping"
        assert f"{status}" == str(status) == status.value == status.name == "sleeping"
        assert not status.known
        assert hash(status) == hash("sleeping")

    def test_unknown_number_is_an_unknown_member(self) -> None:
        """V2: an unlisted number becomes an enum member that is marked as unknown."""
        kind = WorkflowInterruptData.from_dict({"type": 4711}).type
        assert isinstance(kind, WorkflowInterruptType)
        assert kind == 4711
        assert kind + 1 == 4712
        assert f"{kind}" == str(kind) == kind.name == "4711"
        assert not kind.known

    def test_listed_value_is_the_member(self) -> None:
        """A listed value is the enum member itself, which equals the plain value."""
        status = chat(status="completed").status
        assert status == "completed"
        assert status is ChatStatus.COMPLETED
        assert status.known
        assert BotMode(0).known

    def test_value_of_another_type_is_passed_through(self) -> None:
        """A number, a boolean or a list in place of a string is passed through."""
        for value in (3, True, ["completed"]):
            assert chat(status=value).to_dict()["status"] == value
        kind: Any = WorkflowInterruptData.from_dict({"type": True}).type
        assert kind is True

    def test_unknown_member_can_be_pickled(self) -> None:
        """Unknown members can be pickled."""
        twin = pickle.loads(pickle.dumps(ChatStatus("sleeping")))
        assert isinstance(twin, ChatStatus)
        assert twin == "sleeping"


class TestMembers:
    """Fields that are null, missing, unknown or of another type."""

    @pytest.mark.parametrize("member", ["id", "status", "last_error", "usage", "meta_data", "created_at"])
    def test_null_is_none_and_written_back(self, member: str) -> None:
        """V3: null is None in every place, and is written back."""
        decoded = chat(**{member: None})
        assert getattr(decoded, member) is None
        assert decoded.extra_fields == {member: None}
        assert decoded.to_dict()[member] is None

    def test_null_for_a_required_list_is_an_empty_list(self) -> None:
        """Null for a required list is an empty list, and is written back as null."""
        source = {"type": "", "submit_tool_outputs": {"tool_calls": None}}
        action = ChatRequiredAction.from_dict(source)
        assert action.submit_tool_outputs is not None
        assert action.submit_tool_outputs.tool_calls == []
        assert action.to_dict() == source

    def test_assigned_value_replaces_null(self) -> None:
        """An assigned value replaces the received null, even if the value is falsy."""
        decoded = Message.from_dict({"id": "1", "content": None})
        decoded.content = ""
        assert decoded.to_dict() == {"id": "1", "content": ""}

    def test_missing_required_field_is_none(self) -> None:
        """V7: a missing required field is None, and writing does not add it."""
        decoded = client(answer({"file_name": "a.png"})).files.retrieve(file_id="1")
        assert decoded.id is None
        assert decoded.to_dict() == {"file_name": "a.png"}

    def test_unknown_fields_are_kept(self) -> None:
        """Unknown fields are kept in `extra_fields`, and are written back."""
        decoded = chat(brand_new={"deep": [1, None]})
        assert decoded.extra_fields == {"brand_new": {"deep": [1, None]}}
        assert decoded.to_dict() == {**CHAT, "brand_new": {"deep": [1, None]}}
        assert "brand_new" in repr(decoded)

    def test_extra_fields_is_a_copy(self) -> None:
        """Changing the result of `extra_fields` does not change the model."""
        decoded = chat(brand_new=1)
        decoded.extra_fields.clear()
        assert decoded.extra_fields == {"brand_new": 1}

    def test_numeric_id_keeps_all_digits(self) -> None:
        """An id that arrives as a number is passed through with all its digits."""
        id_: Any = chat(id=7411728392837462999).id
        assert id_ == 7411728392837462999

    @pytest.mark.parametrize("value", ["text", 5, [], [1], True])
    def test_nested_value_of_another_type_is_passed_through(self, value: Any) -> None:
        """A value of another type in place of an object is passed through and written back."""
        decoded = chat(last_error=value)
        assert decoded.last_error == value
        assert decoded.to_dict()["last_error"] == value

    def test_invalid_list_elements_keep_their_places(self) -> None:
        """List elements that are not objects keep their places among those that are."""
        items = client(answer([None, 7, "x", {"id": "m"}, [{}]])).chat.messages.list(conversation_id="1", chat_id="2")
        assert isinstance(items, ItemList)
        assert [type(item) for item in items] == [type(None), int, str, Message, list]

    @pytest.mark.parametrize("value", [{"id": "m"}, "text", 5])
    def test_other_type_in_place_of_a_result_list_is_an_error(self, value: Any) -> None:
        """A result that should be a list and is not raises an error; it is not iterated as letters or keys."""
        with pytest.raises(DecodeError, match=r"chat\.messages\.list: .*member 'data' is"):
            client(answer(value)).chat.messages.list(conversation_id="1", chat_id="2")


class TestTimes:
    """Timestamps."""

    def test_timestamp_is_an_int_with_a_date(self) -> None:
        """A number of seconds is an int that has a date."""
        moment = chat(created_at=1718090000).created_at
        assert moment == 1718090000
        assert isinstance(moment, UnixTime)
        assert moment.datetime == datetime(2024, 6, 11, 7, 13, 20, tzinfo=UTC)

    def test_timestamp_as_string_is_written_back_as_string(self) -> None:
        """A timestamp that arrived as a string is an int too, and is written back as the same string."""
        decoded = chat(created_at="01718090000")
        assert decoded.created_at == 1718090000
        assert decoded.created_at is not None
        assert decoded.created_at.datetime.year == 2024
        assert decoded.to_dict()["created_at"] == "01718090000"

    def test_milliseconds_have_a_date(self) -> None:
        """A timestamp in milliseconds has a date as well, as number and as string."""
        for source in (1718090000500, "1718090000500"):
            moment = unix_time_ms(source)
            assert isinstance(moment, UnixTimeMs)
            assert moment.datetime == datetime(2024, 6, 11, 7, 13, 20, 500_000, tzinfo=UTC)

    @pytest.mark.parametrize("value", ["", "soon", "-1", "1e9", "٣", 1.5, True, "9" * 5000, {}])
    def test_value_that_is_no_timestamp_is_passed_through(self, value: Any) -> None:
        """A value that is not a timestamp is passed through, however long it is."""
        assert unix_time(value) is value


class TestUnions:
    """Objects of several types."""

    @pytest.mark.parametrize(
        ("source", "kind"),
        [
            (CHAT, Chat),
            ({"code": 1, "msg": "x"}, ChatFailureReason),
            ({"neither": True}, ChatFailureReason),
            ({}, ChatFailureReason),
        ],
    )
    def test_untagged_union_picks_by_required_fields(self, source: dict[str, Any], kind: type[Model]) -> None:
        """Without a tag the first type whose required fields exist is chosen, or the last type, and no data is lost."""
        kinds = (
            (frozenset(["conversation_id", "id", "status"]), Chat.from_dict),
            (frozenset(["code", "msg"]), ChatFailureReason.from_dict),
        )
        decoded = decode_union(source, kinds)
        assert type(decoded) is kind
        assert decoded.to_dict() == source
        assert decode_union("text", kinds) == "text"

    def test_tag_decides_the_type(self) -> None:
        """V8: the tag decides the type, without trial."""
        decoded = decode_tagged_union(
            {"type": "file", "id": "1"}, "type", {"file": File.from_dict, "bot": Bot.from_dict}
        )
        assert isinstance(decoded, File)

    @pytest.mark.parametrize("tag", ["brand_new", 7, None, ["file"]])
    def test_unknown_tag_is_unknown(self, tag: Any) -> None:
        """V8: an unknown tag becomes an `Unknown` with the tag and the object as received."""
        source = {"type": tag, "id": "1"}
        decoded = decode_tagged_union(source, "type", {"file": File.from_dict})
        assert decoded == Unknown(tag, source)
        assert decoded.to_dict() == source

    def test_value_that_is_no_object_is_passed_through(self) -> None:
        """A value that is not an object is passed through."""
        assert decode_tagged_union([1], "type", {}) == [1]


class TestResults:
    """The result in a response."""

    @pytest.mark.parametrize("body", ['{"code":0,"msg":""}', '{"code":0,"data":null}', '{"code":"0"}', '{"data":{}}'])
    def test_success_without_a_result_is_empty(self, body: str) -> None:
        """A success without a result is an empty object, an empty list or `Empty`."""
        coze = client(raw(body))
        assert coze.chat.retrieve(conversation_id="1", chat_id="2").to_dict() == {}
        assert coze.conversations.delete(conversation_id="1").extra_fields == {}
        if "{}" not in body:
            assert coze.chat.messages.list(conversation_id="1", chat_id="2") == []
        assert list(coze.conversations.list(bot_id="1")) == []

    @pytest.mark.parametrize("value", ["success", True, [], [[1, 2]], 5])
    def test_operation_without_result_accepts_any(self, value: Any) -> None:
        """An operation without a described result accepts any result."""
        assert client(answer(value)).conversations.delete(conversation_id="1").extra_fields == {}

    def test_fields_of_an_undescribed_result_are_kept(self) -> None:
        """Fields of a result that is not described are kept."""
        empty = client(answer({"deleted": 3})).conversations.delete(conversation_id="1")
        assert empty.extra_fields == empty.to_dict() == {"deleted": 3}

    def test_json_without_code_and_result_is_no_success(self) -> None:
        """JSON with neither code nor result did not come from Coze, and is not an empty success."""
        with pytest.raises(DecodeError, match=r"files\.retrieve: .*no member 'data': \{'status': 'ok'\}"):
            client(raw('{"status":"ok"}')).files.retrieve(file_id="1")

    @pytest.mark.parametrize("body", ["[]", "5", '"text"', "null", "true"])
    def test_json_that_is_no_object_is_an_error(self, body: str) -> None:
        """JSON that is not an object raises an error that shows it."""
        with pytest.raises(DecodeError, match=r"files\.retrieve: the response has an unknown shape"):
            client(raw(body)).files.retrieve(file_id="1")

    @pytest.mark.parametrize("value", [[1], "text", 5])
    def test_result_of_another_type_is_an_error(self, value: Any) -> None:
        """A result that should be an object and is not raises an error that shows it."""
        with pytest.raises(DecodeError, match="member 'data' is"):
            client(answer(value)).files.retrieve(file_id="1")

    def test_extreme_nesting_is_a_coze_error(self) -> None:
        """Extreme nesting raises a CozeError."""
        deep = '{"items":' * 1010 + "{}" + "}" * 1010
        for body in ('{"code":0,"interrupt_data":{"required_parameters":{"a":' + deep + "}}}", "[" * 100_000):
            with pytest.raises(APIError):
                client(raw(body)).workflows.runs.create(workflow_id="1")

    @pytest.mark.parametrize("parser", ["json", "orjson"])
    @pytest.mark.parametrize("kind", ["list", "object"])
    def test_maximum_depth_can_be_shown_compared_and_pickled(
        self, parser: str, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The deepest accepted nesting can be shown, compared, pickled and encoded; one level more is rejected."""
        monkeypatch.setattr(_json, "_loads", None)
        monkeypatch.setattr(_json, "_dumps", None)
        if parser == "orjson":
            pytest.importorskip("orjson")
        _json.use(parser)
        opening, closing = ("[", "]") if kind == "list" else ('{"a":', "}")

        def nested(depth: int) -> str:
            return opening * depth + "1" + closing * depth

        chat = Chat.from_dict({"id": "1", "later": _json.loads(nested(_json.MAX_DEPTH))})
        assert pickle.loads(pickle.dumps(chat)) == chat == Chat.from_dict(chat.to_dict())
        assert "later" in repr(chat)
        assert _json.dumps(chat.extra_fields["later"]).decode() == nested(_json.MAX_DEPTH)
        for text in (nested(_json.MAX_DEPTH + 1), nested(3000)):
            for content in (text, text.encode()):
                with pytest.raises(_json.NestedTooDeeply):
                    _json.loads(content)
            with pytest.raises(_json.NestedTooDeeply):
                _json.loads_exactly(text.replace("1", "9" * 20))

    def test_brackets_in_strings_are_no_depth(self) -> None:
        """Many brackets in strings or side by side are not nesting, and those in strings hide none."""
        for value in ("[{" * 1000, [["[{"] for _ in range(1000)], [{"a": [1]}] * 1000):
            assert _json.loads(json.dumps(value)) == value
        with pytest.raises(_json.NestedTooDeeply):
            _json.loads('["]",' * 300 + "1" + ',"["]' * 300)

    @pytest.mark.parametrize("parser", ["json", "orjson"])
    def test_invalid_utf8_and_lone_surrogates_are_decoded(self, parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Invalid UTF-8 and lone surrogates are decoded by either parser."""
        monkeypatch.setattr(_json, "_loads", None)
        monkeypatch.setattr(_json, "_dumps", None)
        if parser == "orjson":
            pytest.importorskip("orjson")
        _json.use(parser)
        body = b'{"code":0,"data":{"id":"\xff","file_name":"\\ud83d"}}'
        file = client(raw(body)).files.retrieve(file_id="1")
        assert (file.id, file.file_name) == ("\ufffd", "\ud83d")

    @pytest.mark.parametrize("parser", ["json", "orjson"])
    @pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**40, 2**63, 7])
    def test_integers_of_any_size_are_exact(self, parser: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where integers of any size are required, neither parser converts them to floats."""
        monkeypatch.setattr(_json, "_loads", None)
        monkeypatch.setattr(_json, "_dumps", None)
        if parser == "orjson":
            pytest.importorskip("orjson")
        _json.use(parser)
        decoded = _json.loads_exactly(f'{{"a": [{number}, 1.5, "{"7" * 25}"]}}')
        assert decoded == {"a": [number, 1.5, "7" * 25]}
        assert type(decoded["a"][0]) is int


class TestStatus:
    """HTTP status and code."""

    @pytest.mark.parametrize(
        ("status", "error"), [(520, ServerError), (500, ServerError), (499, InvalidRequestError), (302, APIError)]
    )
    def test_every_error_status_raises_a_typed_error(self, status: int, error: type[APIError]) -> None:
        """V4, V5: any status except 2xx raises a typed error, whether it is described or not."""
        with pytest.raises(error) as caught:
            client(answer({}, status=status)).files.retrieve(file_id="1")
        assert caught.value.status == caught.value.code == status

    def test_every_2xx_is_a_success(self) -> None:
        """V4: any 2xx status is a success."""
        file = client(answer({"id": "1"}, status=299)).files.retrieve(file_id="1")
        assert file.response.status == 299

    @pytest.mark.parametrize("code", [4100, "4100"])
    def test_error_code_with_status_200_raises(self, code: int | str) -> None:
        """V6: an error code in a response with status 200 raises the error of that code."""
        with pytest.raises(AuthenticationError) as caught:
            client(raw(json.dumps({"code": code, "msg": "bad token"}))).files.retrieve(file_id="1")
        assert (caught.value.code, caught.value.msg, caught.value.status) == (4100, "bad token", 200)

    @pytest.mark.parametrize("code", ["oops", [1], {"a": 1}, 10**400])
    def test_malformed_code_is_still_an_error(self, code: Any) -> None:
        """A code that is not a number, or an absurd one, still raises an error."""
        with pytest.raises(APIError):
            client(raw(json.dumps({"code": code, "msg": "x"}))).files.retrieve(file_id="1")

    @pytest.mark.parametrize("content_type", ["application/json", "text/html", ""])
    def test_html_failure_is_a_gateway_error(self, content_type: str) -> None:
        """V5: an HTML failure raises GatewayError, whatever its content type."""
        with pytest.raises(GatewayError):
            client(raw("<h1>Oops</h1>", status=500, content_type=content_type)).files.retrieve(file_id="1")

    @pytest.mark.anyio
    async def test_async_client_decides_alike(self) -> None:
        """An async client raises the same errors for status and code."""
        with pytest.raises(ServerError):
            await async_client(answer({}, status=520)).files.retrieve(file_id="1")
        assert (await async_client(answer({"id": "1"})).files.retrieve(file_id="1")).id == "1"
