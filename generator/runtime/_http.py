"""The one place that knows httpx."""

from __future__ import annotations

import ssl
import sys
from functools import lru_cache
from types import TracebackType
from typing import Any, NamedTuple

import httpx

from ._base_errors import InvalidArgumentError
from ._secrets import hidden, mask

__all__ = [
    "BODY_LIMIT",
    "CONNECTED",
    "KEEPALIVE_SECONDS",
    "LONGEST_TIMEOUT",
    "URL",
    "AsyncByteStream",
    "AsyncHTTPClient",
    "AsyncHTTPConnection",
    "AsyncHTTPTransport",
    "Auth",
    "BodyLimit",
    "ByteStream",
    "ConnectError",
    "ConnectTimeout",
    "HTTPClient",
    "HTTPConnection",
    "HTTPError",
    "HTTPHeaders",
    "HTTPLimits",
    "HTTPProxy",
    "HTTPRequest",
    "HTTPResponse",
    "HTTPTimeout",
    "HTTPTransport",
    "InvalidURL",
    "NetworkError",
    "PoolTimeout",
    "ReadTimeout",
    "StreamError",
    "TimeoutException",
    "UnsupportedProtocol",
    "asend",
    "checked_address",
    "default_certificates",
    "default_timeout",
    "excerpt_of",
    "make_timeout",
    "map_exceptions",
    "max_connections",
    "may_be_sent_again",
    "parse_url",
    "send",
    "without_body",
]

AsyncByteStream = httpx.AsyncByteStream
ByteStream = httpx.SyncByteStream
AsyncHTTPClient = httpx.AsyncClient
AsyncHTTPTransport = httpx.AsyncBaseTransport
Auth = httpx.Auth
ConnectError = httpx.ConnectError
ConnectTimeout = httpx.ConnectTimeout
AsyncHTTPConnection = httpx.AsyncHTTPTransport
HTTPClient = httpx.Client
HTTPConnection = httpx.HTTPTransport
HTTPHeaders = httpx.Headers
HTTPError = httpx.HTTPError
HTTPLimits = httpx.Limits
HTTPProxy = httpx.Proxy
HTTPRequest = httpx.Request
HTTPResponse = httpx.Response
HTTPTimeout = httpx.Timeout
HTTPTransport = httpx.BaseTransport
InvalidURL = httpx.InvalidURL
NetworkError = httpx.NetworkError
PoolTimeout = httpx.PoolTimeout
ReadTimeout = httpx.ReadTimeout
StreamError = httpx.StreamError
TimeoutException = httpx.TimeoutException
URL = httpx.URL
UnsupportedProtocol = httpx.UnsupportedProtocol

_MOST_CONNECTIONS = 1000
KEEPALIVE_SECONDS = 30.0


def default_timeout() -> httpx.Timeout:
    """5 s to connect, 60 s between bytes received or sent, no limit for a free connection.

    A request waits for a connection until others of the same process end, and streams may take minutes: only the
    caller knows how long that may be, and sets a deadline.
    """
    return httpx.Timeout(connect=5.0, read=60.0, write=60.0, pool=None)


def max_connections() -> int:
    """1,000 connections, or as many as seven eighths of the files that this process may open."""
    return min(_MOST_CONNECTIONS, _most_files() * 7 // 8)


def _most_files() -> int:
    """Return how many files and connections this process may have open."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, which has no such limit
        return sys.maxsize
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else max(soft, 8)


# What may be between here and the socket. Frames of anything else are of callers: hooks, strategies, files.
_LIBRARIES = frozenset(
    {
        "anyio", "brotli", "brotlicffi", "certifi", "h11", "h2", "hpack", "httpcore", "httpx", "hyperframe", "idna",
        "outcome", "sniffio", "socksio", "trio", "zstandard",
    }
)  # fmt: skip


class _MapExceptions:
    """Turns whatever else the HTTP library raises into one of its own exceptions, which callers expect.

    Servers that speak nonsense make it raise UnicodeError, KeyError and so on, from wherever it stumbles. Exceptions
    of the caller's own code, such as hooks and authorization strategies, stay what they are; so do those that are no
    `Exception`, such as cancellation.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, httpx.HTTPError | MemoryError) and _is_by(traceback):
            raise httpx.RemoteProtocolError(f"{type(error).__name__}: {error!s:.200}") from error


map_exceptions = _MapExceptions()


def _is_by(traceback: TracebackType | None) -> bool:
    """Return whether the HTTP library raised what has this traceback, itself or by a call of the standard library."""
    owner = ""
    while traceback is not None:
        package = str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in sys.stdlib_module_names:
            owner = package
        traceback = traceback.tb_next
    return owner in _LIBRARIES


def send(http: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
    """Send a request.

    Raises:
        HTTPError: There is no response.
    """
    with map_exceptions:
        return http.send(request, **options)


async def asend(http: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
    """Send a request.

    Raises:
        HTTPError: There is no response.
    """
    with map_exceptions:
        return await http.send(request, **options)


def excerpt_of(http: httpx.Response, length: int) -> str:
    """Return the beginning of a response's text, without tokens and keys, even if its charset is wrong."""
    start = http.content[: 8 * length]
    try:
        text = start.decode(http.charset_encoding or "utf-8", "replace")
    except Exception:  # the charset is not a text encoding, such as hex or rot13, or is unknown
        text = start.decode("utf-8", "replace")
    return mask(" ".join(text.split()))[:length]  # before it is cut: half a token is not known as one


def default_certificates() -> ssl.SSLContext:
    """Return a TLS context that trusts the certificates that come with httpx.

    Raises:
        OSError: They cannot be read.
    """
    return httpx.create_ssl_context(trust_env=False)


def make_timeout(value: Any) -> httpx.Timeout:
    """Make a timeout of seconds, of (connect, read, write, pool) seconds, or of an httpx one.

    Raises:
        InvalidArgumentError: It is none of these, or cannot be waited for.
    """
    timeout = value
    if value is None or isinstance(value, int | float) or (isinstance(value, tuple) and len(value) == 4):
        timeout = httpx.Timeout(value)
    if not isinstance(timeout, httpx.Timeout) or not all(map(_is_duration, timeout.as_dict().values())):
        raise InvalidArgumentError(
            f"timeout must be a number of seconds from 0 to {LONGEST_TIMEOUT:,}, or four of them to connect, read,"
            f" write and get a connection, not {value!r:.60}"
        )
    return timeout


LONGEST_TIMEOUT = 10**8
"""Seconds that every platform can wait for: three years."""


def _is_duration(seconds: object) -> bool:
    return seconds is None or (
        isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_TIMEOUT
    )


@lru_cache(maxsize=64)
def parse_url(address: str) -> httpx.URL:
    """Parse a URL and cache it: parsing takes a tenth of a small request, and polling repeats one URL."""
    return httpx.URL(address)


def checked_address(base_url: str, name: str) -> httpx.URL:
    """Parse the address of a service, whose host and port must be such that a connection can be tried.

    Args:
        base_url: The address.
        name: What to call it in messages.

    Raises:
        InvalidArgumentError: It is none.
    """
    if "@" in str(base_url).partition("://")[2].partition("/")[0]:
        base_url = hidden(base_url)
        raise InvalidArgumentError(f"{name} must not hold a user name or password")
    try:
        url = httpx.URL(base_url)
        host = url.raw_host.decode("ascii")
        _ = url.host  # reads international names, which not all are that look like it
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{name} {base_url!r:.80} is not an address: {error!s:.200}") from error
    labels = host.removesuffix(".").split(".")
    if host and ":" not in host and (len(host) > 253 or not all(0 < len(label) <= 63 for label in labels)):
        raise InvalidArgumentError(
            f"{name} {base_url!r:.80} is not an address: the parts of a host's name have 1 to 63 characters, and all"
            " together at most 253"
        )
    if url.port is not None and not 0 < url.port < 65536:
        raise InvalidArgumentError(f"{name} {base_url!r:.80} is not an address: its port must be from 1 to 65535")
    return url


CONNECTED = "coze_connected"
"""Extension of a request: a function that our pools call with the network stream of the connection they choose."""

BODY_LIMIT = "coze_body_limit"
"""Extension of a request: a `BodyLimit`."""


class BodyLimit(NamedTuple):
    """How large the body of a response may be.

    Attributes:
        max_bytes: Bytes, once they are decompressed.
        operation: Operation id, for the error.
    """

    max_bytes: int
    operation: str


def without_body(response: httpx.Response) -> httpx.Response:
    """Copy a response without its body, and without what the request was sent with: for errors to keep."""
    # As bytes, since the library takes texts for ASCII, and those of a server need not be.
    headers = httpx.Headers([(name.encode(), mask(value).encode()) for name, value in response.headers.items()])
    for name in ("content-encoding", "content-length", "location", "set-cookie", "transfer-encoding"):
        headers.pop(name, None)
    copied = httpx.Response(
        response.status_code,
        headers=headers,
        content=b"",
        extensions={key: value for key, value in response.extensions.items() if key != "network_stream"},
    )
    if getattr(response, "_request", None) is not None:
        copied.request = httpx.Request(response.request.method, response.request.url)
    return copied


def may_be_sent_again(request: httpx.Request) -> bool:
    """Return whether the body of a request can be sent again."""
    if isinstance(request.stream, httpx.ByteStream):
        return True
    fields = getattr(request.stream, "fields", None)  # of a form with files
    if fields is None:
        return False
    files = [field.file for field in fields if hasattr(field, "file")]
    return all(isinstance(file, str | bytes) or getattr(file, "seekable", lambda: False)() for file in files)
