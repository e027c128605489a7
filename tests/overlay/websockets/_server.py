"""A WebSocket server that follows a script: the messages that it receives decide what it sends."""

from __future__ import annotations

import http
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Request, Response, ServerConnection, serve

__all__ = ["LOGID", "Part", "frame", "hang_up", "refusing", "socket_server"]

LOGID = "021752378236593fdbddc02002408160000"


def frame(kind: str, data: Any = None, **more: Any) -> str:
    """Encode a message of the server."""
    content = {"event_type": kind, "id": "s", **({} if data is None else {"data": data})}
    return json.dumps({**content, "detail": {"logid": LOGID}, **more})


class Part:
    """The server's side of one connection.

    Attributes:
        connection: The connection.
        received: The messages that arrived.
    """

    def __init__(self, connection: ServerConnection, received: list[dict[str, Any]]) -> None:
        self.connection = connection
        self.received = received

    def send(self, kind: str, data: Any = None, **more: Any) -> None:
        """Send a message."""
        self.connection.send(frame(kind, data, **more))

    def await_kind(self, *kinds: str) -> dict[str, Any]:
        """Receive until a message of one of these kinds arrives."""
        while True:
            message: dict[str, Any] = json.loads(self.connection.recv())
            self.received.append(message)
            if message["event_type"] in kinds:
                return message

    def wait_closed(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(ConnectionClosed):
            while True:
                self.received.append(json.loads(self.connection.recv()))


def hang_up(connection: ServerConnection, last: bytes = b"") -> None:
    """Break the connection without a close frame, optionally in the middle of a frame."""
    if last:
        connection.socket.sendall(last)
    connection.close_socket()


def refusing(*answers: Any) -> Callable[[ServerConnection, Request], Response | None]:
    """Respond to handshakes in order: with a status, with status and body, or None to accept."""
    left = list(answers)

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        rejection = left.pop(0) if left else None
        if rejection is None:
            return None
        status, body = rejection if isinstance(rejection, tuple) else (rejection, {"code": 0})
        text = body if isinstance(body, str) else json.dumps(body)
        response = connection.respond(http.HTTPStatus(status), text)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html" if isinstance(body, str) else "application/json"
        response.headers["X-Tt-Logid"] = LOGID
        return response

    return answer


class SocketServer:
    """A running server.

    Attributes:
        url: Its URL.
        received: All messages that arrived.
        requests: The handshakes.
        errors: Exceptions of the scripts.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self.errors: list[BaseException] = []
        self.gone = threading.Semaphore(0)


@contextmanager
def socket_server(
    play: Callable[[Part], None],
    *,
    process_request: Callable[[ServerConnection, Request], Response | None] | None = None,
    tls: ssl.SSLContext | None = None,
    **options: Any,
) -> Iterator[SocketServer]:
    """Listen on a free port of this machine.

    Args:
        play: The script of each connection, which is closed normally afterwards.
        process_request: Responds to handshakes; see `refusing`.
        tls: TLS settings.
    """
    state = SocketServer("")

    def handle(connection: ServerConnection) -> None:
        try:
            play(Part(connection, state.received))
        except ConnectionClosed:
            pass
        except BaseException as error:  # for the test to read
            state.errors.append(error)
        finally:
            state.gone.release()

    def note(connection: ServerConnection, request: Request) -> Response | None:
        state.requests.append(request)
        return process_request(connection, request) if process_request else None

    def logid(_: ServerConnection, __: Request, response: Response) -> None:
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            response.headers["X-Tt-Logid"] = f"{LOGID}-handshake"

    server = serve(
        handle, "127.0.0.1", 0, process_request=note, process_response=logid, ssl=tls, close_timeout=2, **options
    )
    thread = threading.Thread(target=server.serve_forever, name="socket-server")
    thread.start()
    port = server.socket.getsockname()[1]
    state.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
    assert not state.errors, state.errors
