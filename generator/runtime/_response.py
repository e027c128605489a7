"""What a call returns of its HTTP response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:  # models need no HTTP library
    from ._http import HTTPResponse

__all__ = ["ItemList", "Redirect", "Response", "header_logid"]

T = TypeVar("T")


class Response:
    """The HTTP side of a response.

    Attributes:
        status: HTTP status.
        headers: Headers, found in any spelling of upper and lower case.
        logid: Log id of the call, or "".
        http: The response as httpx has it.
    """

    __slots__ = ("http", "logid")

    def __init__(self, http: HTTPResponse, logid: str) -> None:
        self.http = http
        self.logid = logid

    @property
    def status(self) -> int:
        return self.http.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self.http.headers

    def __repr__(self) -> str:
        return f"Response(status={self.status}, logid={self.logid!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # What is pickled goes to queues and caches: the request stays here, since the token is in its headers.
        copied = copy(self.http)
        copied.request = type(copied.request)(copied.request.method, copied.request.url)
        copied.history, copied.next_request = [], None  # hold requests, too
        return (Response, (copied, self.logid))


class ItemList(list[T], Generic[T]):
    """A list that is a response.

    Attributes:
        response: The HTTP response that it came in.
    """

    response: Response

    def __init__(self, items: Iterable[T] = ()) -> None:
        super().__init__(items)

    @property
    def logid(self) -> str:
        """Log id of the call."""
        return self.response.logid


class Redirect:
    """A response that sends a browser elsewhere.

    Attributes:
        location: Address to open.
        response: The HTTP response.
    """

    def __init__(self, location: str, response: Response) -> None:
        self.location = location
        self.response = response

    @property
    def logid(self) -> str:
        """Log id of the call."""
        return self.response.logid

    def __repr__(self) -> str:
        return f"Redirect({self.location!r})"


def header_logid(http: HTTPResponse) -> str:
    """Return the log id in the headers of a response, or ""."""
    return str(http.headers.get("x-tt-logid") or "")
