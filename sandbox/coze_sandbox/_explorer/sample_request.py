"""Sample requests for the forms of the explorer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .._config.oauth_apps import PUBLIC_APP, WEB_APP
from .._spec.spec import Operation, Spec
from .._state import seed
from .._state.seed import USER_ID
from .._state.state import SandboxState
from .prerequisites import PREREQUISITES

__all__ = ["NOTES", "SampleRequest", "from_the_start", "sample_request"]

_JSON, _FORM = "application/json", "multipart/form-data"
_ID = re.compile(r"_ids?$")

Values = Mapping[str, Any]
_COLLEAGUE = seed.COLLEAGUE_IDS[0]
_COMMON: Values = {
    "app_id": seed.APP_ID,
    "bot_id": seed.BOT_ID,
    "enterprise_id": seed.ENTERPRISE_ID,
    "folder_id": seed.FOLDER_ID,
    "live_id": seed.LIVE_ID,
    "organization_id": seed.ORGANIZATION_ID,
    "owner_uid": seed.USER_ID,
    "plugin_id": seed.PLUGIN_ID,
    "receiver_user_id": seed.USER_ID,
    "space_id": seed.WORKSPACE_ID,
    "super_admin_user_id": seed.USER_ID,
    "to_workspace_id": seed.WORKSPACE_ID,
    "user_id": seed.USER_ID,
    "voice_id": seed.VOICE_ID,
    "workflow_id": seed.WORKFLOW_ECHO,
    "workspace_id": seed.WORKSPACE_ID,
}
_BROWSER: Values = {"client_id": WEB_APP.client_id, "redirect_uri": WEB_APP.redirect_uris[0]}
_DEVICE: Values = {"client_id": PUBLIC_APP.client_id}
_OF_OPERATIONS: Mapping[str, Values] = {
    "benefit_limitations.create": {"entity_id": "SN1234567890"},
    "conversations.create": {"messages": [{"role": "user", "content": "Hello", "content_type": "text"}]},
    "copy_tasks.create": {"entity_id": seed.APP_ID},
    "datasets.documents.update": {"update_rule": None},
    "enterprises.members.create": {"user_id": _COLLEAGUE},
    "oauth.authorize": _BROWSER,
    "oauth.authorize_workspace": _BROWSER,
    "oauth.device_code": _DEVICE,
    "oauth.device_code_workspace": _DEVICE,
    "oauth.token": _BROWSER,
    "plugins.tools.call": {"tool_name": "mirror", "arguments": {"text": "Hello"}},
    "variables.retrieve": {"bot_id": seed.BOT_ID},
    "workflows.chat.stream": {"workflow_id": seed.WORKFLOW_CHAT, "parameters": {}},
    "workflows.runs.create": {"parameters": {"input": "Hello"}},
    "workflows.runs.stream": {"parameters": {"input": "Hello"}},
    "workspaces.members.create": {"users": [{"user_id": _COLLEAGUE, "role_type": "member"}]},
}
_JWT = "Needs a JWT signed by SERVICE_APP or ENTERPRISE_APP instead of the token, so it cannot be sent from here."
NOTES: Mapping[str, str] = {
    "datasets.images.update": "Needs an image: create a knowledge base with format_type 2, and add a picture to it.",
    "oauth.token": "Needs a code, which oauth.authorize passes to the app in its redirect.",
    "oauth.token_account": _JWT,
    "oauth.token_enterprise": _JWT,
}
"""Why some requests cannot be sent from a form."""


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
    subject, values = PREREQUISITES.get(operation_id), None
    if subject is not None:
        with state.acting_as(USER_ID):
            values = subject.find(state)
    wanted = PREREQUISITES.get(purpose)
    changes = wanted.changes if wanted is not None and operation_id in wanted.operations else {}
    special = {**special, **(values or {}), **changes}
    return SampleRequest(
        parameters=_parameters(spec, operation, common, special),
        body=_body(spec, operation, {**common, **special}),
        prerequisites=subject.operations if subject is not None and values is None else (),
        note=NOTES.get(operation_id, ""),
    )


def _parameters(spec: Spec, operation: Operation, common: Values, special: Values) -> dict[str, dict[str, Any]]:
    filled: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    node = spec.document["paths"][operation.path][operation.method.lower()]
    for entry in node.get("parameters", ()):
        parameter, _ = spec.follow(entry, "")
        name, schema = parameter["name"], spec.follow(parameter["schema"], "")[0]
        if "const" in schema:
            filled[parameter["in"]][name] = schema["const"]
        elif name in special:
            filled[parameter["in"]][name] = special[name]
        elif parameter.get("required"):
            filled[parameter["in"]][name] = common.get(name, parameter.get("example"))
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


def from_the_start(operation: str) -> tuple[Values, Values]:
    """Return values by member name, for all operations and for one of them.

    None drops a member.
    """
    return _COMMON, _OF_OPERATIONS.get(operation, {})
