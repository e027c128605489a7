"""No model loses, changes or rejects anything that a server could send."""

from __future__ import annotations

import copy
import os
import pickle
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coze_api import Model
from coze_api._core import _json
from tests.runtime._models import MODELS, example, fields, garbage, objects

MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "20"))

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def same(before: Any, after: Any) -> bool:
    """Return whether two JSON values are equal in value and type, except for empty lists in place of missing fields."""
    if isinstance(before, dict):
        return (
            isinstance(after, dict)
            and all(key in after and same(value, after[key]) for key, value in before.items())
            and all(after[key] == [] for key in after.keys() - before.keys())
        )
    if isinstance(before, list):
        return isinstance(after, list) and len(before) == len(after) and all(map(same, before, after))
    return bool(before == after) and isinstance(after, type(before))


def required_lists(model: type[Model]) -> set[str]:
    """Return the fields that are an empty list if they are missing."""
    empty = model.from_dict({})
    return {wire for wire, (name, _) in fields(model).items() if getattr(empty, name) == []}


@each_model
class TestEveryModel:
    """Properties of each class in `coze_api.models`."""

    @settings(max_examples=MAX_EXAMPLES, deadline=None)
    @given(data=st.data())
    def test_any_object_round_trips(self, model: type[Model], data: st.DataObject) -> None:
        """Any JSON object is decoded, and encoded to itself; only missing required lists are added, as empty."""
        source = data.draw(objects(model))
        before = copy.deepcopy(source)
        decoded = model.from_dict(source)
        after = decoded.to_dict()
        assert same(before, after)
        assert set(after) - set(before) == required_lists(model) - set(before)
        assert source == before
        assert decoded == model.from_dict(after)
        assert repr(decoded).startswith(f"{model.__name__}(")

    @settings(max_examples=MAX_EXAMPLES, deadline=None)
    @given(data=st.data())
    def test_extra_fields_are_unknown_or_null(self, model: type[Model], data: st.DataObject) -> None:
        """`extra_fields` contains exactly the fields that are unknown or null."""
        source = data.draw(objects(model))
        extra = model.from_dict(source).extra_fields
        known = fields(model)
        assert extra == {key: value for key, value in source.items() if key not in known or value is None}

    def test_all_described_fields_are_decoded(self, model: type[Model]) -> None:
        """An object with every described field fills every attribute, has no extra fields, and round-trips."""
        source = example(model)
        decoded = model.from_dict(source)
        assert all(getattr(decoded, name) is not None for name, _ in fields(model).values())
        assert decoded.extra_fields == {}
        assert decoded.to_dict() == source
        assert list(decoded.to_dict()) == list(source)

    def test_each_field_has_one_attribute(self, model: type[Model]) -> None:
        """Each field of a model has exactly one attribute."""
        names = {field.name for field in attrs.fields(model)} - {"_extra", "_response"}
        assert set(fields(model)) == model._known
        assert {name for name, _ in fields(model).values()} == names

    def test_null_for_every_field_is_none(self, model: type[Model]) -> None:
        """Null for every field is None, but an empty list for a required list, and is kept."""
        source = dict.fromkeys(model._known)
        decoded = model.from_dict(source)
        lists = required_lists(model)
        for wire, (name, _) in fields(model).items():
            assert getattr(decoded, name) == ([] if wire in lists else None)
        assert decoded.to_dict() == source

    def test_copies_keep_unknown_fields(self, model: type[Model]) -> None:
        """Pickling, deep copies and `attrs.evolve` keep everything, including unknown fields."""
        decoded = model.from_dict({**example(model), "brand_new": {"a": None}})
        for twin in (pickle.loads(pickle.dumps(decoded)), copy.deepcopy(decoded), attrs.evolve(decoded)):
            assert twin == decoded
            assert twin is not decoded
            assert twin.extra_fields == {"brand_new": {"a": None}}

    def test_encoded_form_is_json(self, model: type[Model]) -> None:
        """The encoded form consists of JSON values only."""
        source = example(model)
        assert _json.loads(_json.dumps(model.from_dict(source).to_dict())) == source


@settings(max_examples=MAX_EXAMPLES * 5, deadline=None)
@given(garbage)
def test_model_equals_no_plain_value(value: Any) -> None:
    """A model equals no plain value, not even the object from which it was decoded."""
    assert MODELS[0].from_dict({}) != value
