"""Every class reads what its schema describes, also where it is only sent: programs may read it from a file."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from coze_api import Model, Unknown, models
from tests.contract._calls import document, same
from tests.contract._decoded import differing, misread, set_aside
from tests.contract._filled import LATER, extended, filled, violations
from tests.contract._mirror import callbacks, messages


def classes() -> Iterator[tuple[str, type[Model], dict[str, Any]]]:
    """List the classes that have a schema of their own."""
    for name, schema in document()["components"]["schemas"].items():
        generated = getattr(models, name, None)
        if inspect.isclass(generated) and issubclass(generated, Model):
            yield name, generated, schema


def frames() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """List the messages and callbacks, all their members present, with what decodes them."""
    for name, source in messages():
        frame: dict[str, Any] = {"event_type": source.id, "id": "event-1"}
        yield name, source.kinds, frame | ({"data": filled(source.schema)} if source.schema is not None else {})
    for source in callbacks():
        assert source.schema is not None
        body = filled(source.schema)
        body["header"]["event_type"] = source.id  # all callbacks share one header, which allows every type
        yield source.id, source.kinds, body


def read_well(result: Model, sent: Any) -> None:
    """Check that every member is in its place, is of its type, and goes back as it came."""
    same(result.to_dict(), sent)
    assert list(differing(result, sent)) == []
    assert list(misread(result)) == []
    assert list(set_aside(result)) == []


@pytest.mark.parametrize(("cls", "schema"), [pytest.param(cls, schema, id=name) for name, cls, schema in classes()])
def test_class(cls: type[Model], schema: dict[str, Any]) -> None:
    """An object with all described members is read member by member, and one with more loses none."""
    sent = filled(schema)
    assert violations(schema, sent) == []
    read_well(cls.from_dict(sent), sent)
    more = cls.from_dict(extended(sent))
    same(more.to_dict(), extended(sent))
    assert set(set_aside(more)) == {LATER}


@pytest.mark.parametrize(("kinds", "frame"), [pytest.param(kinds, frame, id=name) for name, kinds, frame in frames()])
def test_frame(kinds: Any, frame: dict[str, Any]) -> None:
    """A message or callback with all described members is read member by member, and one with more loses none."""
    read_well(kinds.decode(frame), frame)
    more = kinds.decode(extended(frame))
    assert not isinstance(more, Unknown)
    same(more.to_dict(), extended(frame))
    assert set(set_aside(more)) == {LATER}
