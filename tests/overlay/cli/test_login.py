"""`cozekit login` and `logout`, as a person uses them."""

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
from cozekit.cli._redirect_server import RedirectServer
from tests._chromium import Chromium, needs_chromium

COMMAND = [sys.executable, "-m", "cozekit.cli"]


@pytest.fixture
def spawn(environment):
    """Return a function that runs a command in a terminal; processes that remain are ended."""
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
    """Return the exit status and the output since the last expectation."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, terminal.before


def tokens_of(cozekit):
    return {name: json.loads(text) for name, text in cozekit.files.items() if name.startswith("tokens") and text}


def test_device_login_shows_url_and_code(spawn, cozekit, quick_sandbox):
    """A person reads URL and code, allows access elsewhere, and is logged in; no secret is shown."""
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


def test_denied_device_login_exits_with_1_and_saves_nothing(spawn, cozekit, quick_sandbox):
    """A denial ends the command with one line and status 1, and nothing is saved."""
    base_url = quick_sandbox.base_url
    terminal = spawn("login", "--device", "--client-id", PUBLIC_APP.client_id, "--base-url", base_url)
    terminal.expect(r"code +([A-Z]{4}-[A-Z]{4})")
    quick_sandbox.oauth.decide(terminal.match[1], allow=False)
    status, shown = end_of(terminal)
    assert status == 1
    assert "cozekit: " in shown
    assert "denied" in shown
    assert "Traceback" not in shown
    assert cozekit.files == {}


def test_ctrl_c_exits_with_130(spawn, cozekit, quick_sandbox):
    """Ctrl-C ends the wait at once, with status 130 and without a traceback."""
    base_url = quick_sandbox.base_url
    terminal = spawn("login", "--device", "--client-id", PUBLIC_APP.client_id, "--base-url", base_url)
    terminal.expect("check that it shows this code")
    terminal.sendintr()
    status, shown = end_of(terminal)
    assert status == 130
    assert "cozekit: stopped" in re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "Traceback" not in shown


def test_typed_token_is_not_echoed(spawn, cozekit, coze_sandbox):
    """A token that is typed in is not echoed."""
    terminal = spawn("login", "--token", "--base-url", coze_sandbox.base_url)
    terminal.expect("Token: ")
    terminal.sendline(coze_sandbox.token)
    status, shown = end_of(terminal)
    assert status == 0
    assert "Logged in as Sandbox Owner" in shown
    assert coze_sandbox.token not in shown


def test_ctrl_d_instead_of_a_token_is_one_line(spawn, coze_sandbox):
    """Ctrl-D in place of a token ends the command with one line."""
    terminal = spawn("login", "--token", "--base-url", coze_sandbox.base_url)
    terminal.expect("Token: ")
    terminal.sendeof()
    status, shown = end_of(terminal)
    assert status == 1
    assert "no token was entered" in shown
    assert "Traceback" not in shown


@needs_chromium
def test_browser_login_returns_to_a_page_for_the_terminal(environment, cozekit, coze_sandbox, tmp_path):
    """The browser opens, a person clicks on Allow, and the last page sends them back to the terminal."""
    opener, opened = tmp_path / "browser", tmp_path / "address"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.part && mv {opened}.part {opened}\n', encoding="utf-8")
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
            while not opened.exists():
                assert process.poll() is None
            assert opened.read_text(encoding="utf-8") == address
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
    """A browser login that waits in a thread."""

    def __init__(self, cozekit, coze_sandbox, monkeypatch, *arguments):
        opened = threading.Event()

        def open_browser(address):
            self.address = address
            opened.set()
            return True

        monkeypatch.setattr("webbrowser.open", open_browser)
        monkeypatch.setenv("BROWSER", "x")
        settings = ["--client-id", PUBLIC_APP.client_id, "--base-url", coze_sandbox.base_url]
        self.thread = threading.Thread(target=lambda: setattr(self, "done", cozekit("login", *settings, *arguments)))
        self.thread.start()
        assert opened.wait(60)
        query = parse_qs(urlsplit(self.address).query)
        self.back, self.state = query["redirect_uri"][0], query["state"][0]

    def end(self):
        self.thread.join(60)
        return self.done


def test_redirects_with_another_state_or_path_are_rejected(cozekit, coze_sandbox, monkeypatch):
    """Requests with another state or path are rejected and ignored; the right redirect counts once."""
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


def test_redirect_server_listens_on_127_0_0_1_and_accepts_one_redirect():
    """The redirect server listens on 127.0.0.1 only and accepts one redirect, even before the login waits for it."""
    with RedirectServer(0, lambda url: url.rpartition("=")[2]) as loopback:
        address = httpx.URL(loopback.redirect_uri)
        assert address.host == "127.0.0.1"
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.2", address.port or 0), timeout=60).close()
        assert [httpx.get(address, params={"code": code}).status_code for code in "ab"] == [200, 400]
        assert loopback.wait(60) == "a"


def test_malformed_requests_do_not_end_the_login(capfd):
    """Closed connections and malformed requests are not shown in the terminal and do not end the login."""
    with RedirectServer(0, lambda url: parse_callback(url, state="s")) as loopback:
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


def test_invalid_port_is_one_line(cozekit):
    """A number that is not a port causes one line."""
    done = cozekit("login", "--client-id", "1", "--port", "65536", "--no-browser")
    assert (done.status, done.out, done.err) == (2, "", "cozekit: 65536 is not a port: ports are 0 to 65535\n")


def test_denial_in_the_browser_is_shown_in_both_places(cozekit, coze_sandbox, monkeypatch):
    """A denial is shown in the browser and in the terminal, and nothing is saved."""
    coze_sandbox.oauth.auto_consent = False
    login = Waiting(cozekit, coze_sandbox, monkeypatch)
    page = httpx.get(login.address, follow_redirects=True)
    assert "You were not logged in" in page.text
    done = login.end()
    assert (done.status, done.out) == (1, "")
    assert "denied" in done.err
    assert cozekit.files == {}


def test_browser_login_times_out(cozekit, coze_sandbox, monkeypatch):
    """If the browser never returns, the command ends after its timeout."""
    done = Waiting(cozekit, coze_sandbox, monkeypatch, "--timeout", "0.2").end()
    assert done.status == 1
    assert "was not redirected within 0.2 s" in done.err


def test_port_in_use_is_one_line(cozekit, coze_sandbox):
    """A port that is in use causes one line."""
    port = str(urlsplit(coze_sandbox.base_url).port)
    done = cozekit("login", "--client-id", "1", "--base-url", coze_sandbox.base_url, "--port", port)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert f"port {port} of 127.0.0.1 cannot be used" in done.err


@pytest.fixture
def app_file(tmp_path, coze_sandbox):
    """Return the settings file of a JWT app."""
    path = tmp_path / "app.json"
    path.write_text(json.dumps(coze_sandbox.oauth.jwt_config()), encoding="utf-8")
    return path


def test_jwt_login_keeps_the_path_of_the_key(cozekit, app_file, coze_sandbox):
    """A service logs in with its settings file, whose key is not copied, and its client signs for new tokens."""
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


def test_jwt_profile_keeps_the_audience_behind_a_gateway(cozekit, app_file, coze_sandbox, monkeypatch):
    """A profile keeps the audience behind a gateway: all JWTs use it, and its login command contains it."""
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


def test_failed_login_keeps_the_previous_one(cozekit, typed, coze_sandbox, app_file):
    """A login that fails keeps the previous login."""
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


def test_login_waits_for_a_token_renewal(cozekit, typed, coze_sandbox, monkeypatch):
    """A login waits for a client that is refreshing the token, which would otherwise overwrite the new token."""
    monkeypatch.setattr("cozekit.cli._locks._LOCK_TIMEOUT", 0.1)
    store = Profiles(cozekit.folder).store
    unlock = store.try_lock("default")
    typed(f"{coze_sandbox.token}\n")
    done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    assert (done.status, "is refreshing the token" in done.err) == (1, True)
    threading.Timer(0.05, unlock).start()
    monkeypatch.setattr("cozekit.cli._locks._LOCK_TIMEOUT", 30.0)
    typed(f"{coze_sandbox.token}\n")
    assert cozekit("login", "--token", "--base-url", coze_sandbox.base_url).status == 0


def test_invalid_jwt_app_file_is_one_line(cozekit, tmp_path):
    """A file that is not a settings file of an app causes one line."""
    path = tmp_path / "x.json"
    path.write_text("{", encoding="utf-8")
    done = cozekit("login", "--jwt", str(path))
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "is not JSON" in done.err
    assert cozekit("login", "--jwt", str(tmp_path / "absent.json")).status == 1


def test_piped_token_is_checked_saved_and_removed_by_logout(cozekit, typed, coze_sandbox):
    """A piped token is checked, saved with access for its owner only, and removed by logout."""
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
    assert "delete it on the website" in done.err
    assert tokens_of(cozekit) == {}
    assert cozekit("whoami").status == 1
    assert cozekit("logout").status == 1


def test_rejected_or_invalid_token_is_neither_saved_nor_shown(cozekit, typed, coze_sandbox):
    """A token that Coze rejects, an empty one and an invalid one are neither saved nor shown."""
    for text in ("pat_wrong_one\n", "", "\n", "pat_a b\n"):
        typed(text)
        done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
        assert done.status == 1, text
        assert "pat_" not in done.err
        assert "Traceback" not in done.err
    assert cozekit.files == {}


def test_contradictory_options_exit_with_2_before_any_prompt(cozekit):
    """Contradictory options exit with status 2 before any prompt."""
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


def test_login_requires_https(cozekit, typed):
    """A token is not sent over plain HTTP."""
    typed("pat_x\n")
    done = cozekit("login", "--token", "--base-url", "http://coze.example.com")
    assert done.status == 1
    assert "https" in done.err


def test_second_login_reuses_app_and_base_url(cozekit, coze_sandbox, monkeypatch):
    """A second login needs neither app nor base URL."""
    coze_sandbox.oauth.auto_consent = True
    arguments = ["login", "--device", "--client-id", PUBLIC_APP.client_id, "--base-url", coze_sandbox.base_url]
    monkeypatch.setattr("cozekit.auth._device_code.sleep", lambda _: None)
    assert cozekit(*arguments).status == 0
    assert cozekit("login", "--device").status == 0


def test_user_names_cannot_control_the_terminal(cozekit, typed, coze_sandbox):
    """Control characters in a user name are not sent to the terminal."""
    user = coze_sandbox._state.find("user", USER_ID)
    coze_sandbox._state.store.put("user", USER_ID, {**user, "nick_name": "\x1b[2Jevil\r\n"})
    typed(f"{coze_sandbox.token}\n")
    done = cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    assert "evil" in done.err
    assert "\x1b[2J" not in done.err
    assert "\r" not in done.err


def test_no_option_takes_a_token(cozekit):
    """No option takes a token, since other users could read it from the process list."""
    assert cozekit("login", "--token", "pat_x").status == 2


def test_profile_file_holds_no_secret(cozekit, typed, coze_sandbox):
    """The profile file holds no secret, and a damaged one is reported with its path."""
    typed(f"{coze_sandbox.token}\n")
    cozekit("login", "--token", "--base-url", coze_sandbox.base_url)
    assert coze_sandbox.token not in cozekit.files["profiles.json"]
    Path(cozekit.folder / "profiles.json").write_text("{", encoding="utf-8")
    done = cozekit("whoami")
    assert done.status == 1
    assert "profiles.json" in done.err
