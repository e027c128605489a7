"""Configuration of a client: its base URL, and what it sends with every request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ._body import MAX_RESPONSE_BYTES
from ._errors import InvalidArgumentError
from ._http import (
    BODY_LIMIT,
    URL,
    AsyncHTTPClient,
    Auth,
    BodyLimit,
    HTTPClient,
    HTTPRequest,
    InvalidURL,
    checked_address,
    make_timeout,
    map_exceptions,
    parse_url,
)
from ._operation import Operation, Options, Timeout
from ._request import Request, add_headers, prepare
from ._secrets import hidden
from ._sequence import OnGap, checked_on_gap

if TYPE_CHECKING:
    from ._handshake import Handshake
    from ._messages import SocketProtocol

__all__ = ["MAX_EVENT_BYTES", "USER_AGENT", "ClientConfig", "checked_headers", "checked_size", "checked_timeout"]

U = TypeVar("U")
D = TypeVar("D")
MAX_EVENT_BYTES = 16 * 1024 * 1024
USER_AGENT = "coze-api-python"


class ClientConfig:
    """Configuration of a client: its base URL, and what it sends with every request."""

    _http: HTTPClient | AsyncHTTPClient

    def __init__(
        self,
        base_url: str,
        token: str | None,
        *,
        auth: Auth | None,
        timeout: Timeout,
        headers: Mapping[str, str] | None,
        max_event_bytes: int = MAX_EVENT_BYTES,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        on_gap: OnGap = "warn",
    ) -> None:
        token, headers = hidden(token), hidden(headers)
        self._base_url = _checked_base(base_url)
        self._token = _checked_token(token)
        self._auth = auth
        self._timeout = checked_timeout(timeout)
        self._headers = checked_headers(headers)
        self._max_event_bytes = checked_size(max_event_bytes, "max_event_bytes")
        self._max_response_bytes = checked_size(max_response_bytes, "max_response_bytes")
        self._on_gap = checked_on_gap(on_gap)

    @property
    def base_url(self) -> str:
        """Address of the service, without a slash at the end."""
        return self._base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={getattr(self, '_base_url', None)!r})"  # none where it was refused

    def _arguments(self, request: Request) -> dict[str, Any]:
        """Arguments for the HTTP client's `build_request`."""
        headers: dict[str, str] = {}
        add_headers(headers, self._headers, "headers")
        headers.update(request.headers)
        if self._token is not None and self._auth is None and request.operation.authorized:
            headers.setdefault("authorization", hidden(f"Bearer {self._token}"))
        timeout = self._timeout if request.timeout is None else request.timeout
        arguments: dict[str, Any] = {
            "method": request.method,
            "url": self._address(request),
            "headers": headers,
            "extensions": {
                BODY_LIMIT: BodyLimit(self._max_response_bytes, request.operation.id),
                **request.extensions,
            },
        }
        if self._http.params:
            # httpx would put them in place of our query, not beside it.
            arguments["params"] = arguments["url"].params
        if timeout is not None:
            arguments["timeout"] = make_timeout(timeout)
        if request.files is not None:
            arguments["files"] = request.files
        elif request.content is not None:
            arguments["content"] = request.content
        return arguments

    def _address(self, request: Request) -> URL:
        try:
            return parse_url(self._base_of(request.operation) + request.target)
        except (InvalidURL, ValueError) as error:
            message = f"{request.operation.id}: the arguments do not form a valid URL: {error}"
            raise InvalidArgumentError(message) from None

    def _base_of(self, operation: Operation[Any]) -> str:
        return _beside(self._base_url, operation.servers) if operation.servers else self._base_url

    def _handshake(
        self, operation: Operation[Any], protocol: SocketProtocol[U, D], arguments: Mapping[str, Any], options: Options
    ) -> Handshake[U, D]:
        from ._handshake import Handshake

        request = prepare(operation, arguments, options)
        built = self._built(request)
        auth = self._send_options(request).get("auth", self._http.auth)
        return Handshake(operation, protocol, request, built, auth)

    def _built(self, request: Request) -> HTTPRequest:
        """Return a request as the HTTP client sends it."""
        arguments = self._arguments(request)
        with map_exceptions:  # cookies that a server set may be none that can be sent
            built = self._http.build_request(**arguments)
        return self._without_token(built, request)

    def _without_token(self, built: HTTPRequest, request: Request) -> HTTPRequest:
        """Remove the client's token from a request whose operation needs none. A token of the request itself stays."""
        if not request.operation.authorized and "authorization" not in request.headers:
            built.headers.pop("authorization", None)
        return built

    def _send_options(self, request: Request) -> dict[str, Any]:
        if not request.operation.authorized or "authorization" in request.headers:
            return {"auth": None}  # headers of the request take precedence over the client's
        return {} if self._auth is None else {"auth": self._auth}


def _beside(base_url: str, servers: tuple[str, ...]) -> str:
    """Choose the one of *servers* that belongs to the official service at *base_url*.

    Any other service, such as a local one or a gateway, serves pages and WebSockets at *base_url*.
    """
    scheme, _, rest = base_url.partition("://")
    label, _, domain = rest.partition("/")[0].partition(".")
    for server in servers:
        if label == "api" and server.partition("://")[2].partition(".")[2] == domain:
            return server
    is_websocket = servers[0].startswith("ws")
    return f"{scheme.replace('http', 'ws', 1)}://{rest}" if is_websocket else base_url


def checked_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return a copy of the headers as a dict.

    Raises:
        InvalidArgumentError: They are not a mapping. Names and values are checked with each request.
    """
    argument: object = headers
    if not isinstance(argument, Mapping | None):
        raise InvalidArgumentError(f"headers must be a dict, not {type(argument).__name__}")
    return dict(headers or {})


def checked_size(size: int, name: str) -> int:
    """Return a number of bytes.

    Raises:
        InvalidArgumentError: It is not a whole number from 1.
    """
    argument: object = size
    if not isinstance(argument, int) or isinstance(argument, bool) or argument < 1:
        raise InvalidArgumentError(f"{name} must be a whole number of bytes from 1, not {size!r:.60}")
    return size


def checked_timeout(timeout: Timeout) -> Timeout:
    """Return a timeout.

    Raises:
        InvalidArgumentError: It is none.
    """
    if timeout is not None:
        make_timeout(timeout)
    return timeout


def _checked_token(token: str | None) -> str | None:
    # The HTTP library would raise an error that shows the token.
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise InvalidArgumentError("the token is empty or contains a space, a line break or another invalid character")
    return token


def _checked_base(base_url: str) -> str:
    url = checked_address(base_url, "base_url")
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidArgumentError(f"base_url {base_url!r:.80} must start with https:// and name a host")
    if url.query or url.fragment:
        raise InvalidArgumentError("base_url must not hold a query or a fragment")
    return base_url.rstrip("/")
