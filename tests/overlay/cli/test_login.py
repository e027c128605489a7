"""Logging in and out, as a person does it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pexpect
import pytest

from coze_sandbox import PUBLIC_APP, SERVICE_APP, USER_ID
from cozekit import Coze
from cozekit._profiles import Profiles, current_profile
from cozekit.auth import parse_callback
from cozekit.auth._jwt_signer import Signer
from cozekit.cli._redirect_server import Loopback
from tests._chromium import Chromium, needs_chromium

COMMAND = [sys.executable, "-m", "cozekit.cli"]


@pytest.fixture
def spawn(environment):
    """Give a way to run a command in a terminal; what is left of it is ended."""
    terminals = []

    def run(*arguments):
        terminal = pexpect.spawn(
            COMMAND[0], [*COMMAND[1:], *arguments], env=environment, timeout=60, encoding="utf-8", dimensions=(40, 100)
        )
        terminals.append(terminal)
        return terminal

    yield run
    for terminal in terminals:
        terminal.close(force=True)


def end_of(terminal):
    """Return the exit status and all that the person has seen since the last expectation."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, terminal.before


def tokens_of(cozekit):
    return {name: json.loads(text) for name, text in cozekit.files.items() if name.startswith("tokens") and text}


def test_device(spawn, cozekit, quick_sandbox):
    """A person reads address and code, allows elsewhere, and is logged in; nothing secret was shown."""
    base_url = quick_sandbox.base_url
    terminal = spawn("login", "--device", "--client-id", PUBLIC_APP.client_id, "--base-url", base_url)
    terminal.expect(rf"Open +({base_url}/device)\r\n")
    terminal.expect(r"code +([A-Z]{4}-[A-Z]{4})")
    user_code = terminal.match[1]
    page = httpx.get(f"{base_url}/device", params={"user_code": user_code})
    assert "Sandbox desktop app" in page.text
    httpx.post(f"{base_url}/device", data={"key": user_code, "decision": "allow"})
    status, shown = end_of(terminal)
    assert status == 0
    assert f"Logged in as Sandbox Owner (profile default, {base_url})." in shown
    (token,) = tokens_of(cozekit).values()
    assert token["access_token"] not in shown
    assert token["refresh_token"] not in shown
    assert cozekit("whoami", "--json").out.count(USER_ID) == 1


def test_device_denied(spawn, cozekit, quick_sandbox):
    """Who refuses ends the command with one line and status 1, and nothing is kept."""
    base_url = quick_sandbox.base_url
    terminal = spawn("login", "--device", "--client-id", PUBLIC_APP.client_id, "--base-url", base_url)
    terminal.expect(r"code +([A-Z]{4}-[A-Z]{4})")
    quick_sandbox.oauth.decide(terminal.match[1], allow=False)
    status, shown = end_of(terminal)
    assert status == 1
    assert "cozekit: " in shown
    assert "refused" in shown
    assert "Traceback" not in shown
    assert cozekit.files == {}


def test_interrupted(spawn, cozekit, quick_sandbox):
    """Ctrl-C ends the wait at once, with status 130 and without a traceback."""
    base_url = quick_sandbox.base_url
    terminal = spawn("login", "--device", "--client-id", PUBLIC_APP.client_id, "--base-url", base_url)
    terminal.expect("check that it shows this code")
    terminal.sendintr()
    status, shown = end_of(terminal)
    assert status == 130
    assert "cozekit: stopped" in re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "Traceback" not in shown


def test_token_at_the_keyboard(spawn, cozekit, coze_sandbox):
    """A token that is typed in is not shown."""
    terminal = spawn("login", "--token", "--base-url", coze_sandbox.base_url)
    terminal.expect("Token: ")
    terminal.sendline(coze_sandbox.token)
    status, shown = end_of(terminal)
    assert status == 0
    assert "Logged in as Sandbox Owner" in shown
    assert coze_sandbox.token not in shown


def test_no_token_at_the_keyboard(spawn, coze_sandbox):
    """Ctrl-D in place of a token ends the command with one line."""
    terminal = spawn("login", "--token", "--base-url", coze_sandbox.base_url)
    terminal.expect("Token: ")
    terminal.sendeof()
    status, shown = end_of(terminal)
    assert status == 1
    assert "no token was given" in shown
    assert "Traceback" not in shown


@needs_chromium
def test_browser(environment, cozekit, coze_sandbox, tmp_path):
    """The browser opens, a person clicks on Allow, and comes back to a page that sends them to the terminal."""
    opener, told = tmp_path / "browser", tmp_path / "address"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {told}.part && mv {told}.part {told}\n', encoding="utf-8")
    opener.chmod(0o700)
    environment["BROWSER"] = f"{opener} %s"
    arguments = ["login", "--client-id", PUBLIC_APP.client_id, "--base-url", coze_sandbox.base_url]
    with (
        Chromium(tmp_path / "chromium") as chromium,
        subprocess.Popen(
            [*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            notice = process.stderr.readline()
            address = process.stderr.readline().strip()
            assert notice == "Your browser shows the page to log in. If it does not, open:\n"
            while not told.exists():
                assert process.poll() is None
            assert told.read_text(encoding="utf-8") == address
            query = parse_qs(urlsplit(address).query)
            assert query["code_challenge_method"] == ["S256"]
            back = urlsplit(query["redirect_uri"][0])
            assert (back.hostname, back.path) == ("127.0.0.1", "/callback")
            chromium.open(address)
            chromium.click("[value=allow]")
            chromium.until("document.title == 'Almost done'")
            assert "go back to the terminal" in chromium.text
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (0, "")
    assert f"Logged in as Sandbox Owner (profile default, {coze_sandbox.base_url})." in err
    with Coze() as coze:
        assert coze.users.me().user_id == USER_ID


class Waiting:
    """A login in the browser that waits on a thread."""

    def __init__(self, cozekit, coze_sandbox, monkeypatch, *arguments):
        found = threading.Event()

        def open_browser(address):
            self.address = address
            found.set()
            return True

        monkeypatch.setattr("webbrowser.open", open_browser)
        monkeypatch.setenv("BROWSER", "x")
        settings = ["--client-id", PUBLIC_APP.client_id, "--base-url", coze_sandbox.base_url]
        self.thread = threading.Thread(target=lambda: setattr(self, "done", cozekit("login", *settings, *arguments)))
        self.thread.start()
        assert found.wait(60)
        query = parse_qs(urlsplit(self.address).query)
        self.back, self.state = query["redirect_uri"][0], query["state"][0]

    def end(self):
        self.thread.join(60)
        return self.done


def test_answers_of_others(cozekit, coze_sandbox, monkeypatch):
    """What comes with another state, or elsewhere, is refused and not counted; the right answer counts once."""
    coze_sandbox.oauth.auto_consent = True
    login = Waiting(cozekit, coze_sandbox, monkeypatch)
    assert httpx.get(login.back, params={"code": "code_x", "state": "guess"}).status_code == 400
    assert httpx.get(login.back, params={"code": "code_x"}).status_code == 400
    assert httpx.get(login.back.replace("/callback", "/")).status_code == 404
    location = httpx.get(login.address).headers["location"]
    page = httpx.get(location)
    assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
    done = login.end()
    assert done.status == 0
    (token,) = tokens_of(cozekit).values()
    for secret in (token["access_token"], token["refresh_token"], parse_qs(urlsplit(location).query)["code"][0]):
        assert secret not in done.out + done.err
    with pytest.raises(httpx.ConnectError):
        httpx.get(location)


def test_one_answer_to_one_address():
    """The end of a login listens at 127.0.0.1 alone, and takes one answer, even before anybody waits for it."""
    with Loopback(0, lambda url: url.rpartition("=")[2]) as loopback:
        address = httpx.URL(loopback.redirect_uri)
        assert address.host == "127.0.0.1"
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.2", address.port or 0), timeout=60).close()
        assert [httpx.get(address, params={"code": code}).status_code for code in "ab"] == [200, 400]
        assert loopback.wait(60) == "a"


def test_nonsense_from_others(capfd):
    """Who hangs up or sends nonsense is not told in the terminal, and does not end the login."""
    with Loopback(0, lambda url: parse_callback(url, state="s")) as loopback:
        address = httpx.URL(loopback.redirect_uri)
        for sent in (b"GET http://[ HTTP/1.1\r\n\r\n", b"\0\r\n", b""):
            with socket.create_connection(("127.0.0.1", address.port or 0), timeout=60) as other:
                other.sendall(sent)
                other.shutdown(socket.SHUT_WR)
                while other.recv(1024):
                    pass
        assert httpx.get(address, params={"code": "c", "state": "s"}).status_code == 200
        assert loopback.wait(60) == "c"
    assert capfd.readouterr() == ("", "")


def test_no_port(cozekit):
    """A number that is no port is told in one line."""
    done = cozekit("login", "--client-id", "1", "--port", "65536", "--no-browser")
    assert (done.status, done.out, done.err) == (2, "", "cozekit: 65536 is no port: they go from 0 to 65535\n")


def test_denied_in_the_browser(cozekit, coze_sandbox, monkeypatch):
    """Who refuses in the browser is told so in both places, and nothing is kept."""
    coze_sandbox.oauth.auto_consent = False
    login = Waiting(cozekit, coze_sandbox, monkeypatch)
    page = httpx.get(login.address, follow_redirects=True)
    assert "You were not logged in" in page.text
    done = login.end()
    assert (done.status, done.out) == (1, "")
    assert "refused" in done.err
    assert cozekit.files == {}


def test_nobody_comes_back(cozekit, coze_sandbox, monkeypatch):
    """A browser that does not come back ends the command in time."""
    done = Waiting(cozekit, coze_sandbox, monkeypatch, "--timeout", "0.2").end()
    assert done.status == 1
    assert "did not come back within 0.2 s" in done.err


def test_taken_port(cozekit, coze_sandbox):
    """A port that is taken is told in one line."""
    port = str(urlsplit(coze_sandbox.base_url).port)
    done = cozekit("login", "--client-id", "1", "--base-url", coze_sandbox.base_url, "--port", port)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert f"port {port} of 127.0.0.1 cannot be used" in done.err


@pytest.fixture
def app_file(tmp_path, coze_sandbox):
    """Give the file of an app that signs JWTs."""
    path = tmp_path / "app.json"
    path.write_text(json.dumps(coze_sandbox.oauth.jwt_config()), encoding="utf-8")
    return path


def test_jwt(cozekit, app_file, coze_sandbox):
    """A service logs in with its file, whose key stays where it is, and its client signs for new tokens."""
    done = cozekit("login", "--jwt", str(app_file), "--profile", "svc")
    assert (done.status, done.out) == (0, "")
    key = json.loads(app_file.read_text(encoding="utf-8"))["private_key"]
    everything = " ".join([done.err, *cozekit.files.values()])
    assert "PRIVATE KEY" in key
    assert "PRIVATE KEY" not in everything
    assert "expires_at" in cozekit("whoami", "--profile", "svc", "--json").out
    with Coze() as coze:
        assert coze.users.me().user_id == USER_ID
        for given_out in coze_sandbox._state.store.items("token"):
            coze_sandbox._state.store.delete("token", given_out)
        assert coze.users.me().user_id == USER_ID


def test_jwt_behind_a_gateway(cozekit, app_file, coze_sandbox, monkeypatch):
    """A profile keeps which Coze stands behind a gateway: all JWTs are for that one, and its login command names it."""
    audiences = []
    sign = Signer.sign

    def noted(self, *arguments):
        audiences.append(self.audience)
        return sign(self, *arguments)

    monkeypatch.setattr(Signer, "sign", noted)
    arguments = ["login", "--jwt", str(app_file), "--base-url", coze_sandbox.base_url, "--audience"]
    done = cozekit(*arguments, "api.nowhere.example")
    assert (done.status, "aud must be the host" in done.err, cozekit.files) == (1, True, {})
    assert cozekit(*arguments, "").status == 1
    audiences.clear()
    assert cozekit(*arguments, "api.coze.com").status == 0
    with Coze() as coze:
        assert coze.users.me().user_id == USER_ID
    assert len(audiences) == 2
    assert set(audiences) == {"api.coze.com"}
    current, _ = current_profile()
    assert current.login_command == f"run `cozekit {' '.join(arguments)} api.coze.com`"


def test_failure_leaves_what_was_there(cozekit, typed, coze_sandbox, app_file):
    """A login that fails leaves the one before as it was."""
    typed(f"{coze_sandbox.token}\n")
    cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    before = cozekit.files
    coze_sandbox.oauth.set_active(SERVICE_APP.client_id, active=False)
    done = cozekit("login", "--jwt", str(app_file))
    assert done.status == 1
    assert "deactivated" in done.err
    typed("pat_wrong\n")
    assert cozekit("login", "--token").status == 1
    coze_sandbox.oauth.auto_consent = False
    assert cozekit("login", "--device", "--client-id", PUBLIC_APP.client_id).status == 1
    assert {name: text for name, text in cozekit.files.items() if text} == {n: t for n, t in before.items() if t}
    assert cozekit("whoami").status == 0


def test_waits_for_a_renewal(cozekit, typed, coze_sandbox, monkeypatch):
    """A login waits for a client that is renewing the token, which would else replace the new one."""
    monkeypatch.setattr("cozekit.cli._locks._PATIENCE", 0.1)
    store = Profiles(cozekit.folder).store
    unlock = store.try_lock("default")
    typed(f"{coze_sandbox.token}\n")
    done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    assert (done.status, "is renewing the token" in done.err) == (1, True)
    threading.Timer(0.05, unlock).start()
    monkeypatch.setattr("cozekit.cli._locks._PATIENCE", 30.0)
    typed(f"{coze_sandbox.token}\n")
    assert cozekit("login", "--token", "--base-url", coze_sandbox.base_url).status == 0


def test_bad_jwt_file(cozekit, tmp_path):
    """A file that is none of an app is told in one line."""
    path = tmp_path / "x.json"
    path.write_text("{", encoding="utf-8")
    done = cozekit("login", "--jwt", str(path))
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "is no JSON" in done.err
    assert cozekit("login", "--jwt", str(tmp_path / "absent.json")).status == 1


def test_piped_token(cozekit, typed, coze_sandbox):
    """A token that is piped in is checked, kept for its owner alone, and forgotten by logout."""
    typed(f"{coze_sandbox.token}\n")
    done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    assert (done.status, done.out) == (0, "")
    assert coze_sandbox.token not in done.err
    for name in ("profiles.json", "tokens/default.json"):
        assert (cozekit.folder / name).stat().st_mode & 0o777 == 0o600
    for folder in (cozekit.folder, cozekit.folder / "tokens"):
        assert folder.stat().st_mode & 0o777 == 0o700
    done = cozekit("logout")
    assert done.status == 0
    assert "delete it on the web site" in done.err
    assert tokens_of(cozekit) == {}
    assert cozekit("whoami").status == 1
    assert cozekit("logout").status == 1


def test_wrong_token(cozekit, typed, coze_sandbox):
    """A token that Coze does not take is not kept, nor is none, nor what cannot be one; none of them is shown."""
    for text in ("pat_wrong_one\n", "", "\n", "pat_a b\n"):
        typed(text)
        done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
        assert done.status == 1, text
        assert "pat_" not in done.err
        assert "Traceback" not in done.err
    assert cozekit.files == {}


def test_wrong_command_lines(cozekit):
    """What cannot be meant ends with status 2, before anything is asked."""
    wrong = [
        ["nonsense"],
        ["login", "--nonsense"],
        ["login", "--device", "--token"],
        ["login", "--region", "mars"],
        ["login", "--region", "cn", "--base-url", "https://x.example"],
        ["login"],
        ["login", "--device"],
        ["login", "--audience", "api.coze.com"],
    ]
    for arguments in wrong:
        done = cozekit(*arguments)
        assert (done.status, done.out) == (2, ""), arguments
        assert done.err, arguments
    assert "--client-id" in cozekit("login").err


def test_address_without_encryption(cozekit, typed):
    """A token is not sent where everybody could read it."""
    typed("pat_x\n")
    done = cozekit("login", "--token", "--base-url", "http://coze.example.com")
    assert done.status == 1
    assert "https" in done.err


def test_what_was_used_last_time(cozekit, coze_sandbox, monkeypatch):
    """Logging in again needs neither app nor address."""
    coze_sandbox.oauth.auto_consent = True
    arguments = ["login", "--device", "--client-id", PUBLIC_APP.client_id, "--base-url", coze_sandbox.base_url]
    monkeypatch.setattr("cozekit.auth._device_code._sleep", lambda _: None)
    assert cozekit(*arguments).status == 0
    assert cozekit("login", "--device").status == 0


def test_names_are_shown_without_control(cozekit, typed, coze_sandbox):
    """A name cannot steer the terminal."""
    user = coze_sandbox._state.find("user", USER_ID)
    coze_sandbox._state.store.put("user", USER_ID, {**user, "nick_name": "\x1b[2Jevil\r\n"})
    typed(f"{coze_sandbox.token}\n")
    done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    assert "evil" in done.err
    assert "\x1b[2J" not in done.err
    assert "\r" not in done.err


def test_secret_options_do_not_exist(cozekit):
    """No token can be given on the command line, where other users could read it."""
    assert cozekit("login", "--token", "pat_x").status == 2


def test_profile_files(cozekit, typed, coze_sandbox):
    """The file of profiles holds no secret, and one that is damaged is told with its path."""
    typed(f"{coze_sandbox.token}\n")
    cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    assert coze_sandbox.token not in cozekit.files["profiles.json"]
    Path(cozekit.folder / "profiles.json").write_text("{", encoding="utf-8")
    done = cozekit("whoami")
    assert done.status == 1
    assert "profiles.json" in done.err
