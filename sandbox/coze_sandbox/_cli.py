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

# A natural pace for people; --speed divides it.
_ANSWER_SECONDS = 1.0
_EVENT_SECONDS = 0.03
_PARENT_SECONDS = 0.5
_STOP_SECONDS = 3  # for running streams
_LAST_PORT = 65_535
_SPEEDS = (0.001, 1_000_000_000)
_LONGEST_EVENT = 3600
_LONGEST_INTERVAL = 300  # the lifetime of a device code

_Number = TypeVar("_Number", int, float)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sandbox until SIGTERM or SIGINT.

    Args:
        arguments: The command-line arguments; those of the process by default.

    Returns:
        The exit status.
    """
    args = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for paths that the locale cannot encode
    options = {
        "db": args.db,
        "token": args.token,
        "lenient": not args.strict,
        "examples": args.examples,
        "errors_as_200": args.errors_as_200,
        "check_answers": not args.no_check,
        "seed": args.seed,
        "any_oauth_app": args.any_oauth_app,
        "auto_consent": True if args.auto_consent else None,
        "device_interval": args.device_interval,
        "allow_hosts": args.allow_host,
        "callback_hosts": args.callback_host,
        "answer_seconds": _ANSWER_SECONDS / args.speed,
        "event_seconds": (_EVENT_SECONDS if args.event_seconds is None else args.event_seconds) / args.speed,
    }
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(bind(args.host, args.port))
            certificates = Certificates(args.host) if args.tls or args.tls_cert_file else None
            base_url = url_of(listener, "http" if certificates is None else "https")
            sandbox = Sandbox(host=args.host, document=args.document, **options)
            stack.callback(sandbox.close)
            facts = {"base_url": base_url, "token": args.token, "pid": os.getpid()}
            if certificates is not None:
                stack.callback(certificates.remove)
                facts["ca_file"] = str(_keep(certificates, args.tls_cert_file))
            if args.write_jwt_config is not None:
                _write_jwt_config(args.write_jwt_config, sandbox.oauth.jwt_config(base_url=base_url))
            if args.ready_file is not None and not args.ready_file.parent.is_dir():
                raise FileNotFoundError(f"no folder {args.ready_file.parent}")
        except (OSError, ValueError) as error:
            sys.stderr.write(f"coze_sandbox: {_in_one_line(error, args)}\n")
            return 1
        # A program that reads the JSON line may never read more, and a full pipe would block.
        if not args.quiet and not args.print_json:
            sandbox.requests.watcher = AccessLog()
        server = uvicorn.Server(configure(sandbox.app, certificates, _STOP_SECONDS))
        threading.Thread(
            target=_announce, args=(server, facts, args, options["event_seconds"]), name="announce", daemon=True
        ).start()
        if args.exit_with_parent:
            _watch_parent(server)
        # uvicorn raises signals again after its shutdown; SIGTERM would skip the cleanup.
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    return 1 if "error" in facts else 0


def _announce(server: uvicorn.Server, facts: dict[str, Any], args: argparse.Namespace, event_seconds: float) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.001)
    text = json.dumps(facts)
    if args.ready_file is not None:
        # Replaced atomically: a waiting program reads the file at once.
        draft = args.ready_file.with_name(f"{args.ready_file.name}.{os.getpid()}")
        try:
            draft.write_text(f"{text}\n", encoding="utf-8")
            draft.replace(args.ready_file)
        except OSError as error:
            draft.unlink(missing_ok=True)
            facts["error"] = _in_one_line(error, args)
            sys.stderr.write(f"coze_sandbox: {facts['error']}\n")
            server.should_exit = True
            return
    pace = f"every {1000 * event_seconds:g} ms" if event_seconds else "without a pause"
    line = f"Coze sandbox on {facts['base_url']}, token {args.token}, events of streams {pace}"
    if "ca_file" in facts:
        line += f"\nTo trust it: export SSL_CERT_FILE={facts['ca_file']}"
    sys.stdout.write(f"{text if args.print_json else line}\n")
    sys.stdout.flush()


def _keep(certificates: Certificates, path: Path | None) -> Path:
    """Copy the CA certificate to *path*, if any, and return its path."""
    if path is None:
        return certificates.ca_file
    path.write_bytes(certificates.ca_file.read_bytes())
    return path


def _in_one_line(error: Exception, args: argparse.Namespace) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.filename is None and error.strerror:
        return f"cannot listen on {args.host}:{args.port}: {error.strerror}"
    return text


def _write_jwt_config(path: Path, config: dict[str, Any]) -> None:
    # The file contains a private key.
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")


def _watch_parent(server: uvicorn.Server) -> None:
    """Stop the server when standard input or the parent process ends."""
    parent = os.getppid()

    def stop() -> None:
        server.should_exit = True

    def until_input_ends() -> None:
        # Not sys.stdin: a thread that holds its lock would abort the shutdown of the interpreter.
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
    add("--host", type=_host, default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=_number(int, 0, _LAST_PORT), default=0, help="port to listen on (default: a free one)")
    add("--allow-host", action="append", default=[], metavar="NAME", help="another allowed host name")
    add("--db", default=":memory:", metavar="FILE", help="store the state in this SQLite file")
    add("--token", type=_token, default=DEFAULT_TOKEN, help="the token to accept (default: %(default)s)")
    add("--document", type=Path, metavar="FILE", help="path of a bundled description")
    add("--seed", type=int, default=0, help="seed of the ids")
    add("--speed", type=_number(float, *_SPEEDS), default=1.0, help="speed of events and responses (default: 1)")
    add(
        "--event-seconds",
        type=_number(float, 0, _LONGEST_EVENT),
        metavar="SECONDS",
        help=f"pause before each event of a stream, divided by --speed (default: {_EVENT_SECONDS})",
    )
    add("--strict", action="store_true", help="reject requests that are not as described")
    add("--examples", action="store_true", help="respond to every request with the example of its operation")
    add("--errors-as-200", action="store_true", help="return errors with HTTP 200")
    add("--no-check", action="store_true", help="do not check responses against the description")
    add("--auto-consent", action="store_true", help="allow OAuth apps without a consent page")
    add("--any-oauth-app", action="store_true", help="accept unknown client ids of OAuth apps")
    interval = _number(int, 1, _LONGEST_INTERVAL)
    add(
        "--device-interval",
        type=interval,
        default=5,
        metavar="SECONDS",
        help="polling interval of devices (default: 5)",
    )
    add("--write-jwt-config", type=Path, metavar="FILE", help="write the configuration of an app that signs JWTs")
    add("--callback-host", action="append", default=[], metavar="HOST", help="another host for callbacks (*: any)")
    add("--tls", action="store_true", help="use TLS with a certificate that is created for this run")
    add("--tls-cert-file", type=Path, metavar="FILE", help="use TLS and write the CA certificate to this file")
    add("--quiet", action="store_true", help="do not print a line per request")
    add("--print-json", action="store_true", help="print only address, token and process id, as JSON")
    add("--ready-file", type=Path, metavar="FILE", help="write the same JSON to this file")
    add("--exit-with-parent", action="store_true", help="stop when standard input or the parent process ends")
    return parser


def _number(read: Callable[[str], _Number], least: _Number, most: _Number) -> Callable[[str], _Number]:
    """Return a parser for numbers in a range."""

    def parse(text: str) -> _Number:
        with contextlib.suppress(ValueError):
            value = read(text)
            if least <= value <= most:
                return value
        raise argparse.ArgumentTypeError(f"must be a number from {least} to {most}")

    return parse


def _host(text: str) -> str:
    if not text.strip():  # would be all addresses
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable() or len(text.split()) != 1:
        raise argparse.ArgumentTypeError("must be printable ASCII without spaces, as in an HTTP header")
    return text
