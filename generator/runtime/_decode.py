"""From an HTTP response to a result, or to the error that it reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from reprlib import Repr
from typing import Any, TypeVar

from . import _json
from ._errors import APIError, DecodeError, GatewayError
from ._http import HTTPResponse, excerpt_of, without_body
from ._model import Empty, Model
from ._operation import Operation
from ._response import ItemList, Redirect, Response, header_logid
from ._secrets import mask, without, without_parts

__all__ = [
    "code_of",
    "error_in_file",
    "logid_of",
    "read",
    "read_redirect",
    "redacted",
    "refusal",
    "retryable",
    "undecodable",
]

T = TypeVar("T")
E = TypeVar("E", bound=APIError)


_MOST_DIGITS = 18


_TEXTS = ("msg", "message", "error_message", "error_description")  # the last two in OAuth responses


_NOT_SECRET = {*_TEXTS, "error", "error_code", "debug_url", "detail"}


_NOT_JSON: Any = object()


_LOOKED_AT = 1000


_SHORTEST_TOKEN = 8


class _Excerpt(Repr):
    """Looks at the beginning alone. Takes secrets out of texts before these are shortened in their middle."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60

    def repr_str(self, value: str, level: int) -> str:
        return super().repr_str(mask(value[:_LOOKED_AT]), level)


_repr = _Excerpt()


def read_redirect(operation: Operation[Any], http: HTTPResponse) -> Redirect:
    """Return the result of an operation whose response is a redirect.

    Raises:
        APIError: The response reports an error.
        GatewayError: The response is neither JSON nor a redirect.
        DecodeError: The response is JSON that reports no error.
    """
    if http.has_redirect_location:
        return Redirect(http.headers["location"], Response(http, header_logid(http)))
    raise refusal(operation, http, "it is not a redirect:")


def read(operation: Operation[T], http: HTTPResponse) -> T:
    """Decode the result of *operation* from its response.

    Raises:
        APIError: The response reports an error by its code or its HTTP status.
        GatewayError: The response is not JSON.
        DecodeError: The response is not a JSON object, or its result is not the object or list that is described.
    """
    result, error = _decoded(operation, http)
    if error is not None:
        raise error  # here, where no variable holds the response
    return result  # type: ignore[no-any-return]  # of the operation's type


def refusal(
    operation: Operation[Any], http: HTTPResponse, problem: str = "its type is not the expected one:"
) -> APIError:
    """Return the error for a response that is not a stream, file or redirect. Its body must have been read."""
    answer, error = parse(operation, http)
    excerpt = _quoted(operation, answer) if operation.confidential else repr(excerpt_of(http, 80))
    return error or undecodable(operation, http, logid_of(answer, http), f"{problem} {excerpt}")


def _decoded(operation: Operation[T], http: HTTPResponse) -> tuple[Any, APIError | None]:
    answer, error = parse(operation, http)
    if error is not None:
        return None, error
    response = Response(http, logid_of(answer, http))
    payload = answer if operation.result == "." else answer.get(operation.result)
    result: Any = None
    try:
        # Null stands for an empty list, and for an empty result after a success.
        result = operation.decode({} if payload is None else payload)
    except Exception as failure:
        if isinstance(failure, MemoryError):
            raise
        # The response is invalid. The error is raised below, where no exception holds the response.
    problem = ""
    if not (isinstance(result, Model) or (isinstance(result, ItemList) and isinstance(payload, list | None))):
        problem = f"member {operation.result!r} is {_quoted(operation, payload)}"
    elif payload is None and not isinstance(result, Empty) and operation.result not in answer and "code" not in answer:
        problem = f"it has no member {operation.result!r}: {_quoted(operation, answer)}"
    if problem:
        return None, undecodable(operation, http, response.logid, problem)
    if isinstance(result, Model):
        result._response = response
    else:
        result.response = response
    return result, None


def parse(operation: Operation[Any], http: HTTPResponse) -> tuple[dict[str, Any], APIError | None]:
    """Parse a response.

    Nothing is raised: the traceback would hold the response, and so would that of the parser's error.

    Returns:
        The response, and the error that it reports; see `read`.
    """
    answer, problem = _NOT_JSON, ""
    try:
        answer = _json.loads(http.content)
    except _json.NestedTooDeeply as error:
        problem = f"it has {error}"
    except ValueError:
        pass
    if problem:
        return {}, undecodable(operation, http, header_logid(http), problem)
    if answer is _NOT_JSON:
        return {}, gateway_error(operation, http)
    if not isinstance(answer, dict):
        return {}, undecodable(operation, http, header_logid(http), f"it is {_quoted(operation, answer)}")
    code = answer.get("code")
    if (code and code != "0") or answer.get("error_code") or not http.is_success:
        return answer, answered_error(operation, answer, http)
    return answer, None


def error_in_file(operation: Operation[Any], http: HTTPResponse, content: bytes | None) -> APIError | None:
    """Return the error that a response in place of a file reports, or None if it is a file, which may be JSON.

    Args:
        operation: The operation whose response is a file.
        http: The response. If it reports an error, the error keeps it with its content.
        content: The content; None if it is too long for an error.
    """
    try:
        answer = _json.loads(content or b"")
    except ValueError:
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("msg"), str) or answer.get("code") is True:
        return None
    if code_of(answer) == 0:
        return None
    http._content = content or b""  # as its own `read` does
    return answered_error(operation, answer, http)


def answered_error(operation: Operation[Any], answer: Mapping[str, Any], http: HTTPResponse) -> APIError:
    """Return the error that a response reports. Its code takes precedence over its HTTP status."""
    from ..errors import error_class, hint  # the table of codes is needed by failing calls only

    code = code_of(answer)
    reason = answer.get("error_code") or answer.get("error")  # OAuth answers: text, or an object in older ones
    text = next((_text(answer[key]) for key in _TEXTS if answer.get(key)), http.reason_phrase or "")
    if operation.confidential:
        text = without(text, _texts_of({key: value for key, value in answer.items() if key not in _NOT_SECRET}))
    error = error_class(code, http.status_code)(
        text,
        code=code or http.status_code,
        status=http.status_code,
        logid=logid_of(answer, http),
        operation=operation.id,
        hint=hint(code, http.status_code, operation.permission),
        debug_url=_text(answer.get("debug_url") or ""),
        reason=reason if isinstance(reason, str) else "",
        retryable=retryable(code, http.status_code),
        response=_kept(operation, http, logid_of(answer, http)),
    )
    return redacted(error, http)


def redacted(error: E, http: HTTPResponse) -> E:
    """Mask the request's own token in every text of an error: some responses quote it."""
    try:
        header = http.request.headers.get("authorization", "")
    except RuntimeError:  # a response that was made without a request
        return error
    token = header.partition(" ")[2] or header
    if len(token) >= _SHORTEST_TOKEN:
        error.args = tuple(
            without_parts(argument, token) if isinstance(argument, str) else argument for argument in error.args
        )
        for name, value in list(vars(error).items()):
            if isinstance(value, str):
                setattr(error, name, without_parts(value, token))
    return error


def _texts_of(value: Any) -> Iterator[str]:
    """List the texts in a response that are long enough to be secrets."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_of(item)
    elif isinstance(value, str) and len(value) >= 8:
        yield value


def retryable(code: int, status: int) -> bool:
    """Return whether the same call can succeed later."""
    from ..errors import CODES

    known = CODES.get(code)
    if known is not None and known.category is not None:
        return known.retryable
    return status in {408, 429} or status >= 500


def code_of(answer: Mapping[str, Any]) -> int:
    """Read the error code, which some responses write as text."""
    code = answer.get("code")
    if isinstance(code, str) and len(code) <= _MOST_DIGITS:
        code = code.strip()
        return int(code) if code.isascii() and code.removeprefix("-").isdigit() else 0
    if isinstance(code, float) and code.is_integer() and abs(code) < 10**_MOST_DIGITS:
        return int(code)
    return int(code) if isinstance(code, int) and abs(code) < 10**_MOST_DIGITS else 0


def _shown(value: object) -> str:
    return mask(_repr.repr(value))[:80]


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
    return header_logid(http)


def gateway_error(operation: Operation[Any], http: HTTPResponse) -> GatewayError:
    """Make the error for a response that is not the API's."""
    content_type = mask(http.headers.get("content-type", ""))
    # A response that breaks off may be half of one that holds tokens.
    excerpt = "" if operation.confidential else excerpt_of(http, 200)
    looks_like_site = (http.status_code < 400 or http.status_code in {404, 405}) and "html" in content_type
    if operation.confidential:
        beginning = "its text is not shown, since it may hold a secret" if http.content else "(empty)"
    else:
        beginning = excerpt or "(empty)"
    error = GatewayError(
        f"the response is not JSON but {content_type or 'of no stated type'}: {beginning}",
        code=http.status_code,
        status=http.status_code,
        logid=header_logid(http),
        operation=operation.id,
        hint=(
            "The base URL seems to be a web site; use https://api.coze.com or https://api.coze.cn."
            if looks_like_site
            else "A gateway responded instead of Coze; try again."
        ),
        retryable=retryable(0, http.status_code),
        response=_kept(operation, http, header_logid(http)),
    )
    error.content_type, error.excerpt = content_type, excerpt
    return redacted(error, http)


def undecodable(operation: Operation[Any], http: HTTPResponse, logid: str, problem: str) -> DecodeError:
    """Make the error for a response that is JSON but not what was described."""
    error = DecodeError(
        f"the response has an unknown shape: {problem}",
        code=http.status_code,
        status=http.status_code,
        logid=logid,
        operation=operation.id,
        response=_kept(operation, http, logid),
    )
    return redacted(error, http)


def _quoted(operation: Operation[Any], value: Any) -> str:
    """Quote the beginning of a response or a part of it, unless it may be a secret."""
    if operation.confidential:
        return f"(a {type(value).__name__} that is not shown, since it may hold a secret)"
    return _shown(value)


def _kept(operation: Operation[Any], http: HTTPResponse, logid: str) -> Response:
    """Return the response for an error: without its body, if that may hold a secret."""
    return Response(without_body(http) if operation.confidential else http, logid)
