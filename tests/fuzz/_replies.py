"""HTTP responses: valid ones, their mutations, and the byte streams that carry them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.fuzz._description import Operation, example, instance
from tests.fuzz._values import dumps, hostile, mutate, put

__all__ = ["BREAKS", "Body", "Reply", "mutated", "spoil", "valid"]

BREAKS: tuple[type[httpx.HTTPError], ...] = (
    httpx.ReadError,
    httpx.RemoteProtocolError,
    httpx.ReadTimeout,
    httpx.DecodingError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.LocalProtocolError,
)
_NO_ANSWER: tuple[type[httpx.HTTPError], ...] = (
    *BREAKS,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.WriteTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.TooManyRedirects,
)


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The pieces of a body, and the exception that breaks it off, if any."""

    def __init__(self, pieces: Sequence[bytes], breaks: type[httpx.HTTPError] | None = None) -> None:
        self.pieces = pieces
        self.breaks = breaks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.breaks is not None:
            raise self.breaks("it broke")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


@dataclass
class Reply:
    """The response of a transport.

    Attributes:
        done: The mutations of a valid response.
        raises: Raised instead of a response.
    """

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    breaks: type[httpx.HTTPError] | None = None
    raises: type[httpx.HTTPError] | None = None
    done: list[str] = field(default_factory=list)

    def response(self) -> httpx.Response:
        """Create the response of a mocked transport.

        Raises:
            httpx.HTTPError: There is no response.
        """
        if self.raises is not None:
            raise self.raises("no answer")
        return httpx.Response(self.status, headers=self.headers, stream=Body(self.pieces, self.breaks))

    def set(self, name: bytes, value: bytes) -> None:
        """Set a header in place of those with the same name."""
        self.headers = [(key, old) for key, old in self.headers if key.lower() != name.lower()]
        self.headers.append((name, value))


def valid(described: Operation, rng: Random, secrets: Sequence[str] = ()) -> tuple[Any, bytes]:
    """Create a valid response.

    Returns:
        Its JSON and its media type; bytes instead of JSON if it is a file.
    """
    if described.returns_file:
        return b"ID3" + rng.randbytes(rng.randrange(400)), described.media_type.encode()
    tree: Any = example(described)
    if described.schema is not None and rng.random() < 0.5:
        tree = instance(described.schema, rng)
        if isinstance(tree, dict) and "code" in tree:
            tree["code"] = 0
    tree = json.loads(json.dumps(tree))
    if described.gives_tokens:
        _fill(tree, secrets)
    return tree, b"application/json"


def _fill(tree: Any, secrets: Sequence[str]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _fill(value, secrets)
        elif key in {"access_token", "refresh_token"}:
            tree[key] = secrets[key == "refresh_token"]


def _plain(tree: Any, kind: bytes) -> Reply:
    body = tree if isinstance(tree, bytes) else dumps(tree).encode()
    return Reply(headers=[(b"content-type", kind), (b"x-tt-logid", b"2024121015")], pieces=[body])


def mutated(described: Operation, rng: Random, secrets: Sequence[str] = (), *, kinds: str = "vvvvveepbbhhscx") -> Reply:
    """Create a response and mutate it in one or two ways.

    Args:
        one: The operation of the response.
        rng: Source of all decisions.
        secrets: The access and refresh token of token responses.
        kinds: Ways to choose from: v values, e envelope, p pages, b bytes, h headers, s status, c compression and
            charset, x connection.
    """
    tree, media = valid(described, rng, secrets)
    ways = "".join(rng.sample(kinds, rng.choice((1, 1, 1, 2))))
    done: list[str] = []
    if described.redirects and rng.random() < 0.6:
        reply = Reply(302, [(b"location", b"https://example.com/")], [b""])
        _header(reply, rng, done)
        reply.done = done
        return reply
    if not isinstance(tree, bytes):
        if "p" in ways and described.paging:
            tree = _page(tree, described.paging, rng, done)
        if "e" in ways and isinstance(tree, dict):
            tree = _envelope(tree, rng, done)
        if "v" in ways:
            tree, changes = mutate(tree, rng)
            done += changes
    elif rng.random() < 0.5:
        tree, media = {"code": rng.choice((0, 4000, 4100)), "msg": "refused"}, b"application/json"
        done.append("JSON for a file")
    reply = _plain(tree, media)
    spoil(reply, ways, rng, done)
    _cut(reply, rng)
    reply.done = done
    return reply


def spoil(reply: Reply, ways: str, rng: Random, done: list[str]) -> None:
    """Mutate everything except JSON: see `mutated` for the ways."""
    kinds = {"b": _bytes, "h": _header, "s": _status, "c": _coding, "x": _connection}
    for way in ways:
        if way in kinds:
            kinds[way](reply, rng, done)


def _envelope(tree: dict[str, Any], rng: Random, done: list[str]) -> Any:
    member = rng.choice(
        (
            "code",
            "code",
            "code",
            "msg",
            "detail",
            "detail.logid",
            "data",
            "error",
            "error_code",
            "error_message",
            "debug_url",
        )
    )
    if member == "code" and rng.random() < 0.6:
        value: Any = rng.choice(
            (4000, 4100, 4101, 4013, 4015, 4016, 4200, 5000, 6003, 700012006, "4100", -1, 10**40, "x")
        )
        name = repr(value)
    else:
        name, value = hostile(rng)
    if member == "detail.logid":
        tree["detail"] = {"logid": value}
    else:
        tree[member] = value
    if member in {"msg", "detail", "detail.logid", "debug_url", "error", "error_message"} and rng.random() < 0.7:
        tree["code"] = rng.choice((4000, 4100, 4013, 5000, 1))
    done.append(f"{member} = {name}, code {str(tree.get('code'))[:20]}")
    return tree


def _page(tree: Any, paging: dict[str, Any], rng: Random, done: list[str]) -> Any:
    for key in rng.sample([key for key in ("items", "total", "has_more", "next") if paging.get(key)], 1) * 2:
        name, value = hostile(rng)
        if key in {"has_more", "next"} and rng.random() < 0.6:  # endless: the same response repeatedly
            name, value = ("true", True) if key == "has_more" else ("'same'", "same")
        try:
            put(tree, tuple(paging[key].split(".")), value)
        except (KeyError, TypeError):
            continue
        done.append(f"{paging[key]} = {name}")
    if paging.get("has_more") and rng.random() < 0.5:
        try:
            put(tree, tuple(paging["has_more"].split(".")), True)
        except (KeyError, TypeError):
            return tree
        done.append("more follows")
    return tree


_HTML = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"


def _bytes(reply: Reply, rng: Random, done: list[str]) -> None:
    body = b"".join(reply.pieces)
    cut = rng.randrange(len(body) + 1)
    text = body.decode("utf-8", "replace")
    name, content = rng.choice(
        (
            ("cut off", lambda: body[:cut]),
            ("cut off", lambda: body[:cut]),
            ("its beginning lost", lambda: body[cut:]),
            ("empty", lambda: b""),
            ("BOM", lambda: b"\xef\xbb\xbf" + body),
            ("UTF-16", lambda: text.encode("utf-16", "surrogatepass")),
            ("UTF-16 without BOM", lambda: text.encode("utf-16-le", "surrogatepass")),
            ("UTF-32", lambda: text.encode("utf-32", "surrogatepass")),
            ("Latin-1", lambda: text.encode("latin-1", "replace") + b"\xff"),
            ("invalid UTF-8", lambda: body[:cut] + b"\xff\xfe\x80" + body[cut:]),
            ("NUL", lambda: body[:cut] + b"\0" + body[cut:]),
            ("random bytes", lambda: rng.randbytes(200)),
            ("HTML", lambda: _HTML),
            ("twice", lambda: body + body),
            ("trailing text", lambda: body + b" ok"),
            ("a list around it", lambda: b"[" + body + b"]"),
            ("text around it", lambda: json.dumps(text).encode()),
            ("blanks", lambda: b" \n" * 1000 + body),
            ("comment", lambda: b"/* */" + body),
            ("JSONP", lambda: b"callback(" + body + b")"),
            ("events", lambda: b"event: error\ndata: " + body + b"\n\n"),
            ("nested 3,000 deep", lambda: b"[" * 3000 + body + b"]" * 3000),
            ("object nested 3,000 deep", lambda: b'{"data":' * 3000 + body + b"}" * 3000),
            ("100,000 brackets", lambda: b"[" * 100_000),
            ("members twice", lambda: body[:-1] + b',"code":0,"code":4100,"msg":1}'),
            ("null", lambda: b"null"),
            ("5 MB", lambda: body + b"x" * (5 << 20) if rng.random() < 0.1 else body + b"x"),
        )
    )
    reply.pieces = [content()]
    done.append(f"body: {name}" + (f" at {cut}" if "cut" in name or "lost" in name else ""))


_CHARSETS = (
    "utf-16", "utf-16-le", "utf-32", "utf-7", "utf-8-sig", "hex", "rot13", "rot_13", "base64", "bz2", "zlib", "zip", "uu",
    "undefined", "unknown", "idna", "punycode", "raw_unicode_escape", "unicode_escape", "mbcs", "oem", "gbk", "cp037",
    "latin-1", "ascii", "quopri", "", '"', "\x00" * 0 + "a" * 3000, "../x", "utf-8; charset=hex", "'hex'", '"rot13"',
    "..", "encodings", "aliases", "charmap", "palmos", "hz", "iso2022_jp", "big5hkscs",
)  # fmt: skip


def _coding(reply: Reply, rng: Random, done: list[str]) -> None:
    if rng.random() < 0.5:
        charset = rng.choice(_CHARSETS)
        kind = rng.choice((b"application/json", b"text/html", b"text/plain", b"text/event-stream", b"audio/mpeg", b""))
        reply.set(b"content-type", kind + b"; charset=" + charset.encode("latin-1"))
        done.append(f"content-type {kind.decode()}; charset={charset[:30]}")
        if rng.random() < 0.6:
            body = b"".join(reply.pieces)
            reply.pieces = [rng.choice((_HTML, body[: len(body) // 2], rng.randbytes(61), b"\xff\xfe", b"zz", b""))]
            done.append("no JSON")
        if rng.random() < 0.3:
            reply.status = rng.choice((400, 401, 404, 500, 502))
        return
    body = b"".join(reply.pieces)
    cut = rng.randrange(len(body) + 1)
    bomb = rng.random() < 0.01
    coding, content = rng.choice(
        (
            ("gzip", lambda: body),
            ("gzip", lambda: gzip.compress(body)[: cut // 2]),
            ("gzip", lambda: gzip.compress(body) + b"trailing"),
            ("gzip", lambda: gzip.compress(b"0" * (30 << 20)) if bomb else gzip.compress(body)),
            ("gzip", lambda: b"\x1f\x8b\x08" + rng.randbytes(50)),
            ("deflate", lambda: zlib.compress(body)[:-3]),
            ("deflate", lambda: rng.randbytes(50)),
            ("br", lambda: body),
            ("br", lambda: rng.randbytes(50)),
            ("zstd", lambda: body),
            ("zstd", lambda: b"\x28\xb5\x2f\xfd" + rng.randbytes(50)),
            ("gzip, gzip, gzip", lambda: gzip.compress(body)),
            ("identity, gzip", lambda: gzip.compress(body)),
            ("compress", lambda: body),
            ("utter nonsense", lambda: body),
            ("gzip," * 100, lambda: body),
        )
    )
    reply.set(b"content-encoding", coding.encode())
    reply.pieces = [content()]
    done.append(f"content-encoding {coding[:40]} of {len(reply.pieces[0]):,} bytes")


_HEADERS: dict[bytes, tuple[bytes, ...]] = {
    b"Retry-After": (
        b"-1", b"0", b"1", b"120", b"1e999", b"nan", b"NaN", b"inf", b"-inf", b"99999999999999999999999", b"1" * 5000, b"",
        b"soon", b"1.5", b"\xb2", b"0x10", b"1_000", b"Fri, 31 Dec 9999 23:59:59 GMT", b"Mon, 01 Jan 0000 00:00:00 GMT",
        b"Fri, 31 Dec 99999 23:59:59 GMT", b"Wed, 21 Oct 2015 07:28:00 -9999", b"Wed, 21 Oct 2015 99:99:99 GMT",
        b"Wed, 21 Oct 2015 07:28:00 +99999999", b"Sun, 06 Nov 1994 08:49:37", b"1994-11-06T08:49:37Z", b"Mon, 99 XXX 1",
        b"Thu, 01 Jan 1970 00:00:00 +" + b"9" * 400,
    ),
    b"Location": (
        b"javascript:alert(1)", b"", b"http://", b"http://[", b"http://[::1", b"http://exa mple.com/", b"http://" + b"a" * 300,
        b"http://xn--/", b"http://xn--a.example/", b"http://\xff\xfe/", b"//", b"///", b"http://a:99999/", b"http://a:b/",
        b"http://.../", b"http://-.-/", b"http://" + b"a." * 300, b"mailto:a@b", b"data:text/html,x", b"?", b"#", b"\\\\a\\b",
        b"http://\xe4.example/", b"http://user:pa@ss@h/", b"ftp://h/", b"file:///etc/passwd", b"http:///x", b"h" * 70000,
        b"http://a%00b/", b"http://%zz/", b"http://\xad/", b"https://api.coze.com/v1/bots?\xff", b"http://1.2.3.4.5.6:0/",
        b"http://[v1.a]/", b"//[fe80::1%25eth0]/", "http://\u2488.com/".encode(), b"HTTPS://API.COZE.COM:443/v1/bots",
    ),
    b"Content-Length": (b"-1", b"0", b"1", b"9" * 30, b"x", b"", b"1, 1", b"\xb2", b"1e3"),
    b"Set-Cookie": (
        b"", b"=", b"a=b; expires=never", b"a=b; Max-Age=1e999", b"a=b; Max-Age=" + b"9" * 400, b"\xff=\xfe", b"a=b; domain=.",
        b"a=b; Domain=..; Path=\xff", b"a=b; expires=Fri, 31 Dec 99999 23:59:59 GMT", b"a" * 20000, b"a=b; version=x; port=",
        b'a="b; expires="', b"a=b; expires=Thu, 01-Jan-0000 00:00:00 GMT", b"a=b; port=\"x,99999999\"; Version=1",
    ),
    b"x-tt-logid": (b"", b"\xff\xfe", b"a" * 70000, b"\xf0\x9f\x92\xa9", b"\x7f", b"{0}%s", b"\t"),
    b"Content-Disposition": (
        b"attachment; filename*=hex''00", b"attachment; filename=", b"attachment; filename*=undefined''%ff", b"\xff",
        b"attachment; filename=\"../../x\"", b"inline; filename*=UTF-8''%00",
    ),
    b"Date": (
        b"", b"now", b"Fri, 31 Dec 9999 23:59:59 GMT", b"Wed, 21 Oct 2015 07:28:00 -9999", b"Mon, 01 Jan 0001 00:00:00 +2359",
        b"Thu, 99 Jan 1970", b"1" * 5000, b"\xff", b"Wed, 21 Oct 2015 07:28:00 +" + b"9" * 30,
    ),
    b"Content-Type": (
        b"", b"json", b"application/json;", b"text/html", b"text/event-stream", b"application/octet-stream", b"image/png",
        b"/", b";", b"application/json; charset", b"application/json; charset=; charset=hex", b"\xff/\xfe", b"audio/mpeg",
        b"multipart/form-data; boundary=", b"text/plain; charset*=utf-8''hex", b"TEXT/EVENT-STREAM; charset=hex",
        b"application/json; " + b"a=b; " * 500,
    ),
    b"WWW-Authenticate": (b"", b"Basic", b"Bearer error=\"", b"Digest realm=\"x\"", b"Digest", b"\xff", b"Bearer " + b"a" * 9000),
    b"Transfer-Encoding": (b"chunked", b"gzip, chunked", b"x"),
    b"Link": (b"", b"<>; rel=", b"<" * 500, b"\xff"),
    b"Content-Range": (b"bytes 0-0/*", b"x"),
    b"Trailer": (b"x",),
    b"\xff\xfe": (b"x",),
}  # fmt: skip


def _header(reply: Reply, rng: Random, done: list[str]) -> None:
    name = rng.choice((*_HEADERS, b"Retry-After", b"Location", b"Content-Type"))
    value = rng.choice(_HEADERS[name])
    if rng.random() < 0.15:
        value = rng.randbytes(rng.randrange(1, 40)).translate(None, bytes(range(32)) + b"\x7f")
    if rng.random() < 0.15:
        reply.headers += [(name, value)] * 2
    else:
        reply.set(name, value)
    if name == b"Retry-After":
        reply.status = rng.choice((429, 503, 500, 200, 302))
    elif name == b"Location":
        reply.status = rng.choice((301, 302, 303, 307, 308, 304, 300, 201, 200))
    elif name == b"WWW-Authenticate":
        reply.status = rng.choice((401, 407, 403))
    done.append(f"{reply.status}, {name.decode('latin-1')}: {value[:60]!r}")


def _status(reply: Reply, rng: Random, done: list[str]) -> None:
    reply.status = rng.choice(
        (rng.randrange(200, 600), rng.choice((204, 206, 301, 304, 401, 407, 418, 429, 499, 599, 600, 999)))
    )
    if rng.random() < 0.3:
        reply.pieces = [b""]
        done.append("empty")
    if reply.status == 401:
        reply.set(b"WWW-Authenticate", rng.choice(_HEADERS[b"WWW-Authenticate"]))
    done.append(f"status {reply.status}")


def _connection(reply: Reply, rng: Random, done: list[str]) -> None:
    if rng.random() < 0.4:
        reply.raises = rng.choice(_NO_ANSWER)
        done.append(f"no answer: {reply.raises.__name__}")
        return
    body = b"".join(reply.pieces)
    reply.pieces = [body[: rng.randrange(len(body) + 1)]]
    reply.breaks = rng.choice(BREAKS)
    done.append(f"{reply.breaks.__name__} after {len(reply.pieces[0])} bytes")


def _cut(reply: Reply, rng: Random) -> None:
    body = b"".join(reply.pieces)
    if len(body) < 100_000 and rng.random() < 0.2:
        places = sorted(rng.randrange(len(body) + 1) for _ in range(3))
        reply.pieces = [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]
