"""TLS of sync WebSockets, where one thread reads while another writes."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from coze_sandbox import Sandbox
from cozekit import SocketOptions, audio
from cozekit._websockets.thread_safe_tls import ThreadSafeSSLContext, TLSSocket
from tests.overlay._clients import Connect

pytestmark = pytest.mark.needs_asyncio

NAME = "127.0.0.1"


def trusting(certificate: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


def serving(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Peer:
    """The server's side of a connection. It sends nothing until `drive`, and then everything at once."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.error: ssl.SSLError | None = None
        self.ready = threading.Event()

    def flush(self) -> None:
        if data := self.outgoing.read():
            self.sock.sendall(data)

    def feed(self) -> None:
        arrived = self.sock.recv(1 << 16)
        if arrived:
            self.incoming.write(arrived)
        else:
            self.incoming.write_eof()

    def drive(self, act: Callable[[], Any]) -> Any:
        """Run an operation that may have to wait for the other side."""
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                self.flush()
                self.feed()

    def accept(self) -> None:
        """Perform the handshake and record its error."""
        try:
            self.drive(self.tls.do_handshake)
            self.flush()
        except ssl.SSLError as error:
            self.error = error
        self.ready.set()

    def echo(self) -> None:
        """Send received data back in pieces until the other side closes."""
        while piece := self.drive(lambda: self.tls.read(5000)):
            self.tls.write(piece)
            self.flush()

    def read(self) -> bytes:
        received: bytes = self.drive(lambda: self.tls.read(1 << 16))
        return received


@contextmanager
def accepted(server: ssl.SSLContext) -> Iterator[tuple[socket.socket, Peer]]:
    """Connect two sockets within this process and let the server's handshake run in a thread."""
    here, there = socket.socketpair()
    with here, there:
        for sock in (here, there):
            sock.settimeout(20)
        peer = Peer(there, server)
        accepting = threading.Thread(target=peer.accept)
        accepting.start()
        try:
            yield here, peer
        finally:
            accepting.join()


@contextmanager
def joined(client: ssl.SSLContext, server: ssl.SSLContext) -> Iterator[tuple[TLSSocket, Peer]]:
    """Connect both sides."""
    with accepted(server) as (here, peer):
        client_side = ThreadSafeSSLContext(client).wrap_socket(here, server_hostname=NAME)
        peer.ready.wait()
        yield client_side, peer


def read_all(client_side: TLSSocket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        piece = client_side.recv(65536)
        assert piece, "the other side ended"
        received += piece
    return bytes(received)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda value: value.name)
def test_tls_object_is_used_by_one_thread_at_a_time(certificate: str, version: ssl.TLSVersion) -> None:
    """A sending and a receiving thread never use the TLS object simultaneously, and no data is lost."""
    inside = threading.Lock()
    met: list[str] = []

    class Watched(ssl.SSLObject):
        def watch(self, act: Callable[..., Any], *arguments: Any) -> Any:
            if not inside.acquire(blocking=False):
                met.append(act.__name__)
                return act(*arguments)
            try:
                time.sleep(0)  # lets the other thread run
                return act(*arguments)
            finally:
                inside.release()

        def read(self, *arguments: Any) -> Any:
            return self.watch(super().read, *arguments)

        def write(self, *arguments: Any) -> Any:
            return self.watch(super().write, *arguments)

        def unwrap(self) -> Any:
            return self.watch(super().unwrap)

    client = trusting(certificate)
    client.maximum_version = version
    client.sslobject_class = Watched
    sent = bytes(range(256)) * 8192
    with joined(client, serving(certificate)) as (client_side, peer):
        echoing = threading.Thread(target=peer.echo)
        echoing.start()
        sending = threading.Thread(target=client_side.sendall, args=(sent,))
        sending.start()
        assert read_all(client_side, len(sent)) == sent
        sending.join()
        client_side.shutdown(socket.SHUT_WR)
        echoing.join()
    assert not met


def test_session_over_tls_sends_receives_and_pings(connect: Connect) -> None:
    """A session over TLS sends, receives and keeps pinging at the same time."""
    with Sandbox(tls=True) as sandbox:
        verify = trusting(sandbox.ca_file)
        coze = connect(
            sandbox.token,
            base_url=sandbox.base_url,
            http_client=connect.http(verify=verify),
            sockets=SocketOptions(ssl=verify, ping_interval=0.001),
        )
        lengths = []
        for _ in range(10):
            with coze.websockets.audio.speech.connect(output_audio=audio.PCM(24000)) as session:
                lengths.append(sum(len(piece) for piece in session.say(iter(["Nice ", "weather ", "today."]))))
    assert len(set(lengths)) == 1
    assert lengths[0] > 0


def test_sending_to_a_server_that_does_not_read_times_out(certificate: str) -> None:
    """If the other side does not read, sending blocks once its buffers are full, and ends with the timeout."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, _):
        client_side.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client_side.sendall(bytes(32 << 20))


def test_receive_timeout_loses_no_data(certificate: str) -> None:
    """A receive timeout loses no data that arrives later, even in the middle of a record."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, peer):
        peer.tls.write(b"late")
        record = peer.outgoing.read()
        peer.sock.sendall(record[:-3])
        client_side.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client_side.recv(65536)
        peer.sock.sendall(record[-3:])
        client_side.settimeout(20)
        assert client_side.recv(65536) == b"late"


def test_timeout_limits_the_whole_handshake(certificate: str) -> None:
    """The timeout limits the handshake as a whole: a server cannot extend it byte by byte."""
    here, there = socket.socketpair()
    patient: list[bool] = []

    def drip() -> None:
        there.recv(65536)
        with suppress(OSError):
            there.sendall(b"\x16\x03\x03\x40\x00")  # the header of a record of 16 KiB
            for _ in range(1000):
                there.sendall(b"\x02")
                time.sleep(0.01)
            patient.append(True)

    dripping = threading.Thread(target=drip)
    with there:
        dripping.start()
        with here:
            here.settimeout(0.2)
            with pytest.raises(TimeoutError):
                TLSSocket(here, trusting(certificate), NAME)
        dripping.join()
    assert not patient


@pytest.mark.parametrize(
    ("name", "trusts", "alert"),
    [(NAME, False, "UNKNOWN_CA"), ("coze.example", True, "BAD_CERTIFICATE")],
    ids=["issuer", "name"],
)
def test_untrusted_certificate_is_rejected_with_the_reason(
    certificate: str, name: str, trusts: bool, alert: str
) -> None:
    """A server with another name or an untrusted certificate is rejected, and the server receives the reason."""
    client = trusting(certificate) if trusts else ssl.create_default_context()
    with accepted(serving(certificate)) as (here, peer), pytest.raises(ssl.SSLCertVerificationError):
        TLSSocket(here, client, name)
    assert alert in str(peer.error)


def test_client_certificate_is_sent_on_request(certificate: str) -> None:
    """A server that requests a client certificate receives it."""
    client, server = trusting(certificate), serving(certificate)
    client.load_cert_chain(certificate)
    server.load_verify_locations(certificate)
    server.verify_mode = ssl.CERT_REQUIRED
    with joined(client, server) as (_, peer):
        assert peer.error is None
        assert (peer.tls.getpeercert() or {})["subject"]


def test_close_ends_a_receive_in_another_thread(certificate: str) -> None:
    """Closing from another thread ends a receive call that waits for data."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, _):
        begun = threading.Event()
        ended: list[bytes] = []

        def wait() -> None:
            begun.set()
            try:
                ended.append(client_side.recv(65536))
            except OSError:  # the thread started late, after the socket was closed
                ended.append(b"")

        waiting = threading.Thread(target=wait)
        waiting.start()
        begun.wait()
        time.sleep(0.05)  # lets the thread reach its wait
        client_side.close()
        waiting.join(10)  # half of the socket's own timeout
        assert ended == [b""]


def test_close_sends_the_tls_close_notify(certificate: str) -> None:
    """Closing sends the TLS close_notify, so that the server can distinguish it from a broken connection."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, peer):
        client_side.sendall(b"last")
        client_side.shutdown(socket.SHUT_WR)
        assert peer.read() == b"last"
        assert peer.read() == b""  # without close_notify this raises SSLEOFError


def test_close_notify_with_the_last_data_is_not_missed(certificate: str) -> None:
    """A close_notify that arrived with the last data is reported, although the socket becomes readable no more."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, peer):
        peer.tls.write(b"last")
        with suppress(ssl.SSLWantReadError):
            peer.tls.unwrap()
        peer.flush()
        assert client_side.recv(65536) == b"last"
        assert select.select([client_side], [], [], 20)[0]
        assert client_side.recv(65536) == client_side.recv(65536) == b""
        client_side.sendall(b"last data")
        assert peer.read() == b"last data"


def test_end_without_close_notify_is_an_end(certificate: str) -> None:
    """A server that closes the connection without close_notify has ended the stream."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, peer):
        peer.tls.write(b"last")
        peer.flush()
        peer.sock.shutdown(socket.SHUT_WR)
        assert [client_side.recv(65536), client_side.recv(65536)] == [b"last", b""]


def test_received_data_is_readable_after_the_peer_has_closed(certificate: str) -> None:
    """Received data can be read even if TLS has to send something to a server that has closed."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, peer):
        peer.tls.write(b"last")
        peer.flush()
        peer.sock.close()
        client_side._outgoing.write(b"of TLS itself")
        assert [client_side.recv(65536), client_side.recv(65536)] == [b"last", b""]


def test_damaged_record_is_an_error_after_the_data_before_it(certificate: str) -> None:
    """Data before a damaged record is returned; then receiving fails, and the server receives an alert."""
    with joined(trusting(certificate), serving(certificate)) as (client_side, peer):
        peer.tls.write(b"whole")
        whole = peer.outgoing.read()
        peer.tls.write(b"damaged")
        peer.sock.sendall(whole + peer.outgoing.read()[:-1] + b"?")
        assert client_side.recv(65536) == b"whole"
        with pytest.raises(ssl.SSLError):
            client_side.recv(65536)
        with pytest.raises(ssl.SSLError, match="ALERT"):
            peer.read()


def test_tls_within_tls_is_rejected(certificate: str) -> None:
    """An https proxy would need TLS within TLS, which is rejected with an error that names the proxy."""
    with socket.socket() as plain:
        outer = trusting(certificate).wrap_socket(plain, server_hostname=NAME, do_handshake_on_connect=False)
        with outer, pytest.raises(OSError, match="proxy"):
            TLSSocket(outer, trusting(certificate), NAME)
