"""All models, and JSON objects that match them more or less."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

from hypothesis import strategies as st

import coze_api.models
from coze_api import Model, UnixTime, UnixTimeMs, Unknown
from coze_api._core._enums import OpenInt, OpenStr

MODELS: list[type[Model]] = sorted(
    (
        model_class
        for name in coze_api.models.__all__
        if isinstance(model_class := getattr(coze_api.models, name), type) and issubclass(model_class, Model)
    ),
    key=lambda model: model.__name__,
)
_DEPTH = 2
F = TypeVar("F", bound=Callable[..., Any])


def _cached(function: F) -> F:
    """Cache results and keep the signature: to mypy, classes without hashable instances are not hashable themselves."""
    return cast("F", cache(function))


garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@_cached
def fields(model: type[Model]) -> dict[str, tuple[str, Any]]:
    """Return the fields of *model* by their JSON names, each with its attribute and type."""
    names = vars(sys.modules[model.__module__])
    hints = {name: eval(hint, names) for name, hint in model.__annotations__.items() if not name.startswith("_")}
    return {model._renamed.get(name, name): (name, hint) for name, hint in hints.items()}


def example(hint: Any, depth: int = _DEPTH) -> Any:
    """Create JSON of a type, with all fields down to some depth."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return example(next(part for part in arguments if part not in {type(None), Unknown}), depth)
    if origin is list:
        return [example(arguments[0], depth)]
    if origin is dict:
        return {"key": example(arguments[1], depth)}
    if origin is Literal:
        return arguments[0]
    if hint is Any:
        return {"anything": [1, None]}
    if issubclass(hint, Model):
        return {wire: example(kind, depth - 1) if depth else None for wire, (_, kind) in fields(hint).items()}
    if issubclass(hint, UnixTime | UnixTimeMs):
        return 1718090000
    if issubclass(hint, OpenStr | OpenInt):
        return next(iter(hint)).value
    return {str: "text", int: 7, float: 0.5, bool: True}[hint]


@_cached
def values(hint: Any, depth: int = _DEPTH) -> st.SearchStrategy[Any]:
    """Create JSON that matches a type sometimes."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        fitting = st.one_of([values(part, depth) for part in arguments if part not in {type(None), Unknown}])
    elif origin is list:
        fitting = st.lists(values(arguments[0], depth), max_size=3)
    elif origin is dict:
        fitting = st.dictionaries(st.text(max_size=5), values(arguments[1], depth), max_size=3)
    elif origin is Literal:
        fitting = st.just(arguments[0])
    elif hint is Any:
        return garbage
    elif issubclass(hint, Model):
        fitting = objects(hint, depth - 1) if depth else st.just({})
    elif issubclass(hint, UnixTime | UnixTimeMs):
        fitting = st.integers(-(2**63), 2**63) | st.integers(0, 2**63).map(str) | st.just("007")
    elif issubclass(hint, OpenStr | OpenInt):
        fitting = st.sampled_from([member.value for member in hint]) | st.integers() | st.text(max_size=5)
    else:
        fitting = garbage
    return fitting | st.none() | garbage


@_cached
def objects(model: type[Model], depth: int = _DEPTH) -> st.SearchStrategy[dict[str, Any]]:
    """Create objects of known fields, some of them missing, null or invalid, and of unknown fields."""
    known = {wire: values(kind, depth) for wire, (_, kind) in fields(model).items()}
    unknown = st.dictionaries(st.text(min_size=1, max_size=5).filter(lambda key: key not in known), garbage, max_size=2)
    return st.builds(lambda some, more: {**more, **some}, st.fixed_dictionaries({}, optional=known), unknown)
