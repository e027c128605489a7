"""Hostile JSON: values of every kind in every place, and texts that no JSON encoder writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

__all__ = ["MEGABYTES", "Raw", "dumps", "hostile", "mutate", "paths", "put"]

MEGABYTES = 5 * 1024 * 1024
_DEEP = 3000
_SECRETS = {"access_token", "refresh_token"}
_NO_TOKEN = (
    "\ud800",
    "\n",
    "\r\nx: y",
    "\x00",
    " x",
    "\xe9",
    "\u4e16",
    '"',
    "x" * 70_000,
)  # characters with which no token ends


class Raw:
    """JSON text that is written unchanged within a tree."""

    def __init__(self, text: str) -> None:
        self.text = text


def _deep_list(levels: int = _DEEP) -> Raw:
    return Raw("[" * levels + "]" * levels)


def _deep_object(levels: int = _DEEP) -> Raw:
    return Raw('{"a":' * levels + "1" + "}" * levels)


_VALUES: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("null", lambda: None),
    ("true", lambda: True),
    ("false", lambda: False),
    ("0", lambda: 0),
    ("-1", lambda: -1),
    ("1", lambda: 1),
    ("1.5", lambda: 1.5),
    ("-0.0", lambda: -0.0),
    ("''", lambda: ""),
    ("' '", lambda: " "),
    ("'0'", lambda: "0"),
    ("'true'", lambda: "true"),
    ("'new'", lambda: "new"),
    ("[]", list),
    ("{}", dict),
    ("[[]]", lambda: [[]]),
    ("[null]", lambda: [None]),
    ("['x']", lambda: ["x"]),
    ("[1, 2]", lambda: [1, 2]),
    ("[{}]", lambda: [{}]),
    ("[[{}], 1]", lambda: [[{}], 1]),
    ("{'': null}", lambda: {"": None}),
    ("{'a': {}}", lambda: {"a": {}}),
    ("{'id': []}", lambda: {"id": [], "type": {}, "content": 1, "code": []}),
    ("1e999", lambda: Raw("1e999")),
    ("-1e999", lambda: Raw("-1e999")),
    ("NaN", lambda: Raw("NaN")),
    ("Infinity", lambda: Raw("Infinity")),
    ("1e308", lambda: 1e308),
    ("10**18", lambda: 10**18),
    ("10**30", lambda: 10**30),
    ("-10**400", lambda: Raw("-1" + "0" * 400)),
    ("5000 digits", lambda: Raw("1" * 5000)),
    ("end of year 9999", lambda: 253402300800),
    ("before year 1", lambda: -62135596801),
    ("'1e999'", lambda: "1e999"),
    ("'NaN'", lambda: "NaN"),
    ("'-1'", lambda: "-1"),
    ("'5000 digits'", lambda: "1" * 5000),
    ("Arabic digits", lambda: "٣٤"),
    ("superscript digit", lambda: "²"),
    ("lone surrogate", lambda: "\ud800"),
    ("text with a lone surrogate", lambda: "a\udfffb"),
    ("control characters", lambda: "\x00\x07\x1b[31m\r\n\x85\u2028"),
    ("right-to-left override", lambda: "\u202eabc\ufeff"),
    ("'{'", lambda: "{"),
    ("'[1'", lambda: "[1"),
    ("text of JSON list", lambda: '[{"a": [1]}]'),
    ("text of JSON object", lambda: '{"Output": [1], "a": {"node_id": 1}, "b": null}'),
    ("text of JSON null", lambda: "null"),
    ("text of JSON 1e999", lambda: "1e999"),
    ("text of nested JSON", lambda: "[" * _DEEP + "]" * _DEEP),
    ("text of nested objects", lambda: '{"a":' * _DEEP + "1" + "}" * _DEEP),
    ("text of 100,000 brackets", lambda: "[" * 100_000),
    ("list nested 3,000 deep", _deep_list),
    ("object nested 3,000 deep", _deep_object),
    ("list nested 300 deep", lambda: _deep_list(300)),
    ("object nested 900 deep", lambda: _deep_object(900)),
    ("an address", lambda: "http://[::1"),
    ("javascript", lambda: "javascript:alert(1)"),
    ("not Base64", lambda: "%%%"),
    ("cut Base64", lambda: "QUJD=A="),
    ("braces of str.format", lambda: "{0} {a!r} %s %(a)s"),
)
_RARE: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("text of 5 MB", lambda: Raw('"' + "x" * MEGABYTES + '"')),
    ("list of 200,000", lambda: Raw("[" + "0," * 200_000 + "0]")),
    ("object of 50,000 members", lambda: {str(number): number for number in range(50_000)}),
    ("list nested 100,000 deep", lambda: _deep_list(100_000)),
)


def hostile(rng: Random, rare: float = 0.004) -> tuple[str, Any]:
    """Choose a hostile value, with its name."""
    name, make = rng.choice(_RARE if rng.random() < rare else _VALUES)
    return name, make()


def dumps(tree: Any) -> str:
    """Write a tree as JSON, its `Raw` parts unchanged."""
    parts: list[str] = []

    def mark(value: Any) -> str:
        assert isinstance(value, Raw), value
        parts.append(value.text)
        return f"@@raw {len(parts) - 1}@@"

    text = json.dumps(tree, default=mark)
    for number, part in enumerate(parts):
        text = text.replace(f'"@@raw {number}@@"', part)
    return text


Path = tuple[str | int, ...]


def paths(tree: Any, start: Path = ()) -> list[Path]:
    """List the places of all values of a tree except its root."""
    places: list[Path] = []
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        places.append((*start, key))
        places += paths(value, (*start, key))
    return places


def _within(tree: Any, path: Path) -> Any:
    for part in path:
        tree = tree[part]
    return tree


def put(tree: Any, path: Path, value: Any) -> None:
    """Put *value* at *path*."""
    _within(tree, path[:-1])[path[-1]] = value


def _shown(path: Path) -> str:
    return ".".join(map(str, path)) or "the whole"


def mutate(tree: Any, rng: Random, rare: float = 0.004) -> tuple[Any, list[str]]:
    """Change a copy of *tree* in one to three places.

    Returns:
        The changed tree and a list of the changes.
    """
    tree = deepcopy(tree)
    done: list[str] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = paths(tree)
        action = rng.random()
        if not places or action < 0.02:
            name, tree = hostile(rng, rare)
            return tree, [*done, f"the whole = {name}"]
        path = rng.choice(places)
        parent = _within(tree, path[:-1])
        if path[-1] in _SECRETS and isinstance(parent[path[-1]], str) and rng.random() < 0.3:
            more = rng.choice(_NO_TOKEN)
            parent[path[-1]] += more
            done.append(f"{_shown(path)} + {more!r}")
        elif action < 0.7:
            name, parent[path[-1]] = hostile(rng, rare)
            done.append(f"{_shown(path)} = {name}")
        elif action < 0.8:
            del parent[path[-1]]
            done.append(f"{_shown(path)} removed")
        elif action < 0.9:
            name, value = hostile(rng, rare)
            key = rng.choice(("extra", "", "id", "code", "logid", "response", "items", "_extra", "self", "__class__"))
            if isinstance(parent, dict):
                parent[key] = value
            else:
                parent.insert(0, value)
            done.append(f"{_shown(path[:-1])} + {key}: {name}")
        elif action < 0.95:
            parent[path[-1]] = [parent[path[-1]]]
            done.append(f"{_shown(path)} wrapped in a list")
        else:
            other = rng.choice(places)
            if {path[-1], other[-1]} & _SECRETS:
                continue  # a secret stays at its described place
            parent[path[-1]] = deepcopy(_within(tree, other))
            done.append(f"{_shown(path)} = what is at {_shown(other)}")
    return tree, done or ["nothing"]
