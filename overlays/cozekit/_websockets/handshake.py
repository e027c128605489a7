# @generated from handshake_async.py by `python -m generator sync`; do not edit.
"""From a handshake to an open connection: authorized, and retried as the client's retry policy allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_api._core._body import exchange
from coze_api._core._handshake import Handshake
from coze_api._core._http import Auth

from .handshake_async import _HandshakeBuilder, _is_handshake, _load_library
from .options import SocketOptions

if TYPE_CHECKING:
    from coze_api._core._client import BaseClient

    from .connection import Connection

__all__ = ["open_connection"]


def open_connection(
    client: BaseClient, handshake: Handshake[Any, Any], options: SocketOptions
) -> tuple[Connection, str]:
    """Connect, and retry as the client's policy allows. No message was sent yet, so a retry is safe.

    Returns:
        The connection and its log id.

    Raises:
        APIError: Coze rejected the handshake.
        APIConnectionError: There was no response.
    """
    _load_library()
    from .connection import Connection

    builder = _HandshakeBuilder(handshake, options, client._max_event_bytes)

    def attempt() -> tuple[Connection, str]:
        flow = (handshake.auth or Auth()).sync_auth_flow(builder.copy_request())
        connection: Connection | None = None
        try:
            request = next(flow)
            while True:
                if _is_handshake(request):
                    connection, response = Connection.connect(builder.params(request))
                else:
                    connection, response = None, exchange(client._http, request, auth=None)
                try:
                    request = flow.send(response)
                except StopIteration:
                    return builder.result(connection, response)
                if connection is not None:
                    connection.abort()
        finally:
            flow.close()

    return client._exchange(handshake.request, attempt)
