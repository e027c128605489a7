"""A small description that uses every feature of the generator once, and ways to change and to generate it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from generator import _ir as ir
from generator._bundle import Bundle, bundle
from generator._generate import Summary, generate
from generator._opc import parse
from generator._parse import build_api
from generator._problems import DescriptionError, Problem
from generator.lint import lint

__all__ = ["FILES", "Small"]

_ROOT = Path(__file__).resolve().parents[2]

FILES: dict[str, str] = {
    "coze.yaml": """\
        openapi: 3.1.0
        info: {title: Small, version: 1.2.3}
        tags:
          - {name: things, description: What there is.}
        paths:
          /v1/things:
            post: {$ref: ./things/create.yaml}
            get: {$ref: ./things/list.yaml}
          /v1/things/{thing_id}:
            get: {$ref: ./things/retrieve.yaml}
            delete: {$ref: ./things/delete.yaml}
          /v1/things/{thing_id}/parts:
            get: {$ref: ./things/parts/list.yaml}
            post: {$ref: ./things/parts/upload.yaml}
        components:
          x-coze-errors: {$ref: ./shared/errors.yaml}
        """,
    "shared/errors.yaml": """\
        - code: 4000
          name: WRONG
          meaning: A parameter is wrong.
          category: invalid_request
          retryable: false
          hint: Correct it.
        """,
    "shared/responses.yaml": """\
        Error:
          description: Failed.
          content:
            application/json:
              schema: {$ref: './envelope.yaml#/Envelope'}
              example: {code: 4000}
        Empty:
          description: Done.
          content:
            application/json:
              schema: {$ref: './envelope.yaml#/Envelope'}
              example: {code: 0}
        """,
    "shared/envelope.yaml": """\
        Envelope:
          type: object
          description: An answer without data.
          required: [code]
          properties:
            code: {type: integer, description: Error code., examples: [0]}
        """,
    "shared/types.yaml": """\
        UnixTime: {type: integer, format: unix-time, description: A moment., examples: [1715847583]}
        """,
    "things/create.yaml": """\
        operationId: things.create
        summary: Create a thing
        description: Makes one more.
        externalDocs: {url: https://www.coze.cn/create}
        tags: [things]
        x-coze-permission: makeThing
        x-coze-idempotent: false
        x-coze-stream:
          method: stream
          flag: stream
          protocol: {$ref: './events.yaml#/ThingStream'}
        x-coze-notes:
          - At most one per second.
        requestBody:
          required: true
          content:
            application/json:
              schema: {$ref: './schemas.yaml#/ThingsCreateRequest'}
              example: {name: lamp, parts: [{text: bulb}], colour: dark-red}
        responses:
          '200':
            description: Created.
            content:
              application/json:
                schema: {$ref: './schemas.yaml#/ThingsCreateResponse'}
                example: {code: 0, data: {id: '1', colour: blue, made_at: 1715847583, parts: []}}
              text/event-stream:
                schema: {$ref: './schemas.yaml#/Frame'}
                example: {event: thing.made, data: '{"id": "1"}'}
          default: {$ref: '../shared/responses.yaml#/Error'}
        """,
    "things/list.yaml": """\
        operationId: things.list
        summary: List things
        description: Lists them.
        externalDocs: {url: https://www.coze.cn/list}
        tags: [things]
        x-coze-pagination: {style: page, param: page, size: size, items: data.items, has_more: data.has_more}
        parameters:
          - {name: colour, in: query, description: Of which colour., schema: {$ref: './schemas.yaml#/Colour'}, example: blue}
          - {name: page, in: query, description: Which page., schema: {type: integer, minimum: 1}, example: 1}
          - {name: size, in: query, description: Things on a page., schema: {type: integer, maximum: 50}, example: 20}
        responses:
          '200':
            description: A page.
            content:
              application/json:
                schema: {$ref: '#/components/schemas/ThingsListResponse'}
                example: {code: 0, data: {items: [{id: '1'}], has_more: false}}
          default: {$ref: '../shared/responses.yaml#/Error'}
        components:
          schemas:
            ThingsListResponse:
              type: object
              description: Answer of `things.list`.
              properties:
                code: {type: integer, description: Error code., examples: [0]}
                data: {$ref: '#/components/schemas/ThingPage', description: The page.}
            ThingPage:
              type: object
              description: A page of things.
              required: [items]
              properties:
                items: {type: array, description: The things., items: {$ref: './schemas.yaml#/Thing'}}
                has_more: {type: boolean, description: Whether there are more.}
        """,
    "things/retrieve.yaml": """\
        operationId: things.retrieve
        summary: Retrieve a thing
        description: Tells all of it.
        externalDocs: {url: https://www.coze.cn/retrieve}
        tags: [things]
        parameters:
          - {name: thing_id, in: path, required: true, description: Which., schema: {type: string}, example: '1'}
        responses:
          '200':
            description: The thing.
            content:
              application/json:
                schema: {$ref: './schemas.yaml#/ThingsRetrieveResponse'}
                example: {code: 0, data: {id: '1'}}
          default: {$ref: '../shared/responses.yaml#/Error'}
        """,
    "things/delete.yaml": """\
        operationId: things.delete
        summary: Delete a thing
        description: Removes it.
        externalDocs: {url: https://www.coze.cn/delete}
        tags: [things]
        deprecated: true
        x-coze-idempotent: true
        parameters:
          - {name: thing_id, in: path, required: true, description: Which., schema: {type: string}, example: '1'}
        responses:
          '200': {$ref: '../shared/responses.yaml#/Empty'}
          default: {$ref: '../shared/responses.yaml#/Error'}
        """,
    "things/parts/list.yaml": """\
        operationId: things.parts.list
        summary: List the parts of a thing
        description: All of them at once.
        externalDocs: {url: https://www.coze.cn/parts}
        tags: [things]
        parameters:
          - {name: thing_id, in: path, required: true, description: Which., schema: {type: string}, example: '1'}
        responses:
          '200':
            description: The parts.
            content:
              application/json:
                schema: {$ref: './schemas.yaml#/ThingsPartsListResponse'}
                example: {code: 0, data: [{text: bulb}]}
          default: {$ref: '../../shared/responses.yaml#/Error'}
        """,
    "things/parts/upload.yaml": """\
        operationId: things.parts.upload
        summary: Upload a part
        description: From a file.
        externalDocs: {url: https://www.coze.cn/upload}
        tags: [things]
        x-coze-idempotent: false
        parameters:
          - {name: thing_id, in: path, required: true, description: Which., schema: {type: string}, example: '1'}
        requestBody:
          required: true
          content:
            multipart/form-data:
              schema: {$ref: './schemas.yaml#/ThingsPartsUploadRequest'}
              example: {file: bulb.png}
        responses:
          '200': {$ref: '../../shared/responses.yaml#/Empty'}
          default: {$ref: '../../shared/responses.yaml#/Error'}
        """,
    "things/parts/schemas.yaml": """\
        Part:
          type: object
          description: A part of a thing.
          properties:
            text: {type: string, description: What it is., maxLength: 20, examples: [bulb]}
            inside: {$ref: '#/Part', description: A part of the part.}
          x-coze-from-string: {text: $string}
        ThingsPartsListResponse:
          type: object
          description: Answer of `things.parts.list`.
          properties:
            code: {type: integer, description: Error code., examples: [0]}
            data: {type: array, description: The parts., items: {$ref: '#/Part'}}
        ThingsPartsUploadRequest:
          type: object
          description: The part.
          required: [file]
          properties:
            file: {type: string, format: binary, description: The file., x-coze-max-bytes: 100}
            label: {type: string, description: What to call it., examples: [x]}
        """,
    "things/events.yaml": """\
        ThingStream:
          description: Things are made.
          event: ThingStreamEvent
          ids: false
          events:
            thing.made:
              class: ThingMade
              description: One was made.
              data: {$ref: './schemas.yaml#/Thing'}
            done:
              class: ThingDone
              description: No more will come.
              ends: always
        """,
    "things/schemas.yaml": """\
        Colour:
          type: string
          description: What it looks like.
          enum: [blue, dark-red]
          x-coze-enum-descriptions: {blue: Like the sky.}
        Size:
          type: integer
          description: How big it is.
          enum: [1, 2]
          x-coze-enum-names: [SMALL, LARGE]
        Thing:
          type: object
          description: A thing.
          required: [id]
          properties:
            id: {type: string, description: Id of the thing., examples: ['1']}
            colour: {$ref: '#/Colour', description: Its colour.}
            size: {$ref: '#/Size', description: Its size.}
            made_at: {$ref: '../shared/types.yaml#/UnixTime', description: When it was made.}
            parts: {type: array, description: Its parts., items: {$ref: './parts/schemas.yaml#/Part'}}
            labels:
              type: object
              description: Words on it.
              additionalProperties: {type: string}
              examples: [{a: b}]
            note: {type: [string, 'null'], description: A remark., examples: [old]}
        ThingsCreateRequest:
          type: object
          description: What to create.
          required: [name]
          properties:
            name: {type: string, description: What to call it., minLength: 1, examples: [lamp]}
            parts: {type: array, description: Of what., maxItems: 3, items: {$ref: './parts/schemas.yaml#/Part'}}
            colour: {$ref: '#/Colour', description: Its colour., default: blue}
            weight: {type: number, description: In kilograms., exclusiveMinimum: 0, examples: [1.5]}
            stream: {type: boolean, description: Whether to stream., default: false}
        ThingsCreateResponse:
          type: object
          description: Answer of `things.create`.
          properties:
            code: {type: integer, description: Error code., examples: [0]}
            data: {$ref: '#/Thing', description: The thing.}
        ThingsRetrieveResponse:
          type: object
          description: Answer of `things.retrieve`.
          properties:
            code: {type: integer, description: Error code., examples: [0]}
            data: {$ref: '#/Thing', description: The thing.}
        Frame:
          type: object
          description: An event as it is sent.
          properties:
            event: {type: string, description: Name of the event., examples: [thing.made]}
            data: {type: string, description: Data of the event., examples: ['{}']}
        """,
}


class Small:
    """The description in a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "openapi"
        for name, text in FILES.items():
            self.write(name, text)
        self.write("extensions.md", (_ROOT / "openapi" / "extensions.md").read_text(encoding="utf-8"))

    @property
    def index(self) -> Path:
        """The file that the generator is given."""
        return self.folder / "coze.yaml"

    def write(self, name: str, text: str) -> None:
        """Write a file of the description."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace every *old* in a file, in which it must be."""
        text = (self.folder / name).read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name} does not contain {old!r}")
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def line(self, name: str, text: str) -> int:
        """Return the number of the first line that contains *text*."""
        lines = (self.folder / name).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, start=1) if text in line)

    def bundle(self) -> Bundle:
        """Make one document of it."""
        return bundle(self.index)

    def api(self) -> ir.Api:
        """Decide names and types, without a lint before."""
        bundled = self.bundle()
        return build_api(bundled, parse(bundled))

    def problems(self, *, linted: bool = True) -> list[Problem]:
        """Return what keeps `python -m generator generate` from generating; nothing if it would generate."""
        try:
            if linted and (found := lint(self.bundle())):
                return found
            self.api()
        except DescriptionError as error:
            return error.problems
        return []

    def places(self, *, linted: bool = True) -> set[tuple[str, int]]:
        """Return file and line of every problem."""
        return {(found.file.removeprefix("openapi/"), found.line) for found in self.problems(linted=linted)}

    def generate(self) -> Summary:
        """Write the package to `generated` beside the description."""
        return generate(self.bundle(), self.root / "generated")
