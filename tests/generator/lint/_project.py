"""A small description without violations, and a way to put one into it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from generator.lint import lint_files
from generator.spec.diagnostics import Diagnostic

__all__ = ["FILES", "Project"]

_ROOT = Path(__file__).resolve().parents[3]

FILES: dict[str, str] = {
    "coze.yaml": """\
        openapi: 3.1.0
        info: {title: Small, version: 1.0.0}
        tags:
          - {name: things, description: Things.}
          - {name: webhooks, description: Callbacks.}
        paths:
          /v1/things:
            get:
              $ref: ./things/watch.yaml
          /v1/things/{thing_id}:
            post:
              $ref: ./things/start.yaml
            get:
              $ref: ./things/list.yaml
            delete:
              $ref: ./things/end.yaml
        webhooks:
          thing.made:
            post:
              $ref: ./webhooks/thing_made.yaml
        components:
          x-coze-errors:
            $ref: ./shared/errors.yaml
          x-coze-websockets:
            ThingRoom:
              $ref: ./things/events.yaml#/ThingRoom
        """,
    "shared/errors.yaml": """\
        - code: 4000
          name: CODE_4000
          meaning: Wrong parameter.
          category: bad_request
          retryable: false
          hint: Correct it.
        - code: 4001
          name: CODE_4001
          meaning: Wrong token.
          category: auth
          retryable: false
          hint: Correct it.
        """,
    "shared/responses.yaml": """\
        Error:
          description: Failed.
          content:
            application/json:
              schema: {$ref: './envelope.yaml#/ErrorResponse'}
              example: {code: 4000}
        Empty:
          description: Done.
          content:
            application/json:
              schema: {$ref: './envelope.yaml#/ErrorResponse'}
              example: {code: 0}
        """,
    "shared/envelope.yaml": """\
        ErrorResponse:
          type: object
          description: A failure.
          required: [code]
          properties:
            code:
              type: integer
              description: Error code.
              examples: [4000]
        """,
    "shared/callbacks.yaml": """\
        Signature:
          description: Compare the digest.
          algorithm: sha1
          input: [timestamp, token]
          encoding: hex
          header_names: {timestamp: X-Time, nonce: X-Nonce, signature: X-Signature}
          challenge: challenge
          example:
            timestamp: '1'
            token: my
            signature: e8508ced8dcaf888abdac582cb2391945fb8d359
        """,
    "webhooks/thing_made.yaml": """\
        operationId: webhooks.thing_made
        summary: A thing was made
        description: Sent when a thing was made.
        externalDocs: {url: https://www.coze.cn/made}
        tags: [webhooks]
        x-coze-callback:
          signature: {$ref: '../shared/callbacks.yaml#/Signature'}
          answer_within_seconds: 3
          class: Thing
        requestBody:
          required: true
          content:
            application/json:
              schema: {$ref: '../things/schemas.yaml#/Thing'}
              example: {id: '1'}
        responses:
          '200': {description: Received.}
        """,
    "things/watch.yaml": """\
        operationId: things.watch
        summary: Watch things
        description: Opens a connection.
        externalDocs: {url: https://www.coze.cn/watch}
        tags: [things]
        servers:
          - {url: wss://example.com, description: Example.}
        x-coze-websocket:
          protocol: {$ref: './events.yaml#/ThingSocket'}
        responses:
          '101': {description: Open.}
          default: {$ref: '../shared/responses.yaml#/Error'}
        """,
    "things/start.yaml": """\
        operationId: things.start
        summary: Start a thing
        description: Starts it.
        externalDocs: {url: https://www.coze.cn/start}
        tags: [things]
        x-coze-permission: start
        x-coze-idempotent: false
        x-coze-stream:
          method: stream
          flag: stream
          protocol: {$ref: './events.yaml#/ThingStream'}
        x-coze-poll:
          operation: things.list
          status: state
          pending: [running]
          terminal: [done]
        parameters:
          - name: thing_id
            in: path
            required: true
            description: Id of the thing.
            schema: {type: string}
            example: '1'
          - name: depth
            in: query
            description: How deep.
            schema: {type: integer, default: 1}
            example: 2
        requestBody:
          required: true
          content:
            application/json:
              schema: {$ref: './schemas.yaml#/ThingsStartRequest'}
              example: {stream: false, level: 1}
        responses:
          '200':
            description: Started.
            content:
              application/json:
                schema: {$ref: './schemas.yaml#/ThingsStartResponse'}
                example: {data: {id: '1', state: running}}
              text/event-stream:
                schema: {$ref: './schemas.yaml#/Frame'}
                example: {event: thing.changed, data: '{"id": "1"}', id: '0'}
          default: {$ref: '../shared/responses.yaml#/Error'}
        """,
    "things/end.yaml": """\
        operationId: things.end
        summary: End a thing
        description: Ends it.
        externalDocs: {url: https://www.coze.cn/end}
        tags: [things]
        x-coze-idempotent: true
        security: []
        parameters:
          - {name: thing_id, in: path, required: true, description: Id., schema: {type: string}, example: '1'}
        responses:
          '200': {$ref: '../shared/responses.yaml#/Empty'}
          default: {$ref: '../shared/responses.yaml#/Error'}
        """,
    "things/list.yaml": """\
        operationId: things.list
        summary: List things
        description: Lists them.
        externalDocs: {url: https://www.coze.cn/list}
        tags: [things]
        x-coze-result: data
        x-coze-pagination:
          style: page
          param: page
          size: page_size
          items: data.items
          total: data.total
        x-coze-notes:
          - Ordered by id.
        parameters:
          - name: thing_id
            in: path
            required: true
            description: Id of the thing.
            schema: {type: string}
            example: '1'
          - name: page
            in: query
            description: Number of the page.
            schema: {type: integer}
            example: 1
          - name: page_size
            in: query
            description: Things on a page.
            schema: {type: integer}
            example: 10
        responses:
          '200':
            description: A page.
            content:
              application/json:
                schema: {$ref: '#/components/schemas/ThingsListResponse'}
                example: {data: {items: [{id: '1', state: done}], total: 1, state: done}}
          default: {$ref: '../shared/responses.yaml#/Error'}
        components:
          schemas:
            ThingsListResponse:
              type: object
              description: Answer of `things.list`.
              properties:
                data:
                  $ref: '#/components/schemas/ThingPage'
                  description: The page.
            ThingPage:
              type: object
              description: A page of things.
              required: [items]
              properties:
                items:
                  type: array
                  description: The things.
                  items: {$ref: './schemas.yaml#/Thing'}
                total:
                  type: integer
                  description: Number of things.
                  examples: [1]
                state:
                  $ref: './schemas.yaml#/ThingState'
                  description: State of the list.
        """,
    "things/events.yaml": """\
        ThingStream:
          description: A thing changes.
          event: ThingEvent
          ids: false
          events:
            thing.changed:
              class: ThingChangedEvent
              description: The thing changed.
              data: {$ref: './schemas.yaml#/Thing'}
              ends: maybe
              fails: true
        ThingSocket:
          description: Things are watched.
          uplink:
            union: ThingUplinkMessage
            messages:
              thing.watch:
                class: ThingWatch
                description: Watches a thing.
                data: {$ref: './schemas.yaml#/Thing'}
                answers: [thing.watched]
          downlink:
            union: ThingDownlinkMessage
            detail: {$ref: './schemas.yaml#/Thing'}
            messages:
              thing.watched:
                class: ThingWatched
                description: The thing is watched.
                ends: always
        ThingRoom:
          description: Things meet.
          uplink:
            union: ThingRoomUplinkMessage
            messages: {}
          downlink:
            union: ThingRoomDownlinkMessage
            messages: {}
        """,
    "things/schemas.yaml": """\
        Thing:
          type: object
          description: A thing.
          required: [id]
          properties:
            id:
              type: string
              description: Id of the thing.
              examples: ['7000000000000000001']
            state:
              $ref: '#/ThingState'
              description: State of the thing.
            labels:
              type: array
              description: Words for the thing.
              items: {type: string}
              examples: [[red]]
          x-coze-from-string: {id: $string}
        ThingState:
          type: string
          description: State of a thing.
          enum: [running, done]
          default: running
          x-coze-enum-descriptions:
            running: Not yet done.
        Level:
          type: integer
          description: How much.
          enum: [1, 2]
          x-coze-enum-names: [LITTLE, MUCH]
        ThingsStartRequest:
          type: object
          description: What to start.
          properties:
            stream:
              type: boolean
              description: Whether to stream.
              default: false
            level: {$ref: '#/Level'}
        ThingsStartResponse:
          type: object
          description: Answer of `things.start`.
          properties:
            data: {$ref: '#/Thing'}
        Frame:
          type: object
          description: An event as it is sent.
          properties:
            event:
              type: string
              description: Name of the event.
              examples: [thing.changed]
            data:
              type: string
              description: Data of the event.
              examples: ['{}']
        """,
}


class Project:
    """The description in a directory, to be changed and linted."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "openapi"
        for name, text in FILES.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        page = (_ROOT / "openapi" / "extensions.md").read_text(encoding="utf-8")
        (self.folder / "extensions.md").write_text(page, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace the first *old* in a file, which must contain it."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name} does not contain {old!r}")
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def line(self, name: str, text: str) -> int:
        """Return the number of the first line that contains *text*."""
        lines = (self.folder / name).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, start=1) if text in line)

    def rename(self, old: str, new: str) -> None:
        """Replace a schema's name in its definition and in every reference."""
        for path in self.folder.rglob("*.yaml"):
            text = path.read_text(encoding="utf-8")
            text = text.replace(f"/{old}'", f"/{new}'").replace(f"\n{old}:", f"\n{new}:")
            path.write_text(text, encoding="utf-8")

    def problems(self) -> list[Diagnostic]:
        """Return the violations that the linter finds."""
        return lint_files(self.folder / "coze.yaml")[1]

    def violations(self) -> set[tuple[str, int, str]]:
        """Return file, line and rule of every violation."""
        return {(problem.file.removeprefix("openapi/"), problem.line, problem.rule) for problem in self.problems()}
