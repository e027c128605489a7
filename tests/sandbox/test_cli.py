"""The sandbox as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

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
def test_runs_until_told_to_stop(start, tmp_path, stop):
    """It prints address and token, writes the ready file, serves, and stops without a complaint."""
    ready = tmp_path / "ready.json"
    process, facts = start("--token", "t-1", "--ready-file", str(ready), "--speed", "100")
    assert json.loads(ready.read_text()) == facts
    assert facts["base_url"].startswith("http://127.0.0.1:")
    headers = {"Authorization": "Bearer t-1"}
    answer = httpx.get(facts["base_url"] + "/v1/users/me", headers=headers)
    assert answer.json()["code"] == 0
    process.send_signal(stop)
    _, errors = process.communicate(timeout=10)
    assert (errors, process.returncode in {0, -stop}) == ("", True)


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
    found = httpx.get(url, headers=headers, params=query).json()
    assert found["data"]["status"] == "completed"


def test_stops_with_its_parent(start):
    """With --exit-with-parent it stops when its standard input ends."""
    process, _ = start("--exit-with-parent")
    time.sleep(0.1)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(timeout=10) == 0


def test_taken_port(start):
    """A taken port is reported in one line."""
    _, facts = start()
    port = facts["base_url"].rpartition(":")[2]
    second = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert second.stderr.startswith("coze_sandbox: ")
    assert second.stderr.count("\n") == 1
