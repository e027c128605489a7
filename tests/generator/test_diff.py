"""What changed between two descriptions, rated from the caller's side."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator import __main__ as command
from generator.diff import REPORTS, Change, Impact, compare, load
from generator.spec.bundler import Bundle
from generator.spec.diagnostics import DescriptionError

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "openapi" / "coze.yaml"

Document = dict[str, Any]
Plant = Callable[[Document], None]
PLANTS: dict[str, tuple[Plant, Impact, str, str, str]] = {}
"""By name: what is changed, how it is rated, and the subject, place and text of the change that must be reported."""


def plant(impact: Impact, subject: str, place: str, text: str) -> Callable[[Plant], Plant]:
    """Note what must be reported of the change that the decorated function makes."""

    def note(change: Plant) -> Plant:
        PLANTS[change.__name__] = (change, impact, subject, place, text)
        return change

    return note


def operation(document: Document, name: str) -> tuple[str, str, Any]:
    """Return path, method and description of an operation or callback."""
    for part in ("paths", "webhooks"):
        for path, item in document[part].items():
            for method, operation in item.items():
                if operation["operationId"] == name:
                    return path, method, operation
    raise LookupError(name)


def schema(document: Document, name: str) -> Any:
    """Return a schema with a name."""
    return document["components"]["schemas"][name]


@plant(Impact.BREAKING, "users.me", "", "is gone (GET /v1/users/me)")
def operation_removed(document: Document) -> None:
    del document["paths"]["/v1/users/me"]["get"]


@plant(Impact.ADDITIVE, "users.search", "", "is new (GET /v1/users/search): Find users")
def operation_added(document: Document) -> None:
    added = {"operationId": "users.search", "summary": "Find users", "tags": ["users"], "responses": {}}
    document["paths"]["/v1/users/search"] = {"get": added}


@plant(Impact.BREAKING, "users.me", "", "is called users.retrieve_me now")
def operation_renamed(document: Document) -> None:
    operation(document, "users.me")[2]["operationId"] = "users.retrieve_me"


@plant(Impact.BREAKING, "users.me", "", "moved from GET /v1/users/me to GET /v2/users/me")
def operation_moved(document: Document) -> None:
    document["paths"]["/v2/users/me"] = document["paths"].pop("/v1/users/me")


@plant(Impact.BREAKING, "users.me", "", "is called accounts.me now")
def operation_renamed_and_moved(document: Document) -> None:
    item = document["paths"].pop("/v1/users/me")
    item["get"]["operationId"] = "accounts.me"
    document["paths"]["/v2/accounts/me"] = item


@plant(Impact.ADDITIVE, "users.me", "", "is called users.retrieve_me now")
def operation_renamed_with_its_old_id_kept(document: Document) -> None:
    operation(document, "users.me")[2].update({"operationId": "users.retrieve_me", "x-coze-formerly": "users.me"})


@plant(Impact.DOCUMENTATION, "bots.list_published", "", "is replaced by bots.retrieve")
def replacement_changed(document: Document) -> None:
    operation(document, "bots.list_published")[2]["x-coze-replaced-by"] = "bots.retrieve"


@plant(Impact.ADDITIVE, "users.me", "", "can still be called users.whoami")
def old_id_added(document: Document) -> None:
    operation(document, "users.me")[2]["x-coze-formerly"] = "users.whoami"


@plant(Impact.ADDITIVE, "bots.create", "request name", "is called bot_name now")
def member_renamed_with_its_old_name_accepted(document: Document) -> None:
    members = schema(document, "BotsCreateRequest")["properties"]
    members["bot_name"] = {**members.pop("name"), "x-coze-formerly": "name"}


@plant(Impact.BREAKING, "bots.list_published", "", "is gone (GET /v1/space/published_bots_list)")
def deprecated_operation_removed(document: Document) -> None:
    del document["paths"]["/v1/space/published_bots_list"]


@plant(Impact.DOCUMENTATION, "users.me", "", "is deprecated; use users.retrieve")
def operation_deprecated(document: Document) -> None:
    operation(document, "users.me")[2].update({"deprecated": True, "x-coze-replaced-by": "users.retrieve"})


@plant(Impact.BREAKING, "bots.list", "", "needs the permission another")
def permission_changed(document: Document) -> None:
    operation(document, "bots.list")[2]["x-coze-permission"] = "another"


@plant(Impact.BREAKING, "bots.update", "", "is not idempotent: a lost call is not retried")
def no_longer_idempotent(document: Document) -> None:
    operation(document, "bots.update")[2]["x-coze-idempotent"] = False


@plant(Impact.BREAKING, "bots.list", "", "pages in another way")
def pagination_changed(document: Document) -> None:
    operation(document, "bots.list")[2]["x-coze-pagination"]["style"] = "token"


@plant(Impact.BREAKING, "chat.create", "", "cannot be streamed any more")
def stream_removed(document: Document) -> None:
    del operation(document, "chat.create")[2]["x-coze-stream"]


@plant(Impact.BREAKING, "chat.retrieve", "parameter chat_id", "is gone")
def parameter_removed(document: Document) -> None:
    described = operation(document, "chat.retrieve")[2]
    described["parameters"] = [parameter for parameter in described["parameters"] if parameter["name"] != "chat_id"]


@plant(Impact.ADDITIVE, "chat.retrieve", "parameter verbose", "is new")
def optional_parameter_added(document: Document) -> None:
    added = {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}
    operation(document, "chat.retrieve")[2]["parameters"].append(added)


@plant(Impact.BREAKING, "chat.retrieve", "parameter bot_id", "is new, and required")
def required_parameter_added(document: Document) -> None:
    added = {"name": "bot_id", "in": "query", "required": True, "schema": {"type": "string"}}
    operation(document, "chat.retrieve")[2]["parameters"].append(added)


@plant(Impact.BREAKING, "chat.retrieve", "parameter chat_id", "is called id now")
def parameter_renamed(document: Document) -> None:
    parameters = operation(document, "chat.retrieve")[2]["parameters"]
    next(parameter for parameter in parameters if parameter["name"] == "chat_id")["name"] = "id"


@plant(Impact.ADDITIVE, "chat.retrieve", "parameter chat_id", "is called id now")
def parameter_renamed_with_its_old_name_accepted(document: Document) -> None:
    parameters = operation(document, "chat.retrieve")[2]["parameters"]
    next(parameter for parameter in parameters if parameter["name"] == "chat_id").update(
        {"name": "id", "x-coze-formerly": "chat_id"}
    )


@plant(Impact.BREAKING, "bots.create", "request description", "is required now")
def argument_required(document: Document) -> None:
    schema(document, "BotsCreateRequest")["required"].append("description")


@plant(Impact.ADDITIVE, "bots.create", "request name", "is optional now")
def argument_optional(document: Document) -> None:
    schema(document, "BotsCreateRequest")["required"].remove("name")


@plant(Impact.BREAKING, "bots.create", "request name", "is integer now, not string")
def argument_of_another_type(document: Document) -> None:
    schema(document, "BotsCreateRequest")["properties"]["name"] = {
        **schema(document, "BotsCreateRequest")["properties"]["name"],
        "type": "integer",
    }


@plant(Impact.ADDITIVE, "bots.create", "request name", "is integer or string now, not string")
def argument_of_more_types(document: Document) -> None:
    schema(document, "BotsCreateRequest")["properties"]["name"]["type"] = ["string", "integer"]


@plant(Impact.BREAKING, "bots.create", "request name", "has maxLength 3 now, not 20")
def limit_lowered(document: Document) -> None:
    schema(document, "BotsCreateRequest")["properties"]["name"]["maxLength"] = 3


@plant(Impact.ADDITIVE, "bots.create", "request name", "has maxLength 900 now, not 20")
def limit_raised(document: Document) -> None:
    schema(document, "BotsCreateRequest")["properties"]["name"]["maxLength"] = 900


@plant(Impact.BREAKING, "schema Chat", "bot_id", "is gone")
def member_of_an_answer_removed(document: Document) -> None:
    chat = schema(document, "Chat")
    del chat["properties"]["bot_id"]
    chat["required"] = [name for name in chat.get("required", []) if name != "bot_id"]


@plant(Impact.ADDITIVE, "schema Chat", "mood", "is new")
def member_of_an_answer_added(document: Document) -> None:
    schema(document, "Chat")["properties"]["mood"] = {"type": "string"}


@plant(Impact.BREAKING, "schema Chat", "id", "may be missing now")
def member_of_an_answer_optional(document: Document) -> None:
    schema(document, "Chat")["required"].remove("id")


@plant(Impact.BREAKING, "schema Chat", "id", "may be null now")
def member_of_an_answer_nullable(document: Document) -> None:
    schema(document, "Chat")["properties"]["id"]["type"] = ["string", "null"]


@plant(Impact.BREAKING, "schema Chat", "bot_id", "is called bot now")
def member_of_an_answer_renamed(document: Document) -> None:
    properties = schema(document, "Chat")["properties"]
    properties["bot"] = properties.pop("bot_id")


@plant(Impact.ADDITIVE, "schema ChatStatus", "", "has new values: `paused`")
def value_of_an_answer_added(document: Document) -> None:
    values = schema(document, "ChatStatus")
    values["enum"].append("paused")


@plant(Impact.BREAKING, "schema ChatStatus", "", "lost `failed`")
def value_of_an_answer_removed(document: Document) -> None:
    schema(document, "ChatStatus")["enum"].remove("failed")


@plant(Impact.BREAKING, "schema Chat", "", "is called ChatDetail now")
def schema_renamed(document: Document) -> None:
    text = json.dumps(document).replace('#/components/schemas/Chat"', '#/components/schemas/ChatDetail"')
    document.update(json.loads(text))
    document["components"]["schemas"]["ChatDetail"] = document["components"]["schemas"].pop("Chat")


@plant(Impact.BREAKING, "stream ChatStream", "event done", "is gone")
def event_removed(document: Document) -> None:
    del document["components"]["x-coze-streams"]["ChatStream"]["events"]["done"]


@plant(Impact.ADDITIVE, "stream ChatStream", "event ping", "is new: Nothing.")
def event_added(document: Document) -> None:
    events = document["components"]["x-coze-streams"]["ChatStream"]["events"]
    events["ping"] = {"class": "ChatPing", "description": "Nothing."}


@plant(Impact.BREAKING, "WebSocket SpeechSocket", "uplink message input_text_buffer.append", "is gone")
def message_removed(document: Document) -> None:
    del document["components"]["x-coze-websockets"]["SpeechSocket"]["uplink"]["messages"]["input_text_buffer.append"]


@plant(Impact.ADDITIVE, "error 99999", "", "is new (NEW_CODE): Something else.")
def error_added(document: Document) -> None:
    document["components"]["x-coze-errors"].append(
        {"code": 99999, "name": "NEW_CODE", "meaning": "Something else.", "category": "invalid_request"}
    )


@plant(Impact.BREAKING, "error 4000", "", "has the category conflict now, not invalid_request")
def error_of_another_category(document: Document) -> None:
    codes = document["components"]["x-coze-errors"]
    next(code for code in codes if code["code"] == 4000)["category"] = "conflict"


@plant(Impact.BREAKING, "webhooks.bot_published", "", "must be responded to within 1 seconds")
def callback_must_be_answered_sooner(document: Document) -> None:
    operation(document, "webhooks.bot_published")[2]["x-coze-callback"]["answer_within_seconds"] = 1


@plant(Impact.BREAKING, "servers", "server https://api.coze.cn", "is gone")
def server_removed(document: Document) -> None:
    document["servers"] = [server for server in document["servers"] if server["url"] != "https://api.coze.cn"]


@plant(Impact.DOCUMENTATION, "users.me", "description", "has other texts")
def text_changed(document: Document) -> None:
    operation(document, "users.me")[2]["description"] = "Another text."


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_change_is_reported_and_rated(real: Bundle, name: str) -> None:
    """Each kind of change is reported with its place and rating, and nothing is rated worse because of it."""
    change, impact, subject, place, text = PLANTS[name]
    old = json.loads(json.dumps(real.document))
    new = copy.deepcopy(old)
    change(new)
    changes = compare(old, new)
    matching = [change for change in changes if (change.subject, change.place, change.text) == (subject, place, text)]
    assert [change.impact for change in matching] == [impact], changes
    ranks = list(Impact)
    assert all(ranks.index(change.impact) >= ranks.index(impact) for change in changes), changes
    assert sum(change.impact is impact for change in changes) <= 2, changes


def test_an_equal_description_has_no_changes(real: Bundle) -> None:
    """A description compared with its own copy has no changes, whichever order its keys have."""
    reordered = json.loads(json.dumps(real.document, sort_keys=True))
    assert compare(json.loads(json.dumps(real.document)), reordered) == []
    assert REPORTS["text"]([]) == "no change\n"


def test_a_shared_schema_names_the_operations_that_it_reaches(real: Bundle) -> None:
    """A change of a schema that several operations use is reported once, with their ids."""
    old = json.loads(json.dumps(real.document))
    new = copy.deepcopy(old)
    del schema(new, "Chat")["properties"]["bot_id"]
    changes = compare(old, new)
    assert len(changes) == 1
    assert {"chat.create", "chat.retrieve", "chat.cancel"} <= set(changes[0].operations)


def test_a_schema_that_is_sent_and_received_takes_the_worse_rating(real: Bundle) -> None:
    """A value that a schema of requests and responses accepts no more breaks senders, although readers do not mind."""
    old = json.loads(json.dumps(real.document))
    new = copy.deepcopy(old)
    limited = schema(new, "BotOnboarding")["properties"]["prologue"]
    limited["maxLength"] = 1
    changes = compare(old, new)
    assert [(change.impact, change.place) for change in changes] == [(Impact.BREAKING, "prologue")]


CHANGES = [
    Change(Impact.BREAKING, "bots.list", "parameter page_size", "is gone"),
    Change(Impact.ADDITIVE, "schema Bot", "mood", "is new", ("a", "b", "c", "d")),
    Change(Impact.DOCUMENTATION, "bots.list", "summary", "has other texts"),
    Change(Impact.DOCUMENTATION, "bots.list", "description", "has other texts"),
]


def test_the_text_groups_changes_by_rating_and_subject() -> None:
    """The text shows breaking changes first, and names a few of the operations that a schema reaches."""
    assert REPORTS["text"](CHANGES) == (
        "1 breaking, 1 additive, 2 documentation\n\n"
        "Breaking\n  bots.list\n    parameter page_size is gone\n\n"
        "New\n  schema Bot (a, b, c and 1 more)\n    mood is new\n\n"
        "Texts\n  bots.list\n    2 texts: summary, description\n"
    )


def test_markdown_is_a_list_for_each_rating() -> None:
    """The Markdown sets subjects off as code, one item for each."""
    text = REPORTS["markdown"](CHANGES)
    assert "**Breaking**\n\n- `bots.list`: parameter page_size is gone\n" in text
    assert "- `schema Bot` (a, b, c and 1 more): mood is new\n" in text


def test_json_has_one_object_for_each_change() -> None:
    """The JSON holds what each change has, with the rating as a word."""
    rows = json.loads(REPORTS["json"](CHANGES))
    assert rows[1] == {
        "impact": "additive",
        "subject": "schema Bot",
        "place": "mood",
        "text": "is new",
        "operations": ["a", "b", "c", "d"],
    }


@pytest.fixture
def repository(tmp_path: Path, real: Bundle) -> Path:
    """A git repository with this description, in which the newest commit has another text."""
    folder = tmp_path / "repository" / "openapi"
    for path in real.files:
        target = folder.parent / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / path).read_bytes())
    git(folder, "init", "--quiet", str(folder.parent))
    commit(folder)
    users = folder / "users" / "me.yaml"
    users.write_text(users.read_text(encoding="utf-8").replace("users.me", "users.whoami", 1), encoding="utf-8")
    schemas = folder / "users" / "schemas.yaml"
    return schemas.parents[2]


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder."""
    settings = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", "-C", str(folder), *settings, *arguments], check=True, capture_output=True)


def commit(folder: Path) -> None:
    """Commit all that a folder holds."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Add")


def test_a_revision_is_compared_with_the_working_tree(
    repository: Path, capsys: pytest.CaptureFixture[str], real: Bundle
) -> None:
    """`diff HEAD` reports what changed since the last commit, and exits with 1 where callers break."""
    index = repository / "openapi" / "coze.yaml"
    assert command.main(["--index", str(index), "diff", "HEAD"]) == 1
    assert "is called users.whoami now" in capsys.readouterr().out
    assert command.main(["--index", str(index), "diff", "HEAD", "--fail-on", "never"]) == 0
    commit(repository)
    assert command.main(["--index", str(index), "diff", "HEAD", "--fail-on", "any"]) == 0
    assert command.main(["--index", str(index), "diff", "HEAD~1", "HEAD"]) == 1


def test_folders_and_bundles_are_compared(tmp_path: Path, real: Bundle) -> None:
    """A folder, an index and a bundle of the same description are equal."""
    written = tmp_path / "bundle.json"
    written.write_text(json.dumps(real.document), encoding="utf-8")
    documents = [load(str(place), INDEX) for place in (written, INDEX, INDEX.parent)]
    assert compare(documents[0], documents[1]) == compare(documents[1], documents[2]) == []


@pytest.mark.parametrize("name", ["no-such-revision", "--output=planted"])
def test_what_cannot_be_found_is_named(name: str) -> None:
    """A name that is not a file, folder or revision is reported as such, and never read as an option of git."""
    with pytest.raises(DescriptionError, match="is not a file or folder"):
        load(name, INDEX)
    assert not Path("planted").exists()


def test_a_damaged_bundle_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle that is not an OpenAPI document gives the exit status 2 and a message with its path."""
    damaged = tmp_path / "bundle.json"
    damaged.write_text("[]", encoding="utf-8")
    assert command.main(["--index", str(INDEX), "diff", str(damaged)]) == 2
    assert "bundle.json:1: is not an OpenAPI document" in capsys.readouterr().err


def test_public_names_that_went_are_reported(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--python`, a parameter and a function that code may use no more are reported beside the API's changes."""
    for package in ("generated/coze_api", "overlays/cozekit", "sandbox/coze_sandbox"):
        write(repository / package, "def first(name):\n    ...\n\ndef second():\n    ...\n")
    commit(repository)
    write(repository / "overlays/cozekit", "def first():\n    ...\n")
    index = repository / "openapi" / "coze.yaml"
    assert command.main(["--index", str(index), "diff", "HEAD", "--python"]) == 1
    report = capsys.readouterr().out
    assert "Python cozekit\n    cozekit.first parameter was removed: name\n" in report
    assert "cozekit.second public object was removed" in report


def write(package: Path, text: str) -> None:
    """Write a package of one module."""
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(text, encoding="utf-8")
