"""Sample requests for the forms of the explorer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .._spec.spec import Operation, Spec
from .._state.seed import USER_ID
from .._state.state import SandboxState
from .prerequisites import PREREQUISITES
from .sample_values import NOTES, from_the_start

__all__ = ["SampleRequest", "sample_request"]

_JSON, _FORM = "application/json", "multipart/form-data"
_ID = re.compile(r"_ids?$")

Values = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class SampleRequest:
    """The initial values of a form.

    Attributes:
        parameters: Parameters by location (`path`, `query`, `header`) and name, with those optional ones that the
            operation needs in practice.
        body: The JSON body, or the fields of a form without files; None without a body.
        prerequisites: Operations to call first, which create a missing resource.
        note: Why the request cannot be sent from a form.
    """

    parameters: Mapping[str, Values]
    body: Any
    prerequisites: Sequence[str] = ()
    note: str = ""


def sample_request(spec: Spec, state: SandboxState, operation_id: str, purpose: str = "") -> SampleRequest:
    """Return a request built from the example and existing resources.

    Args:
        spec: The description.
        state: The state.
        operation_id: The operation.
        purpose: The operation for which this one creates a prerequisite.

    Raises:
        ValueError: The operation is unknown.
    """
    operation = spec.operations.get(operation_id)
    if operation is None:
        raise ValueError(f"unknown operation {operation_id}")
    common, special = from_the_start(operation_id)
    subject, found = PREREQUISITES.get(operation_id), None
    if subject is not None:
        with state.acting_as(USER_ID):
            found = subject.find(state)
    wanted = PREREQUISITES.get(purpose)
    changes = wanted.changes if wanted is not None and operation_id in wanted.operations else {}
    special = {**special, **(found or {}), **changes}
    return SampleRequest(
        parameters=_parameters(spec, operation, common, special),
        body=_body(spec, operation, {**common, **special}),
        prerequisites=subject.operations if subject is not None and found is None else (),
        note=NOTES.get(operation_id, ""),
    )


def _parameters(spec: Spec, operation: Operation, common: Values, special: Values) -> dict[str, dict[str, Any]]:
    filled: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    node = spec.document["paths"][operation.path][operation.method.lower()]
    for entry in node.get("parameters", ()):
        one, _ = spec.follow(entry, "")
        name, schema = one["name"], spec.follow(one["schema"], "")[0]
        if "const" in schema:
            filled[one["in"]][name] = schema["const"]
        elif name in special:
            filled[one["in"]][name] = special[name]
        elif one.get("required"):
            filled[one["in"]][name] = common.get(name, one.get("example"))
    return filled


def _body(spec: Spec, operation: Operation, values: Values) -> Any:
    for kind in (_JSON, _FORM):
        media = operation.bodies.get(kind)
        if media is None:
            continue
        body = _filled(spec, media.example or {}, media.schema, values)
        if kind == _FORM:
            properties = media.schema["properties"]
            return {name: value for name, value in body.items() if properties[name].get("format") != "binary"}
        return body
    return None


def _filled(spec: Spec, value: Any, schema: Values, values: Values) -> Any:
    """Replace ids in an example by existing ones, and drop other optional ids."""
    schema, _ = spec.follow(schema, "")
    if isinstance(value, list):
        return [_filled(spec, item, schema.get("items", {}), values) for item in value]
    if not isinstance(value, dict):
        return value
    filled = {}
    for name, member in value.items():
        if name in values:
            if values[name] is not None:
                filled[name] = values[name]
        elif name in schema.get("required", ()) or not _ID.search(name):
            filled[name] = _filled(spec, member, schema.get("properties", {}).get(name, {}), values)
    return filled
