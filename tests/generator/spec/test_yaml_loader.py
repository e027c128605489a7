"""Loading a YAML file takes time in proportion to its size, and gives JSON values or an error with a line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from generator.spec import yaml_loader
from generator.spec.diagnostics import DescriptionError

#: Each alias contains the previous one nine times: 9 ** 30 values.
LAUGHS = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 31))
#: Text of a file, the reported line, and a part of the message.
REFUSED = {
    "aliases of aliases": (LAUGHS, 2, "*a0 repeats"),
    "one alias": ("a: &one {b: c}\nd:\n  - *one\n", 3, "*one repeats what &one marks"),
    "list in itself": ("x: y\na: &a [*a]\n", 2, "*a repeats"),
    "mapping in itself": ("x: y\na: &a\n  b: *a\n", 3, "*a repeats"),
    "merge key": ("a: &a {b: c}\nd:\n  <<: *a\n", 3, "write out what << merges"),
    "merge of a huge list": (
        f"a: &a {{b: c}}\nd:\n  <<: [{', '.join(['*a'] * 10_000)}]\n",
        3,
        "write out what << merges",
    ),
    "tab before a key": ("a:\n\tb: c\n", 2, "replace the tab by spaces"),
    "tab after a value": ("a:\n  b: c\n\td: e\n", 3, "replace the tab by spaces"),
    "tab before a list": ("a:\n  - b\n  \t- c\n", 3, "replace the tab by spaces"),
    "tab in a folded text": ("a:\n  b: >-\n    c\n\td\n", 4, "replace the tab by spaces"),
    "yes in an enum": ("enum:\n  - maybe\n  - yes\n", 3, "put yes in quotes, or write true or false"),
    "No in an enum": ("type: string\nenum: [maybe, No]\n", 2, "put No in quotes"),
    "on": ("a: b\nc: on\n", 2, "put on in quotes"),
    "OFF": ("a: b\nc: OFF\n", 2, "put OFF in quotes"),
    "65 lists": ("a:\n  " + "[" * 65 + "]" * 65, 2, "more than 64 levels deep"),
    "10,000 open lists": ("[" * 10_000, 1, "nest"),
    "10,000 mappings": ("{a: " * 10_000, 1, "nest"),
    "10,000 items": ("- " * 10_000 + "x", 1, "nest"),
    "10,000 complex keys": ("? " * 10_000, 1, "nest"),
    "list as a key": ("a: b\n? [c]\n: d\n", 2, "in quotes"),
    "number of 100,000 digits": (f"a: b\nc: {'9' * 100_000}\n", 2, "JSON has nothing like"),
    "hexadecimal of 100,000 digits": (f"a: b\nc: 0x{'f' * 100_000}\n", 2, "JSON has nothing like"),
    "sexagesimal of 10,000 places": (f"a: b\nc: 1{':59' * 10_000}\n", 2, "JSON has nothing like"),
    "sexagesimal fraction": (f"a: b\nc: 1{':59' * 10_000}.5\n", 2, "JSON has nothing like"),
    "infinite": ("a: 1.0e+400\n", 1, "JSON has nothing like"),
    "integer without digits": ("a: b\nc: !!int ''\n", 2, "JSON has nothing like"),
    "float without digits": ("a: b\nc: !!float ''\n", 2, "JSON has nothing like"),
    "boolean that is none": ("a: b\nc: !!bool x\n", 2, "JSON has nothing like"),
    "tag of Python": ("a: b\nc: !!python/name:os.system x\n", 2, "JSON has nothing like"),
    "surrogate": ('a: b\nc: "\\ud800"\n', 2, ""),
    "surrogate in a key": ('a: b\n"\\ud800": c\n', 2, ""),
    "two documents": ("a: b\n---\nc: d\n", 2, "another document"),
}


@pytest.fixture(params=["libyaml", "Python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Return the YAML parser in C, or the one in Python for systems without libyaml."""
    if request.param == "Python":
        monkeypatch.setattr(yaml_loader, "_Loader", yaml.SafeLoader)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML has no libyaml here")


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("what", REFUSED)
def test_exploding_or_non_json_yaml_is_reported_with_its_line(tmp_path: Path, what: str) -> None:
    """YAML that would expand without limit, or is not JSON, is one problem at its line."""
    text, line, words = REFUSED[what]
    path = tmp_path / "description.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DescriptionError) as refused:
        yaml_loader.load(path, tmp_path)
    [problem] = refused.value.problems
    assert (problem.file, problem.line, problem.rule) == ("description.yaml", line, "yaml")
    assert words in problem.message
    assert str(problem).isprintable()
    assert len(str(problem)) < 600


@pytest.mark.usefixtures("loader")
def test_unused_anchors_60_levels_and_all_numbers_are_read(tmp_path: Path) -> None:
    """Unused anchors, 60 levels, and numbers in every notation are read."""
    path = tmp_path / "description.yaml"
    path.write_text(f"a: &a 0x10\nb: 18446744073709551615\nc: {'[' * 60}{']' * 60}\nd: 2024-01-01\n", encoding="utf-8")
    read = yaml_loader.load(path, tmp_path)
    assert (read["a"], read["b"], read["d"]) == (16, 18446744073709551615, "2024-01-01")
