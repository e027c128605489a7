"""Each lint rule, violated once in a description that is otherwise valid."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from generator.lint import RULES, lint
from generator.spec.bundler import bundle
from tests.generator.lint._project import Project

ROOT = Path(__file__).resolve().parents[3]
START, LIST = "things/start.yaml", "things/list.yaml"
WATCH, MADE, SIGNED = "things/watch.yaml", "webhooks/thing_made.yaml", "shared/callbacks.yaml"
SCHEMAS, EVENTS, INDEX = "things/schemas.yaml", "things/events.yaml", "coze.yaml"
END, TAGS = "things/end.yaml", "tags: [things]\n"
ENVELOPE, ERRORS = "shared/envelope.yaml", "shared/errors.yaml"


@attrs.frozen
class Case:
    """A change that violates one rule.

    Attributes:
        rule: The rule.
        file: The file to change.
        old: Text that is replaced.
        new: Its replacement.
        line: Text of the line that must be reported, after the change.
        place: The file that must be reported, if it is another one.
        words: A part of the message.
    """

    rule: str
    file: str
    old: str
    new: str
    line: str
    place: str = ""
    words: str = ""


CASES = [
    Case("line-length", START, "Starts it.", f"{'Starts it. ' * 12}Done.", "Starts it."),
    Case("unused-component", SCHEMAS, "Level:\n", "Odd:\n  type: object\nLevel:\n", "Odd:"),
    Case("unused-component", EVENTS, "ThingStream:\n", "Odd: {}\nThingStream:\n", "Odd:"),
    Case("operation-keys", START, "description: Starts it.\n", "", "operationId"),
    Case("operation-keys", START, "x-coze-idempotent: false\n", "", "operationId"),
    Case("known-key", INDEX, "tags:\n", "servrs: []\ntags:\n", "servrs:",
         words="there is no key servrs in this index; did you mean servers?"),
    Case("known-key", INDEX, "{name: things, description: Things.}", "{name: things, description: Things., title: T}",
         "name: things", words="there is no key title in this tag"),
    Case("known-key", WATCH, "{url: wss://example.com, ", "{url: wss://example.com, names: X, ", "names: X"),
    Case("known-key", START, "{url: https://www.coze.cn/start}", "{url: https://www.coze.cn/start, name: X}", "name: X",
         words="there is no key name in this externalDocs"),
    Case("known-key", START, "x-coze-permission: start\n", "deprecat: true\nx-coze-permission: start\n", "deprecat",
         words="there is no key deprecat in this operation; did you mean deprecated?"),
    Case("known-key", LIST, "    description: Number of the page.\n",
         "    description: Number of the page.\n    requires: true\n", "requires:", words="did you mean required?"),
    Case("known-key", START, "requestBody:\n  required: true", "requestBody:\n  require: true", "require: true",
         words="there is no key require in this request body; did you mean required?"),
    Case("known-key", START, "description: Started.", "description: Started.\n    header: {}", "header:",
         words="there is no key header in this response; did you mean headers?"),
    Case("known-key", LIST, "        example: {data", "        exampl: {}\n        example: {data",
         "exampl: {}", words="there is no key exampl in this media type; did you mean example?"),
    Case("known-key", SCHEMAS, "    description: Id of the thing.\n",
         "    description: Id of the thing.\n      maxLengths: 5\n", "maxLengths", words="did you mean maxLength?"),
    Case("path-parameter", LIST, "- name: thing_id\n", "- name: thingid\n", "name: thingid",
         words="there is no {thingid} in /v1/things/{thing_id}; did you mean thing_id?"),
    Case("path-parameter", START, "in: path\n", "in: query\n", "parameters:", words="describe the path parameter thing_id"),
    Case("key-order", LIST, "tags: [things]\nx-coze-result: data\n",
         "x-coze-result: data\ntags: [things]\n", "tags:"),
    Case("summary", START, "Start a thing", "Start a thing.", "summary:"),
    Case("summary", START, "Start a thing", "Start a thing " + "and wait " * 6, "summary:"),
    Case("official-page", START, "https://www.coze.cn/", "https://example.com/", "externalDocs:"),
    Case("official-page", LIST, "externalDocs: {url: https://www.coze.cn/list}\n", "",
         "operationId"),
    Case("tags", START, "tags: [things]", "tags: [thing]", "tags:"),
    Case("tags", INDEX, "{name: things, description: Things.}", "{name: things}", "{name: things}"),
    Case("tags", INDEX, "tags:\n", "tags:\n  - {name: others, description: Others.}\n", "name: others",
         words="remove the tag others: no operation has it"),
    Case("tags", INDEX, "tags:\n", "tags:\n  - {name: things, description: More.}\n", "description: Things.",
         words="remove the tag things here: it is listed twice"),
    Case("security", INDEX, "components:\n", "components:\n  securitySchemes:\n    key: {type: apiKey, in: header, name: X}\n",
         "key: {", words="remove the security scheme key: there is only bearer"),
    Case("security", INDEX, "components:\n", "components:\n  securitySchemes:\n    bearer: {type: http, scheme: basic}\n",
         "bearer: {", words="remove the security scheme bearer"),
    Case("security", LIST, "parameters:\n", "security:\n  - {}\n  - oauth: [read]\nparameters:\n", "oauth: [read]",
         words="authorized by bearer: [] only"),
    Case("error-answer", LIST, "default: {$ref: '../shared/responses.yaml#/Error'}",
         "'201': {description: Done.}", "'200':"),
    Case("parameter-order", LIST, "in: query\n", "in: header\n", "name: page_size"),
    Case("parameter-unique", LIST, "  - name: page_size\n",
         "  - {name: page, in: query, description: Twice., schema: {type: integer}, example: 1}\n  - name: page_size\n",
         "Twice.", words="remove the parameter page here: things.list lists it twice"),
    Case("parameter-schema", LIST, "    description: Number of the page.\n", "", "name: page"),
    Case("result-member", START, "idempotent: false\n", "idempotent: false\nx-coze-result: date\n",
         "x-coze-result"),
    Case("result-member", SCHEMAS, "    data: {$ref: '#/Thing'}\n", "    thing: {$ref: '#/Thing'}\n", "'200':", START,
         "the response has no data: name the member that the method returns in x-coze-result"),
    Case("pagination", LIST, "style: page", "style: pages", "style:"),
    Case("pagination", LIST, "param: page", "param: page_num", "param:"),
    Case("pagination", LIST, "items: data.items", "items: data.things", "items:"),
    Case("pagination", LIST, "items: data.items", "items: data.total", "items:"),
    Case("pagination", LIST, "total: data.total", "totl: data.total", "totl:",
         words="x-coze-pagination has no key totl; did you mean total?"),
    Case("pagination", LIST, "  size: page_size\n", "", "style:"),
    Case("stream", START, "flag: stream", "flag: streams", "flag:"),
    Case("stream", START, "  method: stream\n", "", "x-coze-stream:"),
    Case("stream-protocol", EVENTS, "ends: maybe", "ends: never", "ends:"),
    Case("stream-protocol", EVENTS, "fails: true", "fail: true", "fail:"),
    Case("poll", START, "operation: things.list", "operation: things.lst", "operation: things.lst",
         words="there is no operation things.lst; did you mean things.list?"),
    Case("replaced-by", END, TAGS, f"{TAGS}x-coze-replaced-by: things.list\n", "x-coze-replaced-by:",
         words="add deprecated: true, or remove x-coze-replaced-by"),
    Case("replaced-by", END, TAGS, f"{TAGS}deprecated: true\nx-coze-replaced-by: things.end\n", "x-coze-replaced-by:",
         words="things.end cannot replace itself"),
    Case("replaced-by", END, TAGS, f"{TAGS}deprecated: true\nx-coze-replaced-by: list\n", "x-coze-replaced-by:",
         words="there is no operation list"),
    Case("replaced-by", START, "name: depth", "name: depth\n    deprecated: true\n    x-coze-replaced-by: levels",
         "x-coze-replaced-by:", words="there is no argument levels; did you mean level?"),
    Case("replaced-by", SCHEMAS, "description: State of the thing.",
         "description: State of the thing.\n      deprecated: true\n      x-coze-replaced-by: states",
         "x-coze-replaced-by:", words="there is no property states"),
    Case("former-operation", END, TAGS, f"{TAGS}x-coze-formerly: things.end\n", "x-coze-formerly:",
         words="things.end is in use: remove x-coze-formerly"),
    Case("former-operation", END, TAGS, f"{TAGS}x-coze-formerly: things.stream\n", "x-coze-formerly:",
         words="things.stream is in use"),
    Case("former-operation", MADE, "tags: [webhooks]\n", "tags: [webhooks]\nx-coze-formerly: webhooks.made\n",
         "x-coze-formerly:", words="a callback is no method"),
    Case("former-argument", START, "name: depth", "name: depth\n    x-coze-formerly: level", "x-coze-formerly:",
         words="level is in use: remove x-coze-formerly"),
    Case("former-argument", SCHEMAS, "level: {$ref: '#/Level'}",
         "level: {$ref: '#/Level', x-coze-formerly: thing_id}", "x-coze-formerly:", words="thing_id is in use"),
    Case("former-argument", SCHEMAS, "description: Id of the thing.",
         "description: Id of the thing.\n      x-coze-formerly: key", "x-coze-formerly:",
         words="only members of a request body itself are arguments"),
    Case("poll", START, "status: state", "status: status", "status:"),
    Case("poll", START, "terminal: [done]", "terminal: [over]", "terminal:"),
    Case("poll", START, "terminal: [done]", "terminal: [done, running]", "terminal:"),
    Case("poll", START, "terminal: [done]", "terminal: [done]\n  failed: [running]", "failed:"),
    Case("poll", START, "terminal: [done]", "terminal: [done]\n  items: total", "items:"),
    Case("poll", START, "terminal: [done]", "terminal: [done]\n  waiting: question", "waiting:"),
    Case("poll", START, "terminal: [done]", "terminal: [done]\n  flag: later", "flag: later"),
    Case("websocket", WATCH, "wss://", "https://", "servers:"),
    Case("websocket", WATCH, "'101':", "'200':", "x-coze-websocket"),
    Case("websocket", LIST, "  default:", "  '101': {description: Open.}\n  default:", "operationId"),
    Case("socket-protocol", EVENTS, "answers: [thing.watched]", "answers: [thing.seen]", "answers:"),
    Case("socket-protocol", EVENTS, "answers: [thing.watched]", "ends: always # never", "# never"),
    Case("socket-protocol", EVENTS, "ends: always", "ends: once", "ends: once"),
    Case("callback", MADE, "class: Thing", "class: ThingMade", "schema:"),
    Case("callback", INDEX, "thing.made:", "thing.finished:", "operationId", MADE),
    Case("callback", MADE, "'200':", "'204':", "responses:"),
    Case("signature", SIGNED, "algorithm: sha1", "algorithm: sha0", "algorithm:"),
    Case("signature", SIGNED, "input: [timestamp, token]", "input: [token, timestamp]", "    signature:"),
    Case("signature", SIGNED, "timestamp: X-Time, ", "", "header_names:"),
    Case("message-class", EVENTS, "class: ThingWatched", "class: THING", "class: THING"),
    Case("message-class", EVENTS, "class: ThingWatched", "class: thing_watched", "class: thing_"),
    Case("unused-component", SIGNED, "Signature:\n", "Odd: {}\nSignature:\n", "Odd:"),
    Case("operation-keys", MADE, "tags: [webhooks]\n", "", "operationId"),
    Case("key-order", SCHEMAS, "  type: object\n  description: A thing.\n",
         "  description: A thing.\n  type: object\n", "type: object"),
    Case("described", SCHEMAS, "      description: Id of the thing.\n", "", "type: string"),
    Case("leaf-example", SCHEMAS, "      examples: ['7000000000000000001']\n", "", "type: string"),
    Case("leaf-example", SCHEMAS, "      examples: [[red]]\n", "", "type: array"),
    Case("inline-object", SCHEMAS, "items: {type: string}\n      examples: [[red]]",
         "items: {type: object, properties: {}}", "properties: {}"),
    Case("inline-enum", SCHEMAS, "examples: ['{}']", """enum: ['{"id": "1"}']""", "enum: ['{"),
    Case("title", SCHEMAS, "  description: How much.\n",
         "  description: How much.\n  title: Level\n", "title"),
    Case("nullable", SCHEMAS, "  description: How much.\n",
         "  description: How much.\n  nullable: true\n", "nullable"),
    Case("required-member", SCHEMAS, "  description: An event as it is sent.\n",
         "  description: An event as it is sent.\n  required: [event, id]\n", "required: [event"),
    Case("enum-unique", SCHEMAS, "enum: [running, done]", "enum: [running, done, done]", "enum:"),
    Case("enum-names", SCHEMAS, "  x-coze-enum-names: [LITTLE, MUCH]\n", "", "enum: [1, 2]"),
    Case("enum-names", SCHEMAS, "[LITTLE, MUCH]", "[LITTLE]", "x-coze-enum-names"),
    Case("enum-names", SCHEMAS, "[LITTLE, MUCH]", "[LITTLE, very much]", "x-coze-enum-names"),
    Case("enum-descriptions", SCHEMAS, "running: Not", "waiting: Not", "waiting:"),
    Case("version", INDEX, "version: 1.0.0", "version: 1.0.0, x-coze-as-of: '2026-01'", "version: 1.0.0",
         words="write 2026.1. and a number, as x-coze-as-of is 2026-01"),
    Case("version", INDEX, "version: 1.0.0", "version: 2026.01.3, x-coze-as-of: '2026-01'", "version: 2026.01.3"),
    Case("extension-key", LIST, "x-coze-notes:", "x-coze-note:", "x-coze-note",
         words="explain x-coze-note in openapi/extensions.md, or remove it; did you mean x-coze-notes?"),
    Case("extension-key", SCHEMAS, "    examples: ['{}']",
         "    x-coze-notes: [No.]\n      examples: ['{}']", "x-coze-notes"),
    Case("error-codes", ERRORS, "hint: Correct it.", "hints: Correct it.", "hints:"),
    Case("error-codes", ERRORS, "code: 4001", "code: 4000 # again", "again"),
    Case("error-codes", ERRORS, "  name: CODE_4001\n", "", "code: 4001"),
    Case("example", LIST, "    example: 10\n", "", "name: page_size"),
    Case("example-valid", LIST, "example: 10", "example: ten", "example: ten"),
    Case("example-valid", LIST, "total: 1,", "total: one,", "total: one"),
    Case("example-valid", LIST, "    schema: {type: integer}\n    example: 1\n", "    example: 1\n", "    example: 1",
         words="add the schema that the example obeys"),
    Case("example-valid", LIST, "schema: {type: integer}\n    example: 10",
         "schema: {anyOf: [{type: integer, minimum: 20}, {type: string}]}\n    example: 10", "example: 10",
         words="correct the example: 10 is less than the minimum of 20"),
    Case("example-valid", SCHEMAS, "examples: [thing.changed]", "examples: [1]", "examples: [1]"),
    Case("default-valid", SCHEMAS, "default: running", "default: waiting", "default: waiting"),
    Case("from-string", SCHEMAS, "id: $string", "id: text", "x-coze-from-string"),
    Case("from-string", SCHEMAS, "id: $string", "ids: $string", "x-coze-from-string"),
    Case("event-example", START, "event: thing.changed", "event: thing.gone", "event: thing.gone"),
    Case("event-example", START, """'{"id": "1"}'""", """'{"id": 1}'""", "event: thing.changed"),
    Case("event-example", START, """'{"id": "1"}'""", r"""'{"id": ["\ud800"]}'""", "event: thing.changed",
         words="a surrogate is not a character"),
    Case("masked", SCHEMAS, "7000000000000000001", "700000000000000****", "****"),
    Case("named-in-text", LIST, "Ordered by id.", "Started by `things.startt`.", "x-coze-notes",
         words="there is no operation things.startt; did you mean things.start?"),
    Case("named-in-text", SCHEMAS, "Not yet done.", "Not yet seen by `people.look`.", "`people.look`",
         words="there is no operation people.look"),
    Case("openapi", LIST, "in: query\n", "in: cookies\n", "in: cookies"),
    Case("openapi", LIST, "    description: A page.\n", "", "    content:",
         words='"description" is a required property'),
    Case("openapi", SCHEMAS, "items: {type: string}", "items: {type: string, pattern: '['}", "pattern:",
         words='"[" is not a "regex"'),
    Case("ref", SCHEMAS, "items: {type: string}", "items: {$ref: '#/ThingSate'}", "ThingSate",
         words="#/ThingSate does not exist: the file has no such place; did you mean ThingState?"),
    Case("shape", INDEX, "    post:\n      $ref: ./webhooks", "    pst:\n      $ref: ./webhooks", "pst:",
         words="thing.made has pst, which is not an HTTP method; did you mean post?"),
    Case("shape", INDEX, "paths:", "path:", "path:", words="there is no key path in this index; did you mean paths?"),
    Case("shape", EVENTS, "data: {$ref: './schemas.yaml#/Thing'}\n        answers",
         "data: {type: object}\n        answers", "data: {type", words="data must be a $ref"),
    Case("shape", MADE, "answer_within_seconds: 3", "answer_within_seconds: soon", "answer_within",
         words="answer_within_seconds must be a whole number greater than 0"),
    Case("shape", SCHEMAS, "required: [id]", "required: id", "required:"),
    Case("shape", SCHEMAS, "type: integer\n  description: How", "type: int\n  description: How", "type: int",
         words="type must be a type of JSON Schema or a list of types"),
    Case("shape", SCHEMAS, "  description: How much.\n", "  description: How much.\n  minLength: -1\n", "minLength:"),
    Case("shape", LIST, "x-coze-notes:", "x-coze-max-body-bytes: 0\nx-coze-notes:", "x-coze-max-body-bytes"),
    Case("shape", LIST, "x-coze-notes:",
         "x-coze-evidence: {grade: certain, source: X, date: soon}\nx-coze-notes:", "x-coze-evidence"),
    Case("shape", SCHEMAS, "      examples: ['{}']",
         "      x-coze-json-text: {$ref: '#/Thing'}\n      examples: ['{}']", "x-coze-json-text"),
    Case("shape", START, "required: true\n    description: Id", "required: 1\n    description: Id", "required: 1"),
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a valid description."""
    return Project(tmp_path)


def test_valid_description_has_no_violations(project: Project) -> None:
    """A description that keeps all rules has no violations."""
    assert project.violations() == set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}:{case.line.split()[0]}")
def test_violation_is_reported_with_rule_file_and_line(project: Project, case: Case) -> None:
    """A violation is reported with its rule, file and line, and no other violation is."""
    project.replace(case.file, case.old, case.new)
    place = case.place or case.file
    problems = {(problem.file, problem.line, problem.rule): problem.message for problem in project.problems()}
    expected = (f"openapi/{place}", project.line(place, case.line), case.rule)
    assert problems.keys() == {expected}
    assert case.words in problems[expected]


@pytest.mark.parametrize("named", ["things.start", "thing.watched", "items.id", "Things.Start", "shared/a.yaml"])
def test_operations_messages_members_and_files_may_be_named_in_texts(project: Project, named: str) -> None:
    """Ids of operations, messages of WebSockets, paths of members, and what no id looks like may be named in texts."""
    project.replace(LIST, "Ordered by id.", f"Ordered like `{named}`.")
    assert project.violations() == set()


def test_every_rule_is_tested() -> None:
    """Every rule has a test that violates it."""
    below = {"operation-file", "body-name", "answer-name"}
    below |= {"component-name", "name-unique", "client-name"}
    below |= {"wire-name", "http-name"}  # in parser/test_naming.py
    assert {case.rule for case in CASES} | below == {*RULES, "shape", "ref"}


def test_two_operations_cannot_replace_each_other(project: Project) -> None:
    """A deprecated operation is replaced by one that is not deprecated, so that no circle can come about."""
    project.replace(END, TAGS, f"{TAGS}deprecated: true\nx-coze-replaced-by: things.list\n")
    project.replace(LIST, TAGS, f"{TAGS}deprecated: true\nx-coze-replaced-by: things.end\n")
    key = "x-coze-replaced-by:"
    assert project.violations() == {(file, project.line(file, key), "replaced-by") for file in (END, LIST)}
    assert "things.end is deprecated too: name what is not" in {problem.message for problem in project.problems()}


def test_old_name_belongs_to_one_operation_and_one_argument(project: Project) -> None:
    """The second thing of the same old name is reported."""
    project.replace(LIST, TAGS, f"{TAGS}x-coze-formerly: things.all\n")
    project.replace(END, TAGS, f"{TAGS}x-coze-formerly: things.all\n")
    project.replace(LIST, "name: page\n", "name: page\n    x-coze-formerly: number\n")
    project.replace(LIST, "name: page_size\n", "name: page_size\n    x-coze-formerly: number\n")
    assert {(file, rule) for file, _, rule in project.violations()} == {
        (END, "former-operation"),
        (LIST, "former-argument"),
    }
    assert len(project.violations()) == 2


def test_operation_id_must_match_its_file(project: Project) -> None:
    """An operation whose id differs from the path of its file is reported at its id."""
    (project.folder / LIST).rename(project.folder / "things/all.yaml")
    project.replace(INDEX, LIST, "things/all.yaml")
    assert project.violations() == {("things/all.yaml", 1, "operation-file")}


@pytest.mark.parametrize("side", ["Request", "Response"])
def test_request_and_response_schemas_are_named_after_the_operation(project: Project, side: str) -> None:
    """A request or response schema that is not named after its operation is reported at the schema."""
    project.rename(f"ThingsStart{side}", f"Start{side}")
    rule = "body-name" if side == "Request" else "answer-name"
    assert project.violations() == {(START, project.line(START, f"/Start{side}"), rule)}


@pytest.mark.parametrize("name", ["level_of", "Größe", "L" * 61])
def test_component_names_are_pascal_case(project: Project, name: str) -> None:
    """A component whose name is not PascalCase, ASCII and at most 60 characters is reported."""
    project.rename("Level", name)
    assert project.violations() == {(SCHEMAS, project.line(SCHEMAS, f"{name}:") + 1, "component-name")}


def test_names_that_differ_in_case_only_are_reported(project: Project) -> None:
    """Two schemas whose names differ only in case are reported at one of them."""
    project.rename("Level", "THING")
    assert project.violations() == {(SCHEMAS, project.line(SCHEMAS, "Thing:") + 1, "name-unique")}


@pytest.mark.parametrize("name", ["V3chat", "Warning"])
def test_name_that_openapi_python_client_changes_is_reported(project: Project, name: str) -> None:
    """A name that openapi-python-client would change is reported."""
    project.rename("Level", name)
    assert project.violations() == {(SCHEMAS, project.line(SCHEMAS, f"{name}:") + 1, "client-name")}


def test_key_order_message_shows_the_right_order(project: Project) -> None:
    """The message about a misplaced key shows the right order of the keys."""
    project.replace(
        SCHEMAS,
        "type: object\n  description: A thing.\n",
        "description: A thing.\n  type: object\n",
    )
    (problem,) = project.problems()
    assert problem.message == "move type up: the order is type, description, required, properties, x-coze-from-string"


def test_faults_of_independent_files_are_found_in_one_run(project: Project) -> None:
    """A file that is not YAML, one with a wrong type and one with a wrong reference hide no faults of other files."""
    project.replace(LIST, "  style: page\n", "\tstyle: page\n")  # operations that depend on it: none but itself
    project.replace(EVENTS, "ids: false", "ids: maybe")  # things.start and things.watch depend on it
    project.replace(MADE, "things/schemas.yaml#/Thing", "things/schemas.yaml#/Thin")
    project.replace("things/end.yaml", "End a thing", "End a thing.")
    project.replace(ERRORS, "hint: Correct it.", "hints: Correct it.")
    assert project.violations() == {
        (LIST, project.line(LIST, "style"), "yaml"),
        (EVENTS, project.line(EVENTS, "ids"), "shape"),
        (MADE, project.line(MADE, "Thin'"), "ref"),
        ("things/end.yaml", project.line("things/end.yaml", "summary"), "summary"),
        (ERRORS, project.line(ERRORS, "hints"), "error-codes"),
    }


def test_missing_file_hides_no_faults_of_others(project: Project) -> None:
    """A line of the index that refers to no file hides nothing but that operation, of which no other fault follows."""
    project.replace(INDEX, "things/start.yaml", "things/begin.yaml")
    project.replace("things/end.yaml", "End a thing", "End a thing.")
    assert project.violations() == {
        (INDEX, project.line(INDEX, "begin.yaml"), "ref"),
        (START, 1, "not-in-index"),
        ("things/end.yaml", project.line("things/end.yaml", "summary"), "summary"),
    }


def test_unreadable_files_and_exceptions_hide_no_faults_of_others(project: Project) -> None:
    """A file that is not UTF-8, a folder that is called like a file, and wrong exceptions hide nothing."""
    (project.folder / LIST).write_bytes(b"summary: \xff\n")
    (project.folder / "things/begin.yaml").mkdir()
    (project.folder / "exceptions.yaml").write_text("- pointer: a\n\treason: b\n", encoding="utf-8")
    project.replace("things/end.yaml", "End a thing", "End a thing.")
    assert project.violations() >= {
        (LIST, 1, "yaml"),
        ("exceptions.yaml", 2, "yaml"),
        ("things/end.yaml", project.line("things/end.yaml", "summary"), "summary"),
    }


def test_index_that_is_no_yaml_is_reported_alone(project: Project) -> None:
    """Without an index there are no operations, so that its fault is the only one."""
    project.replace(INDEX, "paths:", "\tpaths:")
    project.replace(START, "Start a thing", "Start a thing.")
    assert project.violations() == {(INDEX, project.line(INDEX, "paths:"), "yaml")}


def test_real_description_has_no_violations() -> None:
    """The description in `openapi/` has no violations."""
    problems = lint(bundle(ROOT / "openapi" / "coze.yaml"))
    assert not problems, "\n".join(map(str, problems))
