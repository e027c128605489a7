"""Any operation from the command line."""

from __future__ import annotations

import json

import pytest

from coze_sandbox import BOT_ID, USER_ID, VOICE_ID, WORKFLOW_ECHO, WORKSPACE_ID


@pytest.fixture
def call(cozekit, coze_sandbox, monkeypatch):
    """Return a function that calls operations of the sandbox."""
    monkeypatch.setenv("COZE_API_TOKEN", coze_sandbox.token)
    monkeypatch.setenv("COZE_API_BASE", coze_sandbox.base_url)
    return lambda *arguments: cozekit("call", *arguments)


def test_result_is_json_on_standard_output(call):
    """The result is JSON on standard output, which contains nothing else."""
    done = call("users.me")
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out)["user_id"] == USER_ID


def test_argument_values_are_text_json_or_enum_members(call, coze_sandbox):
    """Digits are a text if the argument is a string; otherwise a value is JSON, or a bare enum member."""
    done = call(
        "chat.create", f"bot_id={BOT_ID}", "user_id=17", 'additional_messages=["Hi"]', 'meta_data={"a": "1"}', "auto_save_history=true"
    )  # fmt: skip
    assert done.status == 0, done.err
    body = coze_sandbox.requests[-1].body
    assert (body["user_id"], body["meta_data"], body["auto_save_history"]) == ("17", {"a": "1"}, True)
    done = call("bots.list", f"workspace_id={WORKSPACE_ID}", "page_size=5", "publish_status=published_online")
    assert done.status == 0, done.err
    assert [bot["id"] for bot in json.loads(done.out)] == [BOT_ID]


def test_first_page_is_shown_and_all_shows_every_page(call):
    """A list shows its first page, with a notice if there are more; --all shows all pages."""
    for number in range(3):
        assert call("bots.create", f"space_id={WORKSPACE_ID}", f"name=bot {number}").status == 0
    arguments = ["bots.list", f"workspace_id={WORKSPACE_ID}", "page_size=2", "publish_status=all"]
    first = call(*arguments)
    assert len(json.loads(first.out)) == 2
    assert first.err == "There are more items: --all loads all pages.\n"
    everything = call(*arguments, "--all")
    assert (len(json.loads(everything.out)), everything.err) == (4, "")


def test_files_are_uploaded_by_path_and_saved_by_output(call, tmp_path, coze_sandbox):
    """Files are uploaded by their paths and downloaded to the path of --output."""
    up, down = tmp_path / "note.txt", tmp_path / "hello.mp3"
    up.write_text("hello", encoding="utf-8")
    for value in (str(up), f"@{up}"):
        done = call("files.upload", f"file={value}")
        assert (json.loads(done.out)["bytes"], json.loads(done.out)["file_name"]) == (5, "note.txt")
    speech = ["audio.speech.create", "input=Hi", f"voice_id={VOICE_ID}"]
    done = call(*speech, "--output", str(down))
    assert (done.status, done.out) == (0, "")
    assert down.stat().st_size > 0
    assert call(*speech).status == 2
    for path in (tmp_path / "absent", f"@{tmp_path / 'absent'}"):
        absent = call("files.upload", f"file={path}")
        assert (absent.status, f" {tmp_path / 'absent'} cannot be read" in absent.err) == (1, True)


def test_at_sign_reads_a_value_from_a_file_or_pipe(call, tmp_path, typed, coze_sandbox):
    """With @ a value is read from a file or a pipe."""
    path = tmp_path / "messages.json"
    path.write_text('["From a file"]', encoding="utf-8")
    typed("piped-user")
    done = call("chat.create", f"bot_id={BOT_ID}", "user_id=@-", f"additional_messages=@{path}")
    assert done.status == 0, done.err
    body = coze_sandbox.requests[-1].body
    assert body["user_id"] == "piped-user"
    assert body["additional_messages"][0]["content"] == "From a file"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bots.lst"], "bots.list"),
        (["nonsense.at.all"], "`cozekit operations` lists all"),
        (["bots.list"], "bots.list needs workspace_id"),
        (["bots.list", "x=1"], "it has: workspace_id"),
        (["bots.list", "workspace_id"], "write name=value"),
        (["workflows.runs.stream", f"workflow_id={WORKFLOW_ECHO}"], "a stream"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_usage_error_exits_with_2_and_sends_nothing(call, coze_sandbox, arguments, message):
    """A usage error exits with status 2 and one line, and nothing is sent."""
    done = call(*arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert not len(coze_sandbox.requests)


def test_rejected_call_exits_with_1_and_one_line(call, coze_sandbox):
    """A call that the client or Coze rejects exits with status 1 and one line."""
    for arguments, message in (
        (["bots.list", f"workspace_id={WORKSPACE_ID}", "page_size=x"], "page_size must be an int"),
        (["datasets.delete", "dataset_id=1"], "4200"),
    ):
        done = call(*arguments)
        assert (done.status, done.out) == (1, "")
        assert message in done.err


def test_profile_option_sends_its_token_to_its_service_only(cozekit, coze_sandbox, typed):
    """A profile can be selected by name, and its token is sent to its own service only."""
    typed(f"{coze_sandbox.token}\n")
    cozekit("login", "--token", "--base-url", coze_sandbox.base_url, "--profile", "work")
    assert cozekit("call", "users.me", "--profile", "work").status == 0
    assert cozekit("call", "users.me").status == 0
    for named in (["--profile", "work"], []):
        elsewhere = cozekit("call", "users.me", "--region", "cn", *named)
        assert elsewhere.status == 2
        assert f"the profile 'work' is for {coze_sandbox.base_url}, not for https://api.coze.cn" in elsewhere.err


def test_operations_are_listed_with_arguments(cozekit):
    """All operations are listed with their arguments."""
    done = cozekit("operations", "workspaces.members")
    assert "workspaces.members.list workspace_id [page_num]" in done.out
    assert all("workspaces.members" in line for line in done.out.splitlines())
    assert len(cozekit("operations").out.splitlines()) > 120
