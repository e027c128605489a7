"""From an HTTP answer to a result, or to the error that it tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from reprlib import Repr
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _json
from ._errors import APIError, DecodeError, GatewayError
from ._http import excerpt_of
from ._model import Model, new

if TYPE_CHECKING:
    from ._http import HTTPResponse
    from ._operation import Operation

__all__ = ["Empty", "ItemList", "Redirect", "Response", "read", "read_redirect"]

T = TypeVar("T")
_MOST_DIGITS = 18
_repr = Repr()  # looks at the beginning alone
_repr.maxstring = _repr.maxother = 60
_TEXTS = ("msg", "message", "error_message", "error_description")  # the last two in OAuth answers


class Response:
    """The HTTP side of an answer.

    Attributes:
        status: HTTP status.
        headers: Headers, found in any spelling of upper and lower case.
        logid: Log id of the call, or "".
        http: The answer as httpx has it.
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
        kept = copy(self.http)
        kept.request = type(kept.request)(kept.request.method, kept.request.url)
        kept.history, kept.next_request = [], None  # hold requests, too
        return (Response, (kept, self.logid))


class Empty(Model):
    """The answer of an operation that returns nothing. Members that came all the same are in `extra_fields`."""

    __slots__ = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Empty:
        self: Empty = new(cls)
        self._extra = dict(data) if data.__class__ is dict and data else None
        self._response = None
        return self


class ItemList(list[T], Generic[T]):
    """A list that is an answer.

    Attributes:
        response: The HTTP answer that it came in.
    """

    response: Response

    def __init__(self, items: Iterable[T] = ()) -> None:
        super().__init__(items)

    @property
    def logid(self) -> str:
        """Log id of the call."""
        return self.response.logid


class Redirect:
    """An answer that sends a browser elsewhere.

    Attributes:
        location: Address to open.
        response: The HTTP answer.
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


def read_redirect(operation: str, http: HTTPResponse) -> Redirect:
    """Make the result of an operation that answers with a redirect.

    Raises:
        APIError: The answer tells an error.
        GatewayError: The answer is no JSON, and no redirect either.
        DecodeError: The answer is JSON that tells no error.
    """
    if http.has_redirect_location:
        return Redirect(http.headers["location"], Response(http, _header_logid(http)))
    answer = parse(operation, None, http)
    raise undecodable(operation, http, logid_of(answer, http), f"it is no redirect: {_shown(answer)}")


def read(operation: Operation[T], http: HTTPResponse) -> T:
    """Make the result of *operation* from its answer.

    Raises:
        APIError: The answer tells an error, by its code or its HTTP status.
        GatewayError: The answer is no JSON.
        DecodeError: The answer is no JSON object, or its result is no object or list where that is described.
    """
    answer = parse(operation.id, operation.permission, http)
    response = Response(http, logid_of(answer, http))
    payload = answer if operation.result == "." else answer.get(operation.result)
    decoded: Any = None
    try:
        # Null stands for an empty list, and for "nothing to tell" after a success.
        decoded = operation.decode({} if payload is None else payload)
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        # Whatever decoders stumble over is the answer's fault. Refused below, where no exception holds the answer.
    result: object = decoded
    if not (isinstance(result, Model) or (isinstance(result, ItemList) and isinstance(payload, list | None))):
        raise undecodable(operation.id, http, response.logid, f"member {operation.result!r} is {_shown(payload)}")
    if payload is None and not isinstance(result, Empty) and operation.result not in answer and "code" not in answer:
        raise undecodable(
            operation.id, http, response.logid, f"it has no member {operation.result!r}: {_shown(answer)}"
        )
    if isinstance(result, Model):
        result._response = response
    else:
        result.response = response
    return decoded  # type: ignore[no-any-return]  # what `decode` returned


def parse(operation: str, permission: str | None, http: HTTPResponse) -> dict[str, Any]:
    """Parse an answer and raise what it tells.

    Returns:
        The answer as a dict, when it tells success.

    Raises:
        APIError: See `read`.
    """
    try:
        answer = _json.loads(http.content)
    except _json.NestedTooDeeply as error:
        raise undecodable(operation, http, _header_logid(http), f"it has {error}") from None
    except ValueError:
        raise gateway_error(operation, http) from None
    if not isinstance(answer, dict):
        raise undecodable(operation, http, _header_logid(http), f"it is {_shown(answer)}")
    code = answer.get("code")
    if (code and code != "0") or answer.get("error_code") or not http.is_success:
        raise answered_error(operation, permission, answer, http)
    return answer


def answered_error(operation: str, permission: str | None, answer: Mapping[str, Any], http: HTTPResponse) -> APIError:
    """Make the error that an answer tells. The code decides first, the HTTP status second."""
    from ..errors import error_class, hint  # the table of codes is needed by failing calls only

    code = code_of(answer)
    reason = answer.get("error_code") or answer.get("error")  # OAuth answers: text, or an object in older ones
    error = error_class(code, http.status_code)(
        next((_text(answer[key]) for key in _TEXTS if answer.get(key)), http.reason_phrase or ""),
        code=code or http.status_code,
        status=http.status_code,
        logid=logid_of(answer, http),
        operation=operation,
        hint=hint(code, http.status_code, permission),
        debug_url=_text(answer.get("debug_url") or ""),
        reason=reason if isinstance(reason, str) else "",
        retryable=retryable(code, http.status_code),
    )
    error.response = Response(http, error.logid)
    return error


def retryable(code: int, status: int) -> bool:
    """Tell whether the same call can succeed later."""
    from ..errors import CODES

    known = CODES.get(code)
    return known.retryable if known is not None else status in {408, 429} or status >= 500


def code_of(answer: Mapping[str, Any]) -> int:
    """Read the error code, which some answers write as text."""
    code = answer.get("code")
    if isinstance(code, str) and len(code) <= _MOST_DIGITS:
        code = code.strip()
        return int(code) if code.isascii() and code.removeprefix("-").isdigit() else 0
    if isinstance(code, float) and code.is_integer() and abs(code) < 10**_MOST_DIGITS:
        return int(code)
    return int(code) if isinstance(code, int) and abs(code) < 10**_MOST_DIGITS else 0


def _shown(value: object) -> str:
    return _repr.repr(value)[:80]


def _text(value: object) -> str:
    """Return a member that should be a text. Others have been seen, so they are shown."""
    return value if isinstance(value, str) else _shown(value)


def logid_of(answer: Mapping[str, Any], http: HTTPResponse) -> str:
    """Find the log id in the body, else in the headers."""
    detail = answer.get("detail")
    logid = detail.get("logid") if detail.__class__ is dict else None
    # A text; numbers have been seen too. Anything else is none, and could be of any size.
    if logid and (logid.__class__ is str or (logid.__class__ is int and abs(logid) < 10**_MOST_DIGITS)):
        return str(logid)
    return _header_logid(http)


def _header_logid(http: HTTPResponse) -> str:
    return str(http.headers.get("x-tt-logid") or "")


def gateway_error(operation: str, http: HTTPResponse) -> GatewayError:
    """Make the error for an answer that is not the API's."""
    content_type = http.headers.get("content-type", "")
    excerpt = excerpt_of(http, 200)
    looks_like_site = (http.status_code < 400 or http.status_code in {404, 405}) and "html" in content_type
    error = GatewayError(
        f"the answer is not JSON but {content_type or 'of no stated type'}: {excerpt or '(empty)'}",
        code=http.status_code,
        status=http.status_code,
        logid=_header_logid(http),
        operation=operation,
        hint=(
            "The base URL seems to be a web site: use https://api.coze.com or https://api.coze.cn."
            if looks_like_site
            else "A gateway between here and Coze answered, not Coze itself; try again."
        ),
        retryable=retryable(0, http.status_code),
        response=Response(http, _header_logid(http)),
    )
    error.content_type, error.excerpt = content_type, excerpt
    return error


def undecodable(operation: str, http: HTTPResponse, logid: str, problem: str) -> DecodeError:
    """Make the error for an answer that is JSON but not what was described."""
    return DecodeError(
        f"the answer has an unknown shape: {problem}",
        code=http.status_code,
        status=http.status_code,
        logid=logid,
        operation=operation,
        response=Response(http, logid),
    )
