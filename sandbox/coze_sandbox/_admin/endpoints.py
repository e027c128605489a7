"""Admin API under `/_sandbox/`, for tests in other processes and languages.

| method and path | effect |
|---|---|
| `GET /_sandbox/` | operations, time, pace and ids of the seed data |
| `GET, POST, DELETE /_sandbox/faults` | list, add (attributes of `Fault` as JSON), remove faults |
| `POST /_sandbox/tokens` | create an access token: arguments of `Scenario.token` as JSON |
| `POST /_sandbox/answers`, `replies`, `workflows`, `bots` | add stubs: arguments of `Scenario` as JSON |
| `GET, DELETE /_sandbox/scenario` | list, remove stubs |
| `GET, DELETE /_sandbox/requests` | list (`?operation=`; `?since=`: changed since that `revision`), remove requests |
| `GET, POST, DELETE /_sandbox/callbacks` | list, send (arguments of `Callbacks.send` as JSON), remove |
| `GET /_sandbox/violations` | responses that violate the description |
| `POST /_sandbox/clock` | `{"advance": seconds}` advances the clock |
| `POST /_sandbox/reset` | reset state, faults, requests and clock |
| `GET, POST /_sandbox/oauth` | OAuth apps and pending requests; `{"auto_consent": true}` (or false, null) |
| `POST /_sandbox/oauth/decide` | `{"key": code or key, "allow": true}` decides a pending request |
| `POST /_sandbox/oauth/apps` | `{"client_id": id, "active": false}` deactivates an app |
| `GET /_sandbox/oauth/jwt-config` | the configuration of a service app (`?client_id=`) |
| `GET /_sandbox/state` | number of documents of each kind; `?kind=` the documents, without secrets |
| `GET /_sandbox/try` | a sample request for `?operation=`, or its prerequisites (`&for=` the operation that needs it) |
| `GET /_sandbox/openapi.json` | the description, with the URL of this server |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import attrs
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from .._callbacks.dispatcher import Callbacks
from .._callbacks.sender import Delivery
from .._common.errors import CallError
from .._common.json_body import parse_json
from .._common.localhost import is_loopback_ip
from .._config.options import Options
from .._explorer.sample_request import sample_request
from .._http.allowed_hosts import AllowedHosts, hostname_of
from .._http.body_limit import MAX_JSON_BYTES, limit_body
from .._http.request_log import RequestRecord
from .._http.responses import Violation
from .._oauth.control import OAuthControl
from .._scenario.scenario import Scenario, ScenarioTarget
from .._state import seed
from .._state.store import Store

__all__ = ["AdminAPI", "AdminTarget", "PREFIX", "browse"]

PREFIX = "/_sandbox/"
_SECRET = {"device", "jwt", "oauth_code", "refresh_token", "token"}
_MOST = 500


class AdminTarget(ScenarioTarget, Protocol):
    """The sandbox that the admin API controls."""

    @property
    def token(self) -> str:
        """A token with all permissions."""

    @property
    def options(self) -> Options:
        """The settings."""

    @property
    def store(self) -> Store:
        """The stored documents."""

    @property
    def scenario(self) -> Scenario:
        """The stubs."""

    @property
    def callbacks(self) -> Callbacks:
        """The callbacks."""

    @property
    def violations(self) -> list[Violation]:
        """Responses that violate the description."""

    @property
    def oauth(self) -> OAuthControl:
        """Control of OAuth apps and consent."""

    def reset(self) -> None:
        """Reset the sandbox."""


class AdminAPI:
    """Handles the admin API, for clients on this machine only.

    Args:
        sandbox: The sandbox.
        hosts: The allowed hosts.
    """

    def __init__(self, sandbox: AdminTarget, hosts: AllowedHosts) -> None:
        self._sandbox = sandbox
        self._hosts = hosts
        self._actions: dict[tuple[str, str], Callable[[Request, Any], Any]] = {
            ("GET", ""): self._about,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): lambda _request, _body: sandbox.faults.clear(),
            ("POST", "answers"): lambda _request, body: _call(sandbox.scenario.answer, body),
            ("POST", "replies"): lambda _request, body: _call(sandbox.scenario.reply, body),
            ("POST", "workflows"): lambda _request, body: _call(sandbox.scenario.workflow, body),
            ("POST", "bots"): lambda _request, body: _call(sandbox.scenario.bot, body),
            ("POST", "tokens"): lambda _request, body: {"token": sandbox.scenario.token(**body)},
            ("GET", "scenario"): self._list_stubs,
            ("DELETE", "scenario"): lambda _request, _body: sandbox.scenario.clear(),
            ("GET", "requests"): self._list_requests,
            ("DELETE", "requests"): lambda _request, _body: sandbox.requests.clear(),
            ("GET", "callbacks"): lambda _request, _body: _deliveries_to_json(sandbox.callbacks.deliveries),
            ("POST", "callbacks"): lambda _request, body: _deliveries_to_json(sandbox.callbacks.send(**body)),
            ("DELETE", "callbacks"): lambda _request, _body: sandbox.callbacks.clear(),
            ("GET", "violations"): self._list_violations,
            ("POST", "clock"): self._advance,
            ("POST", "reset"): lambda _request, _body: sandbox.reset(),
            ("GET", "oauth"): self._about_oauth,
            ("POST", "oauth"): self._set_consent,
            ("POST", "oauth/decide"): self._decide,
            ("POST", "oauth/apps"): lambda _request, body: sandbox.oauth.set_active(**body),
            ("GET", "oauth/jwt-config"): self._jwt_config,
            ("GET", "state"): lambda request, _body: browse(sandbox.store, request.query_params.get("kind")),
            ("GET", "try"): self._sample_request,
            ("GET", "openapi.json"): self._document,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: ASGI scope of type `http`.
            receive: ASGI `receive`.
            send: ASGI `send`.
        """
        request = Request(scope, limit_body(receive, MAX_JSON_BYTES))
        response = JSONResponse(*await self._respond(request))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> tuple[Any, int]:
        if not self._is_local(request):
            return {"error": "the admin API is available on this machine only"}, 403
        name = request.url.path.removeprefix(PREFIX)
        action = self._actions.get((request.method, name))
        if action is None:
            known = sorted(f"{verb} {PREFIX}{path}" for verb, path in self._actions)
            return {"error": "no such endpoint", "endpoints": known}, 404
        try:
            body = parse_json(await request.body() or b"{}", "body")
            if not isinstance(body, dict):
                raise TypeError("the body must be a JSON object")
            result = action(request, body)
        except CallError as error:
            return {"error": error.msg}, error.status or 400
        except KeyError as error:
            return {"error": f"{error.args[0]} is missing"}, 400
        except (TypeError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"}, 400
        return ({} if result is None else result), 200

    def _is_local(self, request: Request) -> bool:
        # Pages of other origins in a browser on this machine have a local address too, but send their `Origin`.
        origin = request.headers.get("origin")
        if origin is not None and not self._is_own(origin, request.headers.get("host", "")):
            return False
        return request.client is None or is_loopback_ip(request.client.host)

    def _is_own(self, origin: str, host: str) -> bool:
        # Not parsed as a URL: an origin is a scheme and a host.
        return origin.partition("://")[2] == host and hostname_of(host) in self._hosts

    def _about(self, _request: Request, _body: Any) -> Any:
        return {
            "operations": len(self._sandbox.description.operations),
            "token": self._sandbox.token,
            "now": self._sandbox.clock.now(),
            "requests": len(self._sandbox.requests),
            "answer_seconds": self._sandbox.options.answer_seconds,
            "event_seconds": self._sandbox.options.event_seconds,
            "seed": {name.lower(): getattr(seed, name) for name in seed.__all__ if name.isupper()},
        }

    def _list_faults(self, _request: Request, _body: Any) -> Any:
        return {"faults": [attrs.asdict(fault) for fault in self._sandbox.faults]}

    def _add_fault(self, _request: Request, body: Any) -> Any:
        return attrs.asdict(self._sandbox.faults.add(**body))

    def _list_stubs(self, _request: Request, _body: Any) -> Any:
        waiting = self._sandbox.scenario.waiting
        return {"waiting": [{"kind": rule.kind, "about": rule.label, "times": rule.times} for rule in waiting]}

    def _list_requests(self, request: Request, _body: Any) -> Any:
        wanted = request.query_params.get("operation")
        news = self._sandbox.requests.since(request.query_params.get("since", ""))
        chosen = [_to_json(record) for record in news.records if wanted in (None, "", record.operation)]
        return {"requests": chosen, "whole": news.is_full, "first": news.first, "revision": news.revision}

    def _list_violations(self, _request: Request, _body: Any) -> Any:
        return {"violations": [attrs.asdict(violation) for violation in self._sandbox.violations]}

    def _advance(self, _request: Request, body: Any) -> Any:
        return {"now": self._sandbox.clock.advance(float(body["advance"]))}

    def _about_oauth(self, _request: Request, _body: Any) -> Any:
        oauth = self._sandbox.oauth
        hidden = attrs.filters.exclude("public_key", "permissions")
        apps = [attrs.asdict(app, filter=hidden) for app in oauth.apps]
        return {"apps": apps, "auto_consent": oauth.auto_consent, "waiting": oauth.waiting()}

    def _set_consent(self, _request: Request, body: Any) -> Any:
        self._sandbox.oauth.auto_consent = body["auto_consent"]

    def _decide(self, _request: Request, body: Any) -> Any:
        return {"location": self._sandbox.oauth.decide(**body)}

    def _jwt_config(self, request: Request, _body: Any) -> Any:
        wanted = dict(request.query_params)
        return self._sandbox.oauth.jwt_config(**wanted, base_url=str(request.base_url).rstrip("/"))

    def _sample_request(self, request: Request, _body: Any) -> Any:
        query = request.query_params
        sandbox = self._sandbox
        sample = sample_request(sandbox.description, sandbox._state, query["operation"], query.get("for", ""))
        return {
            "parameters": sample.parameters,
            "body": sample.body,
            "makers": sample.prerequisites,
            "note": sample.note,
        }

    def _document(self, request: Request, _body: Any) -> Any:
        servers = [{"url": str(request.base_url).rstrip("/"), "description": "This sandbox."}]
        return {**self._sandbox.description.document, "servers": servers}


def _to_json(record: RequestRecord) -> dict[str, Any]:
    return attrs.asdict(record, filter=attrs.filters.exclude("revision", "_message_sizes", "_messages_size"))


def _deliveries_to_json(deliveries: Iterable[Delivery]) -> Any:
    return {"deliveries": [{**attrs.asdict(delivery), "body": json.loads(delivery.body)} for delivery in deliveries]}


def _call(method: Callable[..., None], body: Any) -> None:
    method(**body)


def browse(store: Store, kind: str | None) -> dict[str, Any]:
    """Count the documents of each kind, or list those of one.

    Args:
        store: The state.
        kind: Kind of the documents to list: the newest 500, newest first. Tokens, codes and keys are never shown.
    """
    if kind is None:
        return {"kinds": {name: count for name, count in store.kinds().items() if not name.startswith("_")}}
    if kind in _SECRET:
        return {"documents": [], "hidden": True}
    documents = store.newest(kind, _MOST)
    return {"documents": [{"id": key, "document": _shown(document)} for key, document in documents], "hidden": False}


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if "token" not in name and "secret" not in name}
