"""The JSON arguments of a tool call, and what the function receives."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict, Union

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coze_api.models import ChatUsage, MessageType
from cozekit import Tool, ToolError, tool
from cozekit.errors import InvalidArgumentError


class Color(enum.Enum):
    RED = "red"
    NUMBER = 7


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass
class Place:
    city: str
    district: str = "Mitte"
    inner: Place | None = None


@attrs.frozen
class Span:
    first: int
    _last: int = attrs.field(default=9, validator=attrs.validators.le(9))
    steps: list[float] = attrs.field(factory=list)
    shown: str = attrs.field(init=False, default="")


class Filters(TypedDict):
    word: str
    limit: NotRequired[int]


City = NewType("City", str)


def decode(hint: Any, value: Any) -> Any:
    """Pass one argument to a function annotated with *hint*."""

    def function(one: Any) -> None: ...

    function.__annotations__["one"] = hint
    return tool(function).parameters.decode(json.dumps({"one": value}))["one"]


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (str, "a", "a"),
        (int, 3, 3),
        (int, 3.0, 3),
        (int, -(2**63) - 1, -(2**63) - 1),
        (float, 3, 3.0),
        (bool, True, True),
        (Any, {"a": [None]}, {"a": [None]}),
        (None, None, None),
        (int | None, None, None),
        (Optional[str], "x", "x"),  # noqa: UP045  (the old form is what is tested)
        (int | str, "3", "3"),
        (list, [1, "a"], [1, "a"]),
        (list[int], [1, 2], [1, 2]),
        (Sequence[str], ["a"], ["a"]),
        (Iterable[bool], [True], [True]),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (Mapping[int, str], {"1": "a", "-2": "b"}, {1: "a", -2: "b"}),
        (Literal["a", 1, True], 1, 1),
        (Literal[Color.RED], "red", Color.RED),
        (Color, "red", Color.RED),
        (Color, 7, Color.NUMBER),
        (Size, 2, Size.LARGE),
        (MessageType, "brand_new", MessageType("brand_new")),
        (Annotated[int, "minutes"], 3, 3),
        (City, "Ulm", "Ulm"),
        (Filters, {"word": "a"}, {"word": "a"}),
        (Filters, {"word": "a", "limit": 2}, {"word": "a", "limit": 2}),
        (Place, {"city": "Ulm"}, Place("Ulm")),
        (Place, {"city": "Ulm", "inner": {"city": "Bonn"}}, Place("Ulm", inner=Place("Bonn"))),
        (Span, {"first": 1, "last": 2, "steps": [1]}, Span(1, 2, [1.0])),
        (list[Place | int], [{"city": "Ulm"}, 4], [Place("Ulm"), 4]),
        (ChatUsage, {"token_count": 3, "new": 1}, ChatUsage(token_count=3, extra_fields={"new": 1})),
    ],
    ids=lambda value: str(value)[:50],
)
def test_json_is_decoded_by_annotation(hint, value, expected):
    """JSON is decoded to the annotated type of the parameter."""
    decoded = decode(hint, value)
    assert decoded == expected
    assert type(decoded) is type(expected)


@pytest.mark.parametrize(
    ("hint", "value", "reason"),
    [
        (str, 7, "one must be a string, not 7"),
        (int, "7", 'one must be an integer, not "7"'),
        (int, 7.5, "one must be an integer, not 7.5"),
        (int, True, "one must be an integer, not true"),
        (float, "x", 'one must be a number, not "x"'),
        (float, 10**400, "one is too large"),
        (bool, 1, "one must be true or false, not 1"),
        (None, 1, "one must be null, not 1"),
        (int | None, "a", 'one must be an integer, not "a", or one must be null, not "a"'),
        (list[int], {"a": 1}, 'one must be an array, not {"a":1}'),
        (list[int], [1, "b"], 'one[1] must be an integer, not "b"'),
        (dict[str, int], [], "one must be an object, not []"),
        (dict[str, int], {"a": "b"}, 'one.a must be an integer, not "b"'),
        (dict[int, int], {"a": 1}, 'a key of one must be an integer, not "a"'),
        (Literal["a", 1], True, 'one must be one of "a", 1, not true'),
        (Color, [], 'one must be one of "red", 7, not []'),
        (Size, True, "one must be one of 1, 2, not true"),
        (Filters, {}, "required but missing: one.word"),
        (Filters, {"word": "a", "x": 1}, "one.x is unknown; expected: word, limit"),
        (Place, "Ulm", 'one must be an object, not "Ulm"'),
        (Place, {"city": 1}, "one.city must be a string, not 1"),
        (Place, {"city": "a", "inner": {"city": "b", "district": 3}}, "one.inner.district must be a string, not 3"),
        (Span, {"first": 1, "last": 10}, "'_last' must be <= 9: 10"),
        (ChatUsage, 3, "one must be an object, not 3"),
        (str, {"long": "x" * 100}, "…"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_wrong_types_are_reported_to_the_bot(hint, value, reason):
    """An argument of the wrong type is reported to the bot with its name, the expected type and the value."""
    with pytest.raises(ToolError) as caught:
        decode(hint, value)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("Invalid arguments for function: ")
    assert len(str(caught.value)) < 250


def weather(city: str, days: int = 1, *, unit: Literal["C", "F"] = "C") -> str:
    return f"{city} {days} {unit}"


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"city": "Ulm"}', {"city": "Ulm"}),
        ('{"city": "Ulm", "days": null, "unit": "F"}', {"city": "Ulm", "unit": "F"}),
        (' {"unit": "C", "city": ""} ', {"city": "", "unit": "C"}),
    ],
)
def test_arguments_are_passed_by_name(text, arguments):
    """Arguments are passed by name; null for a parameter with a default uses the default."""
    assert tool(weather).parameters.decode(text) == arguments


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid arguments for weather: required but missing: city."),
        ("null", "Invalid arguments for weather: required but missing: city."),
        ("{", "The arguments of weather are not JSON: "),
        ('{"city": NaN}', "The arguments of weather are not JSON: NaN is not valid JSON"),
        ("[" * 100_000, "The arguments of weather are not JSON: "),
        ("[1]", "The arguments of weather must be an object, not [1]."),
        ('{"city": null}', "Invalid arguments for weather: city must be a string, not null."),
        ('{"city": "a", "town": "b"}', "Invalid arguments for weather: town is unknown; expected: city, days, unit."),
    ],
)
def test_invalid_arguments_are_reported_to_the_bot(text, reason):
    """Text that is not a JSON object, and missing or unknown arguments, are reported to the bot."""
    with pytest.raises(ToolError) as caught:
        tool(weather).parameters.decode(text)
    assert str(caught.value).startswith(reason)


def test_var_keyword_receives_other_arguments_decoded():
    """A function with `**kwargs` receives all other arguments, decoded."""

    def sums(first: int, **others: int) -> int: ...

    assert tool(sums).parameters.decode('{"first": 1, "b": 2.0}') == {"first": 1, "b": 2}
    with pytest.raises(ToolError, match="b must be an integer"):
        tool(sums).parameters.decode('{"first": 1, "b": "x"}')


class Service:
    def look_up(self, key: str) -> str:
        return key

    def __call__(self, key: int) -> int:
        return key


class Named:
    name = function = "mine"

    def __init__(self) -> None:
        self.name = self.function = "mine as well"

    @tool(name="count-up")
    def count(self, step: int) -> str:
        return f"{self.name} {step}"

    def __call__(self) -> str:
        return self.name


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **others: Any) -> Any:
        return function(*arguments, **others)

    return call


@pytest.mark.parametrize(
    ("function", "name", "text", "arguments"),
    [
        (tool(Service().look_up), "look_up", '{"key": "a"}', {"key": "a"}),
        (tool(Service(), name="service"), "service", '{"key": 3.0}', {"key": 3}),
        (tool(functools.partial(weather, unit="F"), name="us"), "us", '{"city": "a"}', {"city": "a"}),
        (tool(wrapped(weather)), "weather", '{"city": "a", "days": 2.0}', {"city": "a", "days": 2}),
        (tool(name="x")(weather), "x", '{"city": "a"}', {"city": "a"}),
        (Tool(weather), "weather", '{"city": "a"}', {"city": "a"}),
        (tool(Place, name="place"), "place", '{"city": "a"}', {"city": "a"}),
        (tool(tool(weather), name="again"), "again", '{"city": "a", "days": 2.0}', {"city": "a", "days": 2}),
        (
            tool(functools.partial(tool(weather), unit="F"), name="us"),
            "us",
            '{"city": "a", "days": 2.0}',
            {"city": "a", "days": 2},
        ),
        (Named().count, "count-up", '{"step": 2.0}', {"step": 2}),
    ],
    ids=[
        "method",
        "object",
        "partial",
        "wrapped",
        "decorator",
        "class",
        "constructor",
        "tool",
        "partial tool",
        "tool in class",
    ],
)
def test_methods_callables_and_partials_are_tools(function, name, text, arguments):
    """Methods, callable objects, partials and decorated functions can be tools."""
    assert function.name == name
    assert function.parameters.decode(text) == arguments
    assert repr(function) == f"Tool('{name}')"


def test_tool_can_be_called_like_its_function():
    """A tool can be called like its function, and has its docstring."""

    @tool(name="add-up")
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    assert add(1, b=2) == 3
    assert (add.name, add.__doc__, add.__name__) == ("add-up", "Add.", "add")


def test_tool_method_is_bound_to_its_object():
    """A method that is a tool is called with its object, and attributes of the object stay its own."""
    assert Named().count(2) == "mine as well 2"
    assert Named.count.name == "count-up"
    bound = tool(Named(), name="one")
    assert (bound.name, bound()) == ("one", "mine as well")


def positional(a: int, /) -> None: ...
def starred(*a: int) -> None: ...
def unknown_class(a: Service) -> None: ...
def unknown_item(a: list[set[int]]) -> None: ...
def unknown_name(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821  (what is tested)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: tool(positional), "tool positional: parameter a cannot be passed by name"),
        (lambda: tool(starred), "tool starred: parameter a cannot be passed by name"),
        (
            lambda: tool(unknown_class),
            "tool unknown_class: parameter a: JSON cannot represent Service; annotate it with",
        ),
        (lambda: tool(unknown_item), "tool unknown_item: parameter a: JSON cannot represent set"),
        (lambda: tool(unknown_name), "tool unknown_name: its annotations cannot be resolved: name 'Nowhere' is not"),
        (lambda: tool(lambda a: a), "has no name; set one by cozekit.tool"),
        (lambda: tool(functools.partial(weather)), "has no name; set one by cozekit.tool"),
        (lambda: Tool("weather"), "a tool must be a function, not str"),
    ],
    ids=["positional", "starred", "class", "item", "name", "lambda", "partial", "text"],
)
def test_invalid_tools_are_rejected_with_the_reason(make, reason):
    """A function that bots cannot call is rejected when the tool is created, with the reason."""
    with pytest.raises(InvalidArgumentError, match=reason):
        make()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SIMPLE = (str, int, float, bool, None, Any, Color, Size, Place, Span, Filters, Literal["a", 1])


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists, maps = inner.map(lambda hint: list[hint]), inner.map(lambda hint: dict[str, hint])
    return lists | maps | st.lists(inner, min_size=1, max_size=3).map(lambda some: Union[tuple(some)])  # noqa: UP007  (`None | None` is not a type)


HINTS = st.recursive(st.sampled_from(SIMPLE), around, max_leaves=4)


@settings(deadline=None)
@given(HINTS, JSON)
def test_any_json_is_decoded_or_reported(hint, value):
    """Any JSON is decoded to a value or reported to the bot; nothing else is raised."""
    try:
        decode(hint, value)
    except ToolError as error:
        assert str(error)


@settings(deadline=None)
@given(st.text())
@example('{"city": "Oslo"}')
def test_any_arguments_text_is_decoded_or_reported(text):
    """Any text in place of the arguments is decoded or reported to the bot; nothing else is raised."""
    try:
        assert "city" in tool(weather).parameters.decode(text)
    except ToolError as error:
        assert "weather" in str(error)


VALUES = st.fixed_dictionaries(
    {
        "name": st.text(),
        "count": st.integers(),
        "share": st.floats(allow_nan=False, allow_infinity=False),
        "flags": st.lists(st.booleans()),
        "color": st.sampled_from(Color),
        "span": st.builds(Span, st.integers(), st.integers(max_value=9), st.lists(st.integers().map(float))),
        "place": st.none() | st.builds(Place, st.text(), st.text()),
        "table": st.dictionaries(st.text(), st.none() | st.integers()),
    }
)


@settings(deadline=None)
@given(VALUES)
def test_serialized_value_is_decoded_to_itself(values):
    """A value that a tool can return is decoded to itself if it arrives as an argument."""
    from cozekit._tools.tool import serialize_result

    def function(
        name: str,
        count: int,
        share: float,
        flags: list[bool],
        color: Color,
        span: Span,
        place: Place | None,
        table: dict[str, int | None],
    ) -> None: ...

    text = serialize_result(
        {**values, "span": {"first": values["span"].first, "last": values["span"]._last, "steps": values["span"].steps}}
    )
    assert tool(function).parameters.decode(text) == values
