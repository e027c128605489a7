"""Tests of what answers become, above all those that the description does not foresee."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from coze_api import ItemList, Model, UnixTime, UnixTimeMs, Unknown
from coze_api._core import _json
from coze_api._core._model import either, tagged
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
    """Read a chat from an answer."""
    return client(answer({**CHAT, **members})).chat.retrieve(conversation_id="2", chat_id="1")


class TestEnums:
    """Open enums."""

    def test_unknown_text(self) -> None:
        """V2: a text that the description does not list stays, as a member that says so."""
        status = chat(status="sleeping").status
        assert isinstance(status, ChatStatus)
        assert isinstance(status, str)
        assert status == "sleeping"
        assert f"{status}" == str(status) == status.value == status.name == "sleeping"
        assert not status.known
        assert hash(status) == hash("sleeping")

    def test_unknown_number(self) -> None:
        """V2: a number that the description does not list stays, as a member that says so."""
        kind = WorkflowInterruptData.from_dict({"type": 4711}).type
        assert isinstance(kind, WorkflowInterruptType)
        assert kind == 4711
        assert kind + 1 == 4712
        assert f"{kind}" == str(kind) == kind.name == "4711"
        assert not kind.known

    def test_known(self) -> None:
        """A listed value is the very member, which compares like the plain value."""
        status = chat(status="completed").status
        assert status == "completed"
        assert status is ChatStatus.COMPLETED
        assert status.known
        assert BotMode(0).known

    def test_of_another_type(self) -> None:
        """A number, a truth value or a list where a text is described is handed through."""
        for value in (3, True, ["completed"]):
            assert chat(status=value).to_dict()["status"] == value
        kind: Any = WorkflowInterruptData.from_dict({"type": True}).type
        assert kind is True

    def test_pickled(self) -> None:
        """Unknown members survive pickling."""
        twin = pickle.loads(pickle.dumps(ChatStatus("sleeping")))
        assert isinstance(twin, ChatStatus)
        assert twin == "sleeping"


class TestMembers:
    """Members that are null, missing, unknown or of another type."""

    @pytest.mark.parametrize("member", ["id", "status", "last_error", "usage", "meta_data", "created_at"])
    def test_null(self, member: str) -> None:
        """V3: null is None wherever it stands, and is written back."""
        decoded = chat(**{member: None})
        assert getattr(decoded, member) is None
        assert decoded.extra_fields == {member: None}
        assert decoded.to_dict()[member] is None

    def test_null_list(self) -> None:
        """Null for a list that is always there is an empty list, and is written back as null."""
        source = {"type": "", "submit_tool_outputs": {"tool_calls": None}}
        action = ChatRequiredAction.from_dict(source)
        assert action.submit_tool_outputs is not None
        assert action.submit_tool_outputs.tool_calls == []
        assert action.to_dict() == source

    def test_null_replaced(self) -> None:
        """What is assigned counts more than the null that came, even if it is nothing much."""
        decoded = Message.from_dict({"id": "1", "content": None})
        decoded.content = ""
        assert decoded.to_dict() == {"id": "1", "content": ""}

    def test_missing_required(self) -> None:
        """V7: a missing required member reads as None; nothing is invented for it on writing."""
        decoded = client(answer({"file_name": "a.png"})).files.retrieve(file_id="1")
        assert decoded.id is None
        assert decoded.to_dict() == {"file_name": "a.png"}

    def test_unknown(self) -> None:
        """Unknown members are kept, apart and in what is written."""
        decoded = chat(brand_new={"deep": [1, None]})
        assert decoded.extra_fields == {"brand_new": {"deep": [1, None]}}
        assert decoded.to_dict() == {**CHAT, "brand_new": {"deep": [1, None]}}
        assert "brand_new" in repr(decoded)

    def test_extra_fields_is_a_copy(self) -> None:
        """Changing what `extra_fields` returned changes nothing in the model."""
        decoded = chat(brand_new=1)
        decoded.extra_fields.clear()
        assert decoded.extra_fields == {"brand_new": 1}

    def test_id_as_number(self) -> None:
        """An id that comes as number passes through, in all its digits."""
        id_: Any = chat(id=7411728392837462999).id
        assert id_ == 7411728392837462999

    @pytest.mark.parametrize("value", ["text", 5, [], [1], True])
    def test_nested_of_another_type(self, value: Any) -> None:
        """What stands where an object is described is handed through and written back."""
        decoded = chat(last_error=value)
        assert decoded.last_error == value
        assert decoded.to_dict()["last_error"] == value

    def test_list_of_garbage(self) -> None:
        """Elements that are no objects stay in their places among those that are."""
        items = client(answer([None, 7, "x", {"id": "m"}, [{}]])).chat.messages.list(conversation_id="1", chat_id="2")
        assert isinstance(items, ItemList)
        assert [type(item) for item in items] == [type(None), int, str, Message, list]

    @pytest.mark.parametrize("value", [{"id": "m"}, "text", 5])
    def test_no_list(self, value: Any) -> None:
        """Something else than a list where the result is one is an error, not a list of letters or keys."""
        with pytest.raises(DecodeError, match=r"chat\.messages\.list: .*member 'data' is"):
            client(answer(value)).chat.messages.list(conversation_id="1", chat_id="2")


class TestTimes:
    """Moments."""

    def test_number(self) -> None:
        """A number of seconds is an int that knows its date."""
        moment = chat(created_at=1718090000).created_at
        assert moment == 1718090000
        assert isinstance(moment, UnixTime)
        assert moment.datetime == datetime(2024, 6, 11, 7, 13, 20, tzinfo=UTC)

    def test_text(self) -> None:
        """A moment that came as text is an int too, and goes back as the very text."""
        decoded = chat(created_at="01718090000")
        assert decoded.created_at == 1718090000
        assert decoded.created_at is not None
        assert decoded.created_at.datetime.year == 2024
        assert decoded.to_dict()["created_at"] == "01718090000"

    def test_milliseconds(self) -> None:
        """Milliseconds know their date as well, as number and as text."""
        for source in (1718090000500, "1718090000500"):
            moment = unix_time_ms(source)
            assert isinstance(moment, UnixTimeMs)
            assert moment.datetime == datetime(2024, 6, 11, 7, 13, 20, 500_000, tzinfo=UTC)

    @pytest.mark.parametrize("value", ["", "soon", "-1", "1e9", "٣", 1.5, True, "9" * 5000, {}])
    def test_no_moment(self, value: Any) -> None:
        """What is no moment is handed through, be it as long as it may."""
        assert unix_time(value) is value


class TestUnions:
    """Objects of several kinds."""

    @pytest.mark.parametrize(
        ("source", "kind"),
        [
            (CHAT, Chat),
            ({"code": 1, "msg": "x"}, ChatFailureReason),
            ({"neither": True}, ChatFailureReason),
            ({}, ChatFailureReason),
        ],
    )
    def test_without_tag(self, source: dict[str, Any], kind: type[Model]) -> None:
        """The kind whose required members are there is chosen, the last where none is, and nothing is lost."""
        kinds = (
            (frozenset(["conversation_id", "id", "status"]), Chat.from_dict),
            (frozenset(["code", "msg"]), ChatFailureReason.from_dict),
        )
        decoded = either(source, kinds)
        assert type(decoded) is kind
        assert decoded.to_dict() == source
        assert either("text", kinds) == "text"

    def test_with_tag(self) -> None:
        """V8: the tag decides, not a trial."""
        decoded = tagged({"type": "file", "id": "1"}, "type", {"file": File.from_dict, "bot": Bot.from_dict})
        assert isinstance(decoded, File)

    @pytest.mark.parametrize("tag", ["brand_new", 7, None, ["file"]])
    def test_unknown_tag(self, tag: Any) -> None:
        """V8: an unknown tag makes an `Unknown` with the tag and the object as it came."""
        source = {"type": tag, "id": "1"}
        decoded = tagged(source, "type", {"file": File.from_dict})
        assert decoded == Unknown(tag, source)
        assert decoded.to_dict() == source

    def test_no_object(self) -> None:
        """What is no object is handed through."""
        assert tagged([1], "type", {}) == [1]


class TestResults:
    """The result within an answer."""

    @pytest.mark.parametrize("body", ['{"code":0,"msg":""}', '{"code":0,"data":null}', '{"code":"0"}', '{"data":{}}'])
    def test_nothing(self, body: str) -> None:
        """A success without result is an empty object, an empty list or `Empty`: the call did succeed."""
        coze = client(raw(body))
        assert coze.chat.retrieve(conversation_id="1", chat_id="2").to_dict() == {}
        assert coze.conversations.delete(conversation_id="1").extra_fields == {}
        if "{}" not in body:
            assert coze.chat.messages.list(conversation_id="1", chat_id="2") == []
        assert list(coze.conversations.list(bot_id="1")) == []

    @pytest.mark.parametrize("value", ["success", True, [], [[1, 2]], 5])
    def test_something_for_nothing(self, value: Any) -> None:
        """An operation without result accepts any."""
        assert client(answer(value)).conversations.delete(conversation_id="1").extra_fields == {}

    def test_members_for_nothing(self) -> None:
        """Members of a result that is not described are kept."""
        empty = client(answer({"deleted": 3})).conversations.delete(conversation_id="1")
        assert empty.extra_fields == empty.to_dict() == {"deleted": 3}

    def test_not_coze(self) -> None:
        """JSON with neither code nor result did not come from Coze and is no empty success."""
        with pytest.raises(DecodeError, match=r"files\.retrieve: .*no member 'data': \{'status': 'ok'\}"):
            client(raw('{"status":"ok"}')).files.retrieve(file_id="1")

    @pytest.mark.parametrize("body", ["[]", "5", '"text"', "null", "true"])
    def test_no_object(self, body: str) -> None:
        """JSON that is no object is an error that shows it."""
        with pytest.raises(DecodeError, match=r"files\.retrieve: the answer has an unknown shape"):
            client(raw(body)).files.retrieve(file_id="1")

    @pytest.mark.parametrize("value", [[1], "text", 5])
    def test_result_of_another_type(self, value: Any) -> None:
        """A result that is no object where one is described is an error that shows it."""
        with pytest.raises(DecodeError, match="member 'data' is"):
            client(answer(value)).files.retrieve(file_id="1")

    def test_very_deep(self) -> None:
        """Nesting beyond all measure is an error of the family."""
        deep = '{"items":' * 1010 + "{}" + "}" * 1010
        for body in ('{"code":0,"interrupt_data":{"required_parameters":{"a":' + deep + "}}}", "[" * 100_000):
            with pytest.raises(APIError):
                client(raw(body)).workflows.runs.create(workflow_id="1")

    @pytest.mark.parametrize("parser", ["json", "orjson"])
    @pytest.mark.parametrize("kind", ["list", "object"])
    def test_depth(self, parser: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is nested as deeply as is accepted can be shown, compared, pickled and encoded; one level more is refused."""
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
            for given in (text, text.encode()):
                with pytest.raises(_json.NestedTooDeeply):
                    _json.loads(given)
            with pytest.raises(_json.NestedTooDeeply):
                _json.loads_exactly(text.replace("1", "9" * 20))

    def test_brackets_are_no_depth(self) -> None:
        """Many brackets, in texts or side by side, are no nesting, and those in texts hide none."""
        for value in ("[{" * 1000, [["[{"] for _ in range(1000)], [{"a": [1]}] * 1000):
            assert _json.loads(json.dumps(value)) == value
        with pytest.raises(_json.NestedTooDeeply):
            _json.loads('["]",' * 300 + "1" + ',"["]' * 300)

    @pytest.mark.parametrize("parser", ["json", "orjson"])
    def test_broken_text(self, parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Invalid UTF-8 and halves of surrogate pairs are read, with either parser."""
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
    def test_whole_numbers_of_any_size(self, parser: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where whole numbers of any size are asked for, neither parser makes floats of them."""
        monkeypatch.setattr(_json, "_loads", None)
        monkeypatch.setattr(_json, "_dumps", None)
        if parser == "orjson":
            pytest.importorskip("orjson")
        _json.use(parser)
        found = _json.loads_exactly(f'{{"a": [{number}, 1.5, "{"7" * 25}"]}}')
        assert found == {"a": [number, 1.5, "7" * 25]}
        assert type(found["a"][0]) is int


class TestStatus:
    """HTTP status and code."""

    @pytest.mark.parametrize(
        ("status", "error"), [(520, ServerError), (500, ServerError), (499, InvalidRequestError), (302, APIError)]
    )
    def test_undocumented(self, status: int, error: type[APIError]) -> None:
        """V4, V5: any status but 2xx raises a typed error, registered or not."""
        with pytest.raises(error) as caught:
            client(answer({}, status=status)).files.retrieve(file_id="1")
        assert caught.value.status == caught.value.code == status

    def test_undocumented_success(self) -> None:
        """V4: any status of 2xx is a success."""
        file = client(answer({"id": "1"}, status=299)).files.retrieve(file_id="1")
        assert file.response.status == 299

    @pytest.mark.parametrize("code", [4100, "4100"])
    def test_error_in_success(self, code: int | str) -> None:
        """V6: a code in an answer of status 200 raises the error of that code."""
        with pytest.raises(AuthenticationError) as caught:
            client(raw(json.dumps({"code": code, "msg": "bad token"}))).files.retrieve(file_id="1")
        assert (caught.value.code, caught.value.msg, caught.value.status) == (4100, "bad token", 200)

    @pytest.mark.parametrize("code", ["oops", [1], {"a": 1}, 10**400])
    def test_code_beyond_reason(self, code: Any) -> None:
        """A code that is no number, or none of this world, is an error all the same."""
        with pytest.raises(APIError):
            client(raw(json.dumps({"code": code, "msg": "x"}))).files.retrieve(file_id="1")

    @pytest.mark.parametrize("content_type", ["application/json", "text/html", ""])
    def test_html(self, content_type: str) -> None:
        """V5: a failure in HTML is a `GatewayError`, whatever it calls itself."""
        with pytest.raises(GatewayError):
            client(raw("<h1>Oops</h1>", status=500, content_type=content_type)).files.retrieve(file_id="1")

    @pytest.mark.anyio
    async def test_async(self) -> None:
        """The async client decides alike."""
        with pytest.raises(ServerError):
            await async_client(answer({}, status=520)).files.retrieve(file_id="1")
        assert (await async_client(answer({"id": "1"})).files.retrieve(file_id="1")).id == "1"
