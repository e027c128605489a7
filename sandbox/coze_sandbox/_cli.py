"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from ._access_log import AccessLog
from ._certificates import Certificates
from ._config.options import DEFAULT_TOKEN
from ._sandbox import Sandbox
from ._server import bind, configure, url_of

__all__ = ["main"]

# What a person watching it takes for natural; --speed divides it.
_ANSWER_SECONDS = 1.0
_EVENT_SECONDS = 0.03
_PARENT_SECONDS = 0.5
_STOP_SECONDS = 3  # for streams under way
_LAST_PORT = 65_535
_SPEEDS = (0.001, 1_000_000_000)
_LONGEST_EVENT = 3600
_LONGEST_INTERVAL = 300  # as long as the code of a device is valid

_Number = TypeVar("_Number", int, float)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sandbox until it is told to stop by SIGTERM or SIGINT.

    Args:
        arguments: The command line; that of the process by default.

    Returns:
        The exit status.
    """
    given = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may have what the locale's encoding lacks
    options = {
        "db": given.db,
        "token": given.token,
        "lenient": not given.strict,
        "examples": given.examples,
        "errors_as_200": given.errors_as_200,
        "check_answers": not given.no_check,
        "seed": given.seed,
        "any_oauth_app": given.any_oauth_app,
        "auto_consent": True if given.auto_consent else None,
        "device_interval": given.device_interval,
        "allow_hosts": given.allow_host,
        "callback_hosts": given.callback_host,
        "answer_seconds": _ANSWER_SECONDS / given.speed,
        "event_seconds": (_EVENT_SECONDS if given.event_seconds is None else given.event_seconds) / given.speed,
    }
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(bind(given.host, given.port))
            certificates = Certificates(given.host) if given.tls or given.tls_cert_file else None
            base_url = url_of(listener, "http" if certificates is None else "https")
            sandbox = Sandbox(host=given.host, document=given.document, **options)
            stack.callback(sandbox.close)
            facts = {"base_url": base_url, "token": given.token, "pid": os.getpid()}
            if certificates is not None:
                stack.callback(certificates.remove)
                facts["ca_file"] = str(_keep(certificates, given.tls_cert_file))
            if given.write_jwt_config is not None:
                _write_jwt_config(given.write_jwt_config, sandbox.oauth.jwt_config(base_url=base_url))
            if given.ready_file is not None and not given.ready_file.parent.is_dir():
                raise FileNotFoundError(f"no folder {given.ready_file.parent}")
        except (OSError, ValueError) as error:
            sys.stderr.write(f"coze_sandbox: {_in_one_line(error, given)}\n")
            return 1
        # What reads JSON reads one line, and would let more of them fill the pipe up.
        if not given.quiet and not given.print_json:
            sandbox.requests.watcher = AccessLog()
        server = uvicorn.Server(configure(sandbox.app, certificates, _STOP_SECONDS))
        threading.Thread(
            target=_announce, args=(server, facts, given, options["event_seconds"]), name="announce", daemon=True
        ).start()
        if given.exit_with_parent:
            _watch_parent(server)
        # uvicorn raises signals again after an orderly end. That of SIGTERM would leave no time to tidy up.
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    return 1 if "error" in facts else 0


def _announce(server: uvicorn.Server, facts: dict[str, Any], given: argparse.Namespace, event_seconds: float) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.001)
    text = json.dumps(facts)
    if given.ready_file is not None:
        # Written whole or not at all: whoever waits for the file reads it at once.
        draft = given.ready_file.with_name(f"{given.ready_file.name}.{os.getpid()}")
        try:
            draft.write_text(f"{text}\n", encoding="utf-8")
            draft.replace(given.ready_file)
        except OSError as error:
            draft.unlink(missing_ok=True)
            facts["error"] = _in_one_line(error, given)
            sys.stderr.write(f"coze_sandbox: {facts['error']}\n")
            server.should_exit = True
            return
    pace = f"every {1000 * event_seconds:g} ms" if event_seconds else "without a pause"
    line = f"Coze sandbox on {facts['base_url']}, token {given.token}, events of streams {pace}"
    if "ca_file" in facts:
        line += f"\nTo trust it: export SSL_CERT_FILE={facts['ca_file']}"
    sys.stdout.write(f"{text if given.print_json else line}\n")
    sys.stdout.flush()


def _keep(certificates: Certificates, path: Path | None) -> Path:
    """Return where the certificate to trust is, after it was copied to where it was asked for."""
    if path is None:
        return certificates.ca_file
    path.write_bytes(certificates.ca_file.read_bytes())
    return path


def _in_one_line(error: Exception, given: argparse.Namespace) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.filename is None and error.strerror:
        return f"cannot listen on {given.host}:{given.port}: {error.strerror}"
    return text


def _write_jwt_config(path: Path, config: dict[str, Any]) -> None:
    # It holds a private key. This one opens nothing but the sandbox, yet nobody should learn to leave such files open.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")


def _watch_parent(server: uvicorn.Server) -> None:
    """Stop the server when standard input ends or the parent process is gone."""
    parent = os.getppid()

    def stop() -> None:
        server.should_exit = True

    def until_input_ends() -> None:
        # The descriptor, not sys.stdin: a thread blocked inside its lock would abort the
        # interpreter's end.
        while os.read(0, 4096):
            pass
        stop()

    def until_parent_is_gone() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        stop()

    watchers: tuple[Callable[[], None], ...] = (until_input_ends, until_parent_is_gone)
    for watch in watchers:
        threading.Thread(target=watch, name=watch.__name__, daemon=True).start()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coze_sandbox", description="A local Coze for programs under test.")
    add = parser.add_argument
    add("--host", type=_host, default="127.0.0.1", help="address to listen on (default: this machine only)")
    add("--port", type=_number(int, 0, _LAST_PORT), default=0, help="port to listen on (default: a free one)")
    add(
        "--allow-host", action="append", default=[], metavar="NAME", help="answer under this name too, as a container's"
    )
    add("--db", default=":memory:", metavar="FILE", help="keep the state in this SQLite file")
    add("--token", type=_token, default=DEFAULT_TOKEN, help="the token to accept (default: %(default)s)")
    add("--document", type=Path, metavar="FILE", help="bundled description to be driven by")
    add("--seed", type=int, default=0, help="where the sequence of ids starts")
    add("--speed", type=_number(float, *_SPEEDS), default=1.0, help="how many times faster than natural (default: 1)")
    add(
        "--event-seconds",
        type=_number(float, 0, _LONGEST_EVENT),
        metavar="SECONDS",
        help=f"pause before each event of a stream, divided by --speed (default: {_EVENT_SECONDS})",
    )
    add("--strict", action="store_true", help="take nothing that is not described")
    add("--examples", action="store_true", help="answer every operation with its described example")
    add("--errors-as-200", action="store_true", help="answer failures with HTTP 200")
    add("--no-check", action="store_true", help="do not check answers against the description")
    add("--auto-consent", action="store_true", help="people allow OAuth apps at once, without a page")
    add("--any-oauth-app", action="store_true", help="take unknown client ids of OAuth apps")
    interval = _number(int, 1, _LONGEST_INTERVAL)
    add(
        "--device-interval", type=interval, default=5, metavar="SECONDS", help="how often a device may ask (default: 5)"
    )
    add("--write-jwt-config", type=Path, metavar="FILE", help="write id and key of an app that signs JWTs")
    add("--callback-host", action="append", default=[], metavar="HOST", help="send callbacks there too (*: to all)")
    add("--tls", action="store_true", help="listen with TLS; the certificate is made for this run")
    add("--tls-cert-file", type=Path, metavar="FILE", help="with TLS, write the certificate to trust to this file")
    add("--quiet", action="store_true", help="do not print a line for every request")
    add("--print-json", action="store_true", help="print address, token and process id as JSON, and nothing else")
    add("--ready-file", type=Path, metavar="FILE", help="write the same JSON to this file")
    add(
        "--exit-with-parent",
        action="store_true",
        help="stop when standard input ends or the parent process is gone",
    )
    return parser


def _number(read: Callable[[str], _Number], least: _Number, most: _Number) -> Callable[[str], _Number]:
    """Return what reads a number of an option and refuses those out of range."""

    def parse(text: str) -> _Number:
        with contextlib.suppress(ValueError):
            value = read(text)
            if least <= value <= most:
                return value
        raise argparse.ArgumentTypeError(f"must be a number from {least} to {most}")

    return parse


def _host(text: str) -> str:
    if not text.strip():  # which would be all addresses of the machine
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable() or len(text.split()) != 1:
        raise argparse.ArgumentTypeError("must be printable ASCII without spaces, as headers are")
    return text
