"""Comparing an operation of the description with its record in the facts catalog, field by field."""

from __future__ import annotations

from typing import Any

from tests.contract._facts import Difference
from tests.contract._facts_view import View

__all__ = ["Comparison"]

Fact = dict[str, Any]
_KINDS = {
    "json": {"application/json"},
    "sse": {"text/event-stream"},
    "json_or_sse": {"application/json", "text/event-stream"},
}
_GROUPS = ("path", "query", "headers", "body")
_LIMITS = {
    "min": "minimum",
    "max": "maximum",
    "exclusive_min": "exclusiveMinimum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "max_items": "maxItems",
}


class Comparison:
    """One operation, compared.

    Attributes:
        differences: Every difference, those that are tolerated too.
        fields: How many fields were compared.
    """

    def __init__(self, document: dict[str, Any], name: str, operation: dict[str, Any], record: Fact) -> None:
        self.differences: list[Difference] = []
        self.fields = 0
        self._document = document
        self._name = name
        self._record = record
        self._operation(operation)
        self._request(operation)
        self._answer(operation)

    def _operation(self, operation: dict[str, Any]) -> None:
        record = self._record
        for key, place, default in (("permission", "x-coze-permission", None), ("deprecated", "deprecated", False)):
            described = operation.get(place, default)
            if described != record[key]:
                self._differ(f"operation.{place}", f"{described}; the page has {record[key]}")
        docs = {record["doc"], *(record.get("docs") or ())}
        url = operation.get("externalDocs", {}).get("url", "none")
        if url.rstrip("/").rpartition("/")[2] not in docs:
            self._differ("operation.externalDocs", f"{url}; the page is {record['doc']}")

    def _request(self, operation: dict[str, Any]) -> None:
        request = self._record["request"]
        facts = {field["name"]: (group, field) for group in _GROUPS for field in request[group]}
        described: dict[str, tuple[str, View]] = {}
        required: set[str] = set()
        for parameter in map(self._resolve, operation.get("parameters", ())):
            group = "headers" if parameter["in"] == "header" else parameter["in"]
            described[parameter["name"]] = (group, View(self._document, [parameter["schema"]]))
            required |= {parameter["name"]} if parameter.get("required") else set()
        content = self._resolve(operation.get("requestBody", {})).get("content", {})
        body = View(self._document, [media["schema"] for media in content.values()])
        described |= {name: ("body", view) for name, view in body.properties.items()}
        expected = {request["content_type"]} - {None}
        if set(content) != expected:
            self._differ("request", f"content type {sorted(content)}; the page has {sorted(expected)}")
        for name in sorted(set(facts) & set(described)):
            if facts[name][0] != described[name][0]:
                self._differ(f"request.{name}", f"in {described[name][0]}; the page has {facts[name][0]}")
        fields = [field for _, field in facts.values()]
        views = {name: view for name, (_, view) in described.items()}
        self._members("request", fields, views, required | body.required, ())

    def _answer(self, operation: dict[str, Any]) -> None:
        response = self._record["response"]
        answer = self._resolve(operation["responses"].get("200", {}))
        content = answer.get("content", {})
        expected = _KINDS.get(response["kind"])
        if expected is not None and set(content) != expected:
            self._differ("response", f"content types {sorted(content)}; the page has {sorted(expected)}")
        if "application/json" in content:
            view = View(self._document, [content["application/json"]["schema"]])
            self._members("response", response["fields"], view.properties, view.required, ())
        reference = operation.get("x-coze-stream", {}).get("protocol", {}).get("$ref", "")
        protocol = self._document["components"].get("x-coze-streams", {}).get(reference.rpartition("/")[2])
        if protocol is not None and "events" in response:
            self._stream(protocol["events"], {event["event"]: event["data"] for event in response["events"]})

    def _stream(self, described: dict[str, Any], events: dict[str, str]) -> None:
        for event in sorted(set(described) ^ set(events)):
            message = "not described" if event in events else "described; the page does not list it"
            self._differ(f"stream.{event}", message)
        for event in sorted(set(described) & set(events)):
            fields = self._record["response"]["objects"].get(events[event])
            has_schema = "data" in described[event]
            if has_schema != (fields is not None):
                # The page describes in words what such an event carries.
                self._differ(f"stream.{event}", f"the page has: {events[event]}", tolerated=fields is None)
            elif fields is not None:
                view = View(self._document, [described[event]["data"]])
                self._members(f"stream.{event}", fields, view.properties, view.required, (events[event],))

    def _members(
        self, place: str, fields: list[Fact], described: dict[str, View], required: set[str], seen: tuple[str, ...]
    ) -> None:
        facts = {field["name"]: field for field in fields}
        noted = {field["name"]: field for field in self._undocumented(place)}
        is_request = place.startswith("request")
        for name in [*facts, *(name for name in noted if name not in facts)]:
            if name not in described:
                lacks = "not described" if name in facts else "not described, though seen"
                self._differ(f"{place}.{name}", lacks, parent=place, tolerated=name not in facts)
        for name, view in described.items():
            pointer = f"{place}.{name}"
            field = facts.get(name) or noted.get(name)
            if field is None:
                self._differ(pointer, "described; the page does not list it", parent=place)
                continue
            if name not in facts:
                self._differ(pointer, f"described; only seen in {', '.join(field['sources'])}", tolerated=True)
            states = bool(field.get("required"))
            if states != (name in required):
                need = "required" if name in required else "optional"
                self._differ(pointer, f"{need}; the page differs", tolerated=not is_request and not states)
            self._field(pointer, field, view, seen)

    def _field(self, pointer: str, field: Fact, view: View, seen: tuple[str, ...]) -> None:
        self.fields += 1
        for key, label in (("docs_type", "types it"), ("enum_from", "has the enum from"), ("note", "notes:")):
            if key in field:
                self._differ(pointer, f"the catalog {label} {field[key]}", tolerated=True)
        if view.is_nullable:
            self._differ(pointer, "may be null; the page does not have it", tolerated=True)
        self._value(pointer, field, field["type"], view, seen)

    def _value(self, pointer: str, field: Fact, kind: str, view: View, seen: tuple[str, ...]) -> None:
        outer, _, inner = kind.rstrip(">").partition("<")
        expected = {"array": "array", "map": "object"}.get(outer, outer)
        if outer == "any":
            return
        if view.is_moment and expected == "integer":
            self._differ(pointer, "integer or string; the page has integer", tolerated=True)
        elif view.types != {expected}:
            self._differ(pointer, f"{' or '.join(sorted(view.types)) or 'any type'}; the page has {kind}")
            return
        self._limits(pointer, field, view)
        if outer == "array" and inner:
            self._enum(pointer, field, view.items)
            self._inside(f"{pointer}[]", field, inner, view.items, seen)
        elif outer == "map" and inner:
            self._inside(f"{pointer}{{}}", field, f"{inner}>" if "<" in inner else inner, view.values, seen)
        else:
            self._enum(pointer, field, view)
            if expected == "object":
                self._inside(pointer, field, "object", view, seen)

    def _inside(self, pointer: str, field: Fact, kind: str, view: View, seen: tuple[str, ...]) -> None:
        if kind != "object":
            self._value(pointer, {"sources": ("no field of its own",)}, kind, view, seen)
            return
        reference = field.get("ref")
        side = "request" if pointer.startswith("request") else "response"
        fields = self._record[side]["objects"].get(reference, [])
        if reference in seen or not (fields or self._undocumented(pointer)):
            return
        if view.types != {"object"}:
            self._differ(pointer, f"{' or '.join(sorted(view.types)) or 'any type'}; the page has object")
            return
        self._members(pointer, fields, view.properties, view.required, (*seen, str(reference)))

    def _enum(self, pointer: str, field: Fact, view: View) -> None:
        facts, described = field.get("enum"), view.enum
        is_request = pointer.startswith("request")
        if facts is None and (described is None or not is_request):
            return
        lacking = [value for value in facts or () if value not in (described or ())]
        more = [value for value in described or () if value not in (facts or ())]
        if lacking:
            self._differ(pointer, f"the enum lacks {lacking}")
        if more:
            self._differ(pointer, f"the page does not list the values {more}", tolerated=not is_request)

    def _limits(self, pointer: str, field: Fact, view: View) -> None:
        is_request = pointer.startswith("request")
        tolerated = "sources" in field  # seen elsewhere, or an item: the page's tables have no place for limits
        for key, keyword in _LIMITS.items():
            facts, described = field.get(key) or None, view.value(keyword)
            if field.get("length_unit") == "bytes" and key.endswith("_length"):
                continue  # JSON Schema counts characters
            if facts != (described or None) and (is_request or described is not None):
                self._differ(pointer, f"{keyword} {described}; the page has {facts}", tolerated=tolerated)
        if is_request and field.get("default") != view.value("default"):
            message = f"default {view.value('default')}; the page has {field.get('default')}"
            self._differ(pointer, message, tolerated=tolerated)

    def _undocumented(self, place: str) -> list[Fact]:
        """Return the fields that the catalog knows from elsewhere, of the object at *place*."""
        sides = {"request": ("path", "query", "header", "body"), "response": ("response",), "stream": ("event",)}
        side, _, path = place.partition(".")
        if side == "stream":
            path = ""
        return [
            {**entry, "name": entry["name"].rpartition(".")[2]}
            for entry in self._record["undocumented"]
            if entry["where"] in sides[side] and entry["name"].rpartition(".")[0] == path
        ]

    def _resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in value:
            _, _, kind, name = value["$ref"].split("/")
            value = self._document["components"][kind][name]
        return value

    def _differ(self, place: str, message: str, *, parent: str = "", tolerated: bool = False) -> None:
        parent = parent and f"{self._name} {parent}"
        self.differences.append(
            Difference(pointer=f"{self._name} {place}", message=message, parent=parent, tolerated=tolerated)
        )
