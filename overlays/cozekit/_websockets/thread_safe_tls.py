"""TLS for connections that one thread reads while another writes.

OpenSSL allows one thread at a time in a TLS connection, and `ssl.SSLSocket` of most versions of CPython does not see to
it: where a ticket of TLS 1.3 is read while a request is written, the request is lost without an error, or the process
crashes. Here the TLS object never touches the network. One lock guards it, and waiting happens outside of that lock.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any

__all__ = ["ThreadSafeSSLContext", "TLSSocket"]

_RECORD_SIZE = 1 << 16  # at most this much is encrypted in one go, so that a large message delays no reading


class ThreadSafeSSLContext:
    """Stands in for an `ssl.SSLContext` where a library wants one to call `wrap_socket`.

    Args:
        context: TLS settings.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def wrap_socket(self, sock: socket.socket, *, server_hostname: str | None) -> TLSSocket:
        """Make a TLS connection of one without. See `TLSSocket`."""
        return TLSSocket(sock, self._context, server_hostname)


class TLSSocket:
    """A TLS connection of a client, as much of a socket as websockets needs.

    One thread may receive while others send, set timeouts and close.

    Args:
        sock: The connection. Its timeout is that of the handshake.
        context: TLS settings.
        server_hostname: Name that the server's certificate is to have.

    Raises:
        OSError: The handshake failed (`ssl.SSLError`) or took too long (`TimeoutError`).
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_hostname: str | None) -> None:
        if isinstance(sock, ssl.SSLSocket):
            raise OSError("sync WebSockets over TLS cannot use a proxy that itself speaks TLS; AsyncCoze can")
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._tls_lock = threading.Lock()  # guards the TLS object and what comes in and goes out; nobody waits in it
        self._failure: ssl.SSLError | None = None  # OpenSSL reports it once; data that came before it is returned first
        self._send_lock = threading.Lock()  # keeps what goes out in order; taken before the other, never after
        self._shake_hands()

    def _shake_hands(self) -> None:
        limit = self._sock.gettimeout()
        deadline = None if limit is None else time.monotonic() + limit
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                if deadline is not None:  # a socket's timeout begins anew with every byte
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise TimeoutError("the TLS handshake took too long") from None
                    self._sock.settimeout(left)
                self._read_ciphertext(_RECORD_SIZE)
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # sends the alert with the reason
                raise
            else:
                self._flush()
                return

    def recv(self, size: int) -> bytes:
        """Wait for something to arrive and return all of it, since who waits by `select` does not see what is kept.

        Args:
            size: How much to take from the network at once. TLS may add the rest of a record that had begun before.

        Returns:
            What arrived; nothing where the other side ended. An end without a TLS close alert counts as one, as it
            does for `ssl.SSLSocket`: WebSockets have a close frame of their own.
        """
        while True:
            try:
                with self._tls_lock:
                    received = self._decrypt()
            finally:
                with suppress(OSError):  # the next call to send raises it; received data can still be read
                    self._flush()
            if received is not None:
                return received
            self._read_ciphertext(size)

    def _decrypt(self) -> bytes | None:
        """Decrypt what there is: None where that is nothing yet."""
        if self._failure is not None:
            raise self._failure
        pieces: list[bytes] = []
        try:
            while piece := self._tls.read(_RECORD_SIZE):
                pieces.append(piece)
            with suppress(
                OSError
            ):  # nothing arrives after a close alert, so this wakes a thread that waits by `select`
                self._sock.shutdown(socket.SHUT_RD)
        except ssl.SSLWantReadError:
            if not pieces:
                return None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError as error:
            if not pieces:
                raise
            self._failure = error
        return b"".join(pieces)

    def _read_ciphertext(self, size: int) -> None:
        """Wait for something to decrypt."""
        arrived = self._sock.recv(size)
        with self._tls_lock:
            if arrived:
                self._incoming.write(arrived)
            else:
                self._incoming.write_eof()

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, waiting as long as the other side takes to receive it.

        Raises:
            OSError: The connection broke or the timeout passed. `ssl.SSLWantReadError`: the server is amid another
                handshake, which TLS 1.2 knows and TLS 1.3 does not.
        """
        left = memoryview(data).cast("B")
        with self._send_lock:
            while left:
                with self._tls_lock:
                    written = self._tls.write(left[:_RECORD_SIZE])
                    encrypted = self._outgoing.read()
                self._sock.sendall(encrypted)
                left = left[written:]
        self._flush()

    def _flush(self) -> None:
        """Send the pending data of TLS itself. If another thread is sending, that thread sends it afterwards."""
        while self._outgoing.pending and self._send_lock.acquire(blocking=False):
            try:
                with self._tls_lock:
                    encrypted = self._outgoing.read()
                self._sock.sendall(encrypted)
            finally:
                self._send_lock.release()

    def shutdown(self, how: int) -> None:
        """End one direction, or both at once. Ending the sending direction sends a close alert if possible."""
        if how == socket.SHUT_WR and self._send_lock.acquire(blocking=False):
            try:
                with self._tls_lock:
                    with suppress(ssl.SSLError):  # do not wait for the close alert of the other side
                        self._tls.unwrap()
                    alert = self._outgoing.read()
                with suppress(OSError):
                    self._sock.send(alert, getattr(socket, "MSG_DONTWAIT", 0))
            finally:
                self._send_lock.release()
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close the connection, and wake a thread that waits for it."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def settimeout(self, seconds: float | None) -> None:
        """Limit how long receiving and sending may wait."""
        self._sock.settimeout(seconds)

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        return self._sock.fileno()

    def getsockname(self) -> Any:
        """Return the address at this end."""
        return self._sock.getsockname()

    def getpeername(self) -> Any:
        """Return the address at the other end."""
        return self._sock.getpeername()
