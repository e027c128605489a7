"""Many files become one document: what is hoisted, inlined and rejected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from generator.spec.bundler import Bundle, dump
from generator.spec.diagnostics import DescriptionError
from tests.generator._small import Small


def refused(small: Small) -> list[tuple[str, int, str]]:
    """Return file, line and rule of everything that prevents the bundling."""
    with pytest.raises(DescriptionError) as caught:
        small.bundle()
    return [(problem.file.removeprefix("openapi/"), problem.line, problem.rule) for problem in caught.value.problems]


def schemas(small: Small) -> Any:
    """Return the schemas of the document."""
    return small.bundle().document["components"]["schemas"]


# -- references


def test_reference_to_another_file_becomes_a_component(small: Small) -> None:
    """A `$ref` into another file becomes a `$ref` to a component named by the last segment of its pointer."""
    things = schemas(small)
    assert things["Thing"]["properties"]["made_at"]["$ref"] == "#/components/schemas/UnixTime"
    assert things["UnixTime"]["format"] == "unix-time"


def test_description_beside_a_reference_is_kept(small: Small) -> None:
    """A description beside a `$ref` is kept."""
    assert schemas(small)["Thing"]["properties"]["made_at"]["description"] == "When it was made."


def test_component_kind_follows_the_place_of_the_reference(small: Small) -> None:
    """The place of a `$ref` decides the kind of the component to which it refers."""
    small.write("shared/parameters.yaml", "Id: {name: thing_id, in: path, required: true, schema: {type: string}}\n")
    small.replace(
        "things/delete.yaml", "- {name: thing_id", "- {$ref: '../shared/parameters.yaml#/Id'}\n  - {name: other"
    )
    components = small.bundle().document["components"]
    assert set(components["responses"]) == {"Error", "Empty"}
    assert set(components["parameters"]) == {"Id"}
    assert set(components["x-coze-streams"]) == {"ThingStream"}
    assert [row["code"] for row in components["x-coze-errors"]] == [4000]


@pytest.mark.parametrize("name", ["parameters", "responses", "headers", "links", "protocol", "properties", "items"])
def test_property_may_be_named_parameters(small: Small, name: str) -> None:
    """A reference below a property named `parameters` refers to a schema."""
    prop = f"{name}: {{type: array, description: More., items: {{$ref: '#/Size'}}}}"
    small.replace("things/schemas.yaml", "note: {type", f"{prop}\n    note: {{type")
    document = small.bundle().document
    assert document["components"]["schemas"]["Thing"]["properties"][name]["items"] == {
        "$ref": "#/components/schemas/Size"
    }
    assert "Size" not in document["components"].get(name, {})


@pytest.mark.parametrize("name", ["default", "example", "examples", "enum", "const"])
def test_property_may_be_named_default_or_example(small: Small, name: str) -> None:
    """References below a property named `default` or `example` are resolved."""
    small.replace("things/schemas.yaml", "note: {type", f"{name}: {{$ref: '#/Size'}}\n    note: {{type")
    assert schemas(small)["Thing"]["properties"][name] == {"$ref": "#/components/schemas/Size"}


def test_reference_in_an_example_is_data(small: Small) -> None:
    """A `$ref` inside an example is data and is not resolved."""
    small.replace("things/schemas.yaml", "examples: [{a: b}]", "examples: [{$ref: ./nowhere.yaml}]")
    assert schemas(small)["Thing"]["properties"]["labels"]["examples"] == [{"$ref": "./nowhere.yaml"}]


def test_default_response_is_resolved(small: Small) -> None:
    """References in the response `default` are resolved: it is not a default value."""
    operation = small.bundle().operations()["things.list"][2]
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/Error"}


def test_schemas_of_an_operation_are_hoisted(small: Small) -> None:
    """`components.schemas` at the end of an operation's file become components and are removed from the operation."""
    bundled = small.bundle()
    assert "components" not in bundled.operations()["things.list"][2]
    assert {"ThingPage", "ThingsListResponse"} <= bundled.document["components"]["schemas"].keys()


def test_recursive_schema_is_bundled(small: Small) -> None:
    """A schema that refers to itself is bundled without endless recursion."""
    assert schemas(small)["Part"]["properties"]["inside"]["$ref"] == "#/components/schemas/Part"


def test_discriminator_mapping_becomes_component_pointers(small: Small) -> None:
    """The names in a discriminator's mapping become pointers to components."""
    union = """
        Either:
          description: One or the other.
          oneOf: [{$ref: '#/Thing'}, {$ref: './parts/schemas.yaml#/Part'}]
          discriminator: {propertyName: kind, mapping: {part: './parts/schemas.yaml#/Part', thing: '#/Thing'}}
        """
    text = (small.folder / "things/schemas.yaml").read_text(encoding="utf-8")
    small.write("things/schemas.yaml", text + "\n".join(line[8:] for line in union.splitlines()))
    small.replace("things/schemas.yaml", "note: {type", "either: {$ref: '#/Either'}\n    note: {type")
    assert schemas(small)["Either"]["discriminator"]["mapping"] == {
        "part": "#/components/schemas/Part",
        "thing": "#/components/schemas/Thing",
    }


def test_path_item_may_be_a_reference(small: Small) -> None:
    """A path item that is a `$ref` is replaced by its target, including its operations."""
    small.write("things/both.yaml", "get: {$ref: ./list.yaml}\npost: {$ref: ./create.yaml}\n")
    index = "post: {$ref: ./things/create.yaml}\n    get: {$ref: ./things/list.yaml}"
    small.replace("coze.yaml", index, "$ref: ./things/both.yaml")
    assert {"things.list", "things.create"} <= small.bundle().operations().keys()


# -- errors

BROKEN: dict[str, tuple[str, str, str, str, str]] = {
    # name: file, text, its replacement, text of the reported line, rule
    "missing file": ("things/schemas.yaml", "../shared/types.yaml", "../shared/type.yaml", "type.yaml", "ref"),
    "missing place": ("things/schemas.yaml", "#/UnixTime'", "#/UnixTimes'", "UnixTimes", "ref"),
    "pointer without slash": ("things/schemas.yaml", "#/UnixTime'", "#UnixTime'", "#UnixTime", "ref"),
    "no pointer": ("things/schemas.yaml", "types.yaml#/UnixTime'", "types.yaml'", "types.yaml", "ref"),
    "pointer into a text": ("things/schemas.yaml", "#/UnixTime'", "#/UnixTime/type/x'", "type/x", "ref"),
    "outside": ("things/schemas.yaml", "../shared/types.yaml", "../../../etc.yaml", "etc.yaml", "ref"),
    "address": ("things/schemas.yaml", "../shared/types.yaml", "https://x.org/a.yaml", "x.org", "ref"),
    "beside an operation": ("coze.yaml", "{$ref: ./things/delete.yaml}", "{$ref: ./things/delete.yaml, summary: X}",
                            "summary: X", "ref"),
    "itself": ("shared/types.yaml", "{type: integer,", "{$ref: '#/UnixTime',", "UnixTime", "ref"),
    "same id": ("things/delete.yaml", "operationId: things.delete", "operationId: things.retrieve", "operationId",
                "name-clash"),
    "id is a number": ("things/delete.yaml", "operationId: things.delete", "operationId: 5", "operationId", "shape"),
    "not in the index": ("coze.yaml", "    delete: {$ref: ./things/delete.yaml}\n", "", "openapi", "not-in-index"),
    "no method": ("coze.yaml", "delete: {", "remove: {", "remove", "shape"),
    "parameters of a path": ("coze.yaml", "    delete: {", "    parameters: {a: b}\n    delete: {", "a: b", "shape"),
    "path is a text": ("coze.yaml", "paths:\n", "paths:\n  /v2/things: none\n", "v2", "shape"),
    "operation is a text": ("coze.yaml", "paths:\n", "paths:\n  /v2/things: {get: none}\n", "v2", "shape"),
    "no paths": ("coze.yaml", "paths:\n", "paths: 1\nways:\n", "paths", "shape"),
    "components is a list": ("coze.yaml", "components:\n", "components: []\nparts:\n", "components", "shape"),
    "schemas are a text": ("coze.yaml", "components:\n", "components:\n  schemas: none\n", "none", "shape"),
    "unused": ("things/list.yaml", "    ThingPage:", "    Other: {type: string}\n    ThingPage:", "schemas:", "unused"),
    "local components": ("things/delete.yaml", "deprecated: true", "components: none", "none", "shape"),
    "file name with a null": ("things/schemas.yaml", "'../shared/types.yaml#/UnixTime'", '"a\\0.yaml#/UnixTime"', "a\\0", "ref"),
    "file name of 5,000 characters": ("things/schemas.yaml", "../shared/types.yaml", "x" * 5_000, "xxx", "ref"),
    "key twice": ("things/schemas.yaml", "Size:\n", "Color:\n", "Color:\n", "yaml"),
    "key is a number": ("things/list.yaml", "'200':", "200:", "200:", "yaml"),
    "key is a truth value": ("things/list.yaml", "'200':", "on:", "on:", "yaml"),
    "no yaml": ("things/list.yaml", "responses:\n", "responses: }\n", "responses", "yaml"),
    "tab": ("things/list.yaml", "responses:\n", "\tresponses:\n", "responses", "yaml"),
    "control character": ("things/list.yaml", "Lists them", "Lists \x07 them", "Lists", "yaml"),
    "two documents": ("things/list.yaml", "responses:\n", "---\nresponses:\n", "---", "yaml"),
    "not a number": ("things/list.yaml", "minimum: 1", "minimum: .nan", "nan", "yaml"),
    "infinite": ("things/list.yaml", "minimum: 1", "minimum: -.inf", "inf", "yaml"),
    "python object": ("things/list.yaml", "minimum: 1", "minimum: !!python/name:os.system x", "python", "yaml"),
    "wrong number": ("things/list.yaml", "minimum: 1", "minimum: !!int one", "one", "yaml"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_bundler_errors_have_file_and_line(small: Small, what: str) -> None:
    """Every error that the bundler finds is reported where it is."""
    file, old, new, seen, rule = BROKEN[what]
    small.replace(file, old, new)
    lines = [
        number
        for number, line in enumerate((small.folder / file).read_text(encoding="utf-8").splitlines(), 1)
        if seen in line
    ]
    lines += [line + 1 for line in lines] if rule == "yaml" else []  # YAML reports some errors one line later
    if what == "not in the index":
        file, lines = "things/delete.yaml", [1]
    if what == "key twice":
        lines = [small.line(file, "type: integer") - 1]
    problems = refused(small)
    assert problems
    assert {(name, kind) for name, _, kind in problems} == {(file, rule)}, problems
    assert {line for _, line, _ in problems} & set(lines), problems


def test_long_reference_chain_is_rejected(small: Small) -> None:
    """A chain of more than 50 schemas that refer to each other is rejected at the limit."""
    links = "".join(f"Link{n}: {{items: {{$ref: '#/Link{n + 1}'}}}}\n" for n in range(2_000))
    small.write("things/links.yaml", f"{links}Link2000: {{type: boolean}}\n")
    small.replace("things/schemas.yaml", "    note: {type", "    link: {$ref: './links.yaml#/Link0'}\n    note: {type")
    [(file, line, rule)] = refused(small)
    assert (file, rule) == ("things/links.yaml", "ref")
    assert 40 < line <= 50


def test_two_schemas_with_one_name_are_rejected(small: Small) -> None:
    """Two different schemas cannot share a name; the problem names both places."""
    small.write(
        "shared/types.yaml",
        (small.folder / "shared/types.yaml").read_text(encoding="utf-8") + "Color: {type: string}\n",
    )
    small.replace("things/schemas.yaml", "{$ref: '#/Size', desc", "{$ref: '../shared/types.yaml#/Color', desc")
    with pytest.raises(DescriptionError) as caught:
        small.bundle()
    [problem] = caught.value.problems
    assert (problem.file, problem.rule) == ("openapi/things/schemas.yaml", "name-clash")
    assert problem.line == small.line("things/schemas.yaml", "types.yaml#/Color")
    assert "openapi/things/schemas.yaml#/Color" in problem.message


def test_index_schema_conflicts_with_another_file(small: Small) -> None:
    """A schema in the index and one of the same name in another file conflict, too."""
    small.replace("coze.yaml", "components:\n", "components:\n  schemas: {Size: {type: string}}\n")
    assert refused(small) == [
        (file, line, "name-clash") for file, line, _ in refused(small) if file == "things/schemas.yaml"
    ]


def test_operation_schema_is_unused_if_only_its_namesake_is_referenced(small: Small) -> None:
    """A schema of an operation is unused if only another schema of the same name is referenced."""
    small.replace("things/list.yaml", "    ThingPage:", "    Size: {type: string}\n    ThingPage:")
    assert [rule for _, _, rule in refused(small)] == ["unused"]


@pytest.mark.parametrize("content", ["", "- 1\n", "text\n", "{}\n"])
def test_invalid_index_is_reported(small: Small, content: str) -> None:
    """An empty index, a list and a string are reported and do not crash the bundler."""
    small.write("coze.yaml", content)
    assert refused(small) == [("coze.yaml", 1, "shape")]


def test_missing_index_is_reported(small: Small) -> None:
    """An index that does not exist is reported."""
    small.index.unlink()
    assert refused(small) == [("coze.yaml", 1, "yaml")]


def test_yaml_anchor_inside_itself_is_reported(small: Small) -> None:
    """An anchor inside itself is reported and not followed endlessly."""
    small.replace("things/list.yaml", "x-coze-pagination: {", "x-coze-notes: &notes [*notes]\nx-coze-pagination: {")
    assert [rule for _, _, rule in refused(small)] == ["yaml"]


def test_all_errors_are_reported_at_once(small: Small) -> None:
    """The bundler continues after an error and reports all of them."""
    small.replace("things/schemas.yaml", "#/UnixTime'", "#/UnixTimes'")
    small.replace("coze.yaml", "./things/delete.yaml", "./things/remove.yaml")
    assert {file for file, _, _ in refused(small)} == {"things/schemas.yaml", "coze.yaml", "things/delete.yaml"}


# -- the document


def test_document_is_valid_openapi(real: Bundle) -> None:
    """The bundle of the real description is a valid OpenAPI 3.1 document without references to files."""
    document = json.loads(dump(real.document))
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())
    assert ".yaml" not in " ".join(references(document))


def references(value: Any) -> list[str]:
    """Return all references in a document."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    here = [value["$ref"]] if isinstance(value, dict) and isinstance(value.get("$ref"), str) else []
    return here + [reference for item in items for reference in references(item)]


def test_document_does_not_depend_on_the_order_of_paths(small: Small) -> None:
    """Components are sorted, so moving a line of the index moves no component."""
    before = list(schemas(small))
    line = "    delete: {$ref: ./things/delete.yaml}\n"
    small.replace("coze.yaml", line, "")
    small.replace("coze.yaml", "paths:\n", f"paths:\n  /v1/thing/{{thing_id}}:\n{line}")
    assert list(schemas(small)) == before == sorted(before)


def test_dates_stay_strings(small: Small) -> None:
    """A YAML date is read as a string, since JSON has no dates."""
    small.replace("things/schemas.yaml", "examples: [old]", "examples: [2024-12-10]")
    assert schemas(small)["Thing"]["properties"]["note"]["examples"] == ["2024-12-10"]


def test_hoisted_mappings_keep_their_lines(small: Small) -> None:
    """Hoisted mappings keep the lines of their keys."""
    thing = schemas(small)["Thing"]
    assert thing.file == "openapi/things/schemas.yaml"
    assert thing["properties"].line_of("color") == small.line("things/schemas.yaml", "color: {$ref")
