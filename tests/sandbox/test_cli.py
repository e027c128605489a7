"""The sandbox as a process of its own."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "coze_sandbox", "--print-json"]


@pytest.fixture
def start():
    """Give a way to start the sandbox; what is left of it is stopped at the end."""
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return process, json.loads(line)

    yield run
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_a_signal_stops_it(start, tmp_path, stop):
    """The command prints address and token, writes the ready file, and serves; a signal stops it with exit code 0."""
    ready = tmp_path / "ready.json"
    process, facts = start("--token", "t-1", "--ready-file", str(ready), "--speed", "100")
    assert json.loads(ready.read_text(encoding="utf-8")) == facts
    assert facts["base_url"].startswith("http://127.0.0.1:")
    headers = {"Authorization": "Bearer t-1"}
    answer = httpx.get(facts["base_url"] + "/v1/users/me", headers=headers)
    assert answer.json()["code"] == 0
    process.send_signal(stop)
    _, errors = process.communicate(timeout=60)
    assert (errors, process.returncode) == ("", 0)


def test_state_in_a_file(start, tmp_path):
    """With --db the next process knows what the last one did, also a chat that it was streaming."""
    arguments = ("--db", str(tmp_path / "state.db"), "--token", "t", "--speed", "0.1")
    headers = {"Authorization": "Bearer t"}
    process, facts = start(*arguments)
    message = {"role": "user", "content": "/long 50", "content_type": "text"}
    body = {
        "bot_id": "7300000000000000200",
        "user_id": "u",
        "stream": True,
        "additional_messages": [message],
    }
    url = facts["base_url"] + "/v3/chat"
    with httpx.stream("POST", url, headers=headers, json=body) as response:
        lines = response.iter_lines()
        next(lines)
        chat = json.loads(next(lines).removeprefix("data:"))
        process.kill()
        process.wait()
    _, facts = start(*arguments)
    query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
    url = facts["base_url"] + "/v3/chat/retrieve"
    retrieved = httpx.get(url, headers=headers, params=query).json()
    assert retrieved["data"]["status"] == "completed"


def test_one_file_for_two(start, tmp_path):
    """A file that another sandbox uses is refused in one line; when that one is gone, however it went, it is free."""
    path = str(tmp_path / "state.db")
    process, facts = start("--db", path)
    assert (
        refused("--db", path)
        == f"coze_sandbox: cannot store the state in {path}: the file is in use by another sandbox\n"
    )
    headers = {"Authorization": f"Bearer {facts['token']}"}
    assert httpx.get(f"{facts['base_url']}/v1/users/me", headers=headers).status_code == 200
    process.kill()
    process.wait()
    process, _ = start("--db", path)
    process.send_signal(signal.SIGTERM)
    process.wait()
    start("--db", path)


def test_stops_with_its_parent(start):
    """With --exit-with-parent it stops when its standard input ends."""
    process, facts = start("--exit-with-parent")
    headers = {"Authorization": f"Bearer {facts['token']}"}
    assert httpx.get(f"{facts['base_url']}/v1/users/me", headers=headers).status_code == 200
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def refused(*arguments: str) -> str:
    """Return the one line with which it refuses to start."""
    done = subprocess.run(
        [sys.executable, "-m", "coze_sandbox", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_taken_port(start):
    """A taken port is reported in one line."""
    _, facts = start()
    port = facts["base_url"].rpartition(":")[2]
    assert refused("--port", port) == f"coze_sandbox: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_host_of_another_machine():
    """An address that is not of this machine is reported in one line."""
    assert refused("--host", "192.0.2.1").startswith("coze_sandbox: cannot listen on 192.0.2.1:0: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--db", "no/such/folder/state.db"], "cannot store the state in no/such/folder/state.db: unable to open"),
        (["--db", "file.txt"], "cannot store the state in file.txt: file is not a database"),
        (["--db", "folder"], "cannot store the state in folder: unable to open"),
        (["--db", "other.db"], "cannot store the state in other.db: no such column: seq"),
        (["--db", ""], "cannot store the state: the file name is empty"),
        (["--document", "nowhere.json"], "No such file or directory: 'nowhere.json'"),
        (["--document", "file.txt"], "file.txt is not a bundled description: JSONDecodeError"),
        (["--document", "other.json"], "other.json is not a bundled description: KeyError: 'paths'"),
        (["--ready-file", "no/such/folder/ready"], "no folder no/such/folder"),
        (["--ready-file", "folder"], "Is a directory"),
        (["--tls-cert-file", "no/such/folder/ca.pem"], "No such file or directory: 'no/such/folder/ca.pem'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_files_that_cannot_be(tmp_path, monkeypatch, arguments, expected):
    """A file that cannot be read or written is reported in one line with its name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("no database, and no JSON either", encoding="utf-8")
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE documents (title, kind, parent)")
    assert expected in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--port", "65536"], "--port: must be a number from 0 to 65535"),
        (["--port", "http"], "--port: must be a number from 0 to 65535"),
        (["--port", "-1"], "--port: must be a number from 0 to 65535"),
        (["--host", ""], "--host: must not be empty"),
        (["--speed", "0"], "--speed: must be a number from 0.001 to 1000000000"),
        (["--speed", "1e-320"], "--speed: must be a number from 0.001 to 1000000000"),
        (["--speed", "nan"], "--speed: must be a number from 0.001 to 1000000000"),
        (["--event-seconds", "-1"], "--event-seconds: must be a number from 0 to 3600"),
        (["--event-seconds", "nan"], "--event-seconds: must be a number from 0 to 3600"),
        (["--speed", "inf"], "--speed: must be a number from 0.001 to 1000000000"),
        (["--device-interval", "0"], "--device-interval: must be a number from 1 to 300"),
        (["--device-interval", "-5"], "--device-interval: must be a number from 1 to 300"),
        (["--device-interval", "1.5"], "--device-interval: must be a number from 1 to 300"),
        (["--device-interval", "301"], "--device-interval: must be a number from 1 to 300"),
        (["--seed", "one"], "--seed: invalid int value: 'one'"),
        (["--token", ""], "--token: must be printable ASCII without spaces, as in an HTTP header"),
        (["--token", "a b"], "--token: must be printable ASCII without spaces, as in an HTTP header"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments(arguments, expected):
    """A wrong argument is reported with its name."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(expected)


def test_missing_library():
    """Without the extra the command prints one line about what is missing."""
    code = "import runpy, sys; sys.modules['starlette'] = None; runpy.run_module('coze_sandbox', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == 'coze_sandbox: it needs starlette, which is not installed: pip install "cozekit[sandbox]"\n'


@pytest.fixture
def watch():
    """Give a way to start the sandbox as people see it, and the address that it prints."""
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "coze_sandbox", "--token", "t", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        processes.append(process)
        line = process.stdout.readline()
        match = re.match(r"Coze sandbox on (https?://\S+), token t, events of streams every \S+ ms$", line)
        assert match, line
        return process, match[1]

    yield run
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def stopped(process: subprocess.Popen[str]) -> str:
    """Stop the sandbox and return what it printed."""
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    return output


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_addresses(watch, host):
    """Where it listens on all addresses, it prints one of this machine, at which its page works."""
    _, url = watch("--host", host)
    assert url.rpartition(":")[0] == {"0.0.0.0": "http://127.0.0.1", "::": "http://[::1]"}[host]
    assert httpx.get(f"{url}/_sandbox/", headers={"Origin": url}).status_code == 200


def test_names_that_are_allowed(watch):
    """Under another host name, as a container has it, it answers if the name was configured, and otherwise names the
    option.
    """
    _, url = watch("--host", "0.0.0.0", "--allow-host", "coze", "--allow-host", "coze.internal")
    for name, status in (("coze", 200), ("coze.internal:8000", 200), ("127.0.0.1", 200), ("kitchen", 403)):
        answer = httpx.get(f"{url}/v1/users/me", headers={"Host": name, "Authorization": "Bearer t"})
        assert answer.status_code == status
    assert "--allow-host kitchen" in answer.json()["msg"]
    run = subprocess.run([*COMMAND, "--allow-host", "*"], capture_output=True, text=True, timeout=60)
    assert (run.returncode, "allow_hosts must be host names" in run.stderr) == (1, True)


def test_pace(start):
    """People see streams at a natural pace, unless they choose another; the pace is shown with the address."""
    for arguments, seconds in (
        ((), 0.03),
        (("--speed", "3"), 0.01),
        (("--event-seconds", "0.5"), 0.5),
        (("--event-seconds", "0.5", "--speed", "2"), 0.25),
        (("--event-seconds", "0"), 0),
    ):
        _, facts = start(*arguments)
        about = httpx.get(f"{facts['base_url']}/_sandbox/").json()
        assert about["event_seconds"] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((), "every 30 ms"), (("--speed", "4"), "every 7.5 ms"), (("--event-seconds", "0"), "without a pause")],
)
def test_pace_in_the_first_line(arguments, expected):
    """The first line shows the pace of streams."""
    command = [sys.executable, "-m", "coze_sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().rstrip().endswith(f", events of streams {expected}")
        process.terminate()


def test_line_for_every_request(watch):
    """Every request is a line: verb, path, operation, status, code, verdict, time, and why it was refused."""
    process, url = watch()
    headers = {"Authorization": "Bearer t"}
    httpx.get(f"{url}/v1/users/me", headers=headers)
    httpx.get(f"{url}/v1/files/retrieve?file_id=9", headers=headers)
    httpx.get(f"{url}/v1/users/me")
    httpx.get(f"{url}/v1/nowhere%0Aelse", headers=headers)
    httpx.get(f"{url}/v1/users/me", headers={**headers, "X-Sandbox-Fault": "status; status=503"})
    lines = [re.sub(r"\d+ms", "0ms", line) for line in stopped(process).splitlines()]
    assert lines[0] == "GET /v1/users/me users.me 200 0 ok 0ms"
    assert lines[1].startswith(
        "GET /v1/files/retrieve files.retrieve 404 4200 refused 0ms (Requested resource file_id="
    )
    assert lines[2] == "GET /v1/users/me users.me 401 4100 refused 0ms (authentication is invalid)"
    assert lines[3] == "GET /v1/nowhere%0Aelse - 404 4200 refused 0ms (unknown path /v1/nowhere%0Aelse)"
    assert lines[4] == "GET /v1/users/me users.me 503 5000 fault 0ms (status)"
    assert len(lines) == 5


def test_line_of_a_stream(watch):
    """The line of a stream comes at its end, with the time that it took."""
    process, url = watch()
    message = {"role": "user", "content": "/slow 0.2 Hi", "content_type": "text"}
    body = {"bot_id": "7300000000000000200", "user_id": "u", "stream": True, "additional_messages": [message]}
    httpx.post(f"{url}/v3/chat", headers={"Authorization": "Bearer t"}, json=body, timeout=30)
    [line] = stopped(process).splitlines()
    assert line.startswith("POST /v3/chat chat.create 200 0 ok ")
    assert int(re.search(r"(\d+)ms", line)[1]) >= 200


def test_quiet(watch):
    """With --quiet only the address is printed."""
    process, url = watch("--quiet")
    httpx.get(f"{url}/v1/users/me")
    assert stopped(process) == ""


def test_reader_that_leaves(watch):
    """When no process reads its output any more, the sandbox continues."""
    process, url = watch()
    process.stdout.close()
    for _ in range(3):
        assert httpx.get(f"{url}/v1/users/me", headers={"Authorization": "Bearer t"}).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


def test_stream_under_way_when_it_stops(watch):
    """A stream under way is sent to its end when the sandbox is stopped."""
    process, url = watch("--speed", "3")
    message = {"role": "user", "content": "/long 20", "content_type": "text"}
    body = {"bot_id": "7300000000000000200", "user_id": "u", "stream": True, "additional_messages": [message]}
    with httpx.stream("POST", f"{url}/v3/chat", headers={"Authorization": "Bearer t"}, json=body) as response:
        lines = response.iter_lines()
        next(lines)
        process.send_signal(signal.SIGTERM)
        assert list(lines)[-3:] == ["event:done", 'data:"[DONE]"', ""]
    assert process.wait(timeout=60) == 0


def test_tls(watch, tmp_path):
    """With --tls it prints what to trust; a client that trusts it is served, and others refuse."""
    certificate = tmp_path / "ca.pem"
    for arguments in (["--tls"], ["--tls-cert-file", str(certificate)]):
        process, url = watch(*arguments)
        match = re.match(r"To trust it: export SSL_CERT_FILE=(\S+)$", process.stdout.readline())
        assert match
        context = ssl.create_default_context(cafile=match[1])
        with httpx.Client(verify=context, headers={"Authorization": "Bearer t"}) as http:
            for address in (url, url.replace("127.0.0.1", "localhost")):
                assert http.get(f"{address}/v1/users/me").status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url)
        stopped(process)
        assert process.returncode == 0
        assert Path(match[1]).exists() == (arguments != ["--tls"])  # what was made for this run goes with it
    assert certificate.exists()
    assert b"PRIVATE" not in certificate.read_bytes()
