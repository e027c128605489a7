"""Callbacks: messages to the URLs of callback apps."""

from __future__ import annotations

import itertools
import json
import threading
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._common.errors import CallError
from .._common.json_body import parse_json
from .._common.localhost import is_loopback_host
from .._http.responses import Violation
from .._spec.callbacks import CallbackKind, read_callbacks
from .._spec.spec import Spec
from .._spec.validators import SchemaValidators
from .._state.state import DomainEvent, SandboxState
from .sender import Delivery, DeliveryState, WebhookRequest, WebhookSender

__all__ = ["Callbacks"]

_ANY_HOST = "*"
_NOTIFIED_ROLES = ("owner", "admin")
_IDS = uuid.UUID("6f5902ac-237f-4c1f-8ad4-5b0e93f3e8b4")


class Callbacks:
    """Sends domain events to subscribed callback apps, signed and in the background.

    Args:
        world: The state.
        description: The spec, which has the schemas and signatures of the messages.
        schemas: Its validators.
        violations: List to which violations of the sandbox's own messages are added.
    """

    def __init__(
        self, world: SandboxState, description: Spec, schemas: SchemaValidators, violations: list[Violation]
    ) -> None:
        self._state = world
        self._violations = violations
        self._schemas = schemas
        self._kinds = read_callbacks(description)
        self._changed = threading.Condition()
        self._deliveries: list[Delivery] = []
        self._numbers = itertools.count(1)
        self._sender = WebhookSender(world.clock, self._prepare, self._notify, world.options.callback_pauses)
        world.subscribe(self._on_event)

    @property
    def deliveries(self) -> list[Delivery]:
        """All deliveries so far, oldest first."""
        with self._changed:
            return list(self._deliveries)

    def send(
        self, kind: str, event: Mapping[str, Any] | None = None, *, api_app_id: str | None = None
    ) -> list[Delivery]:
        """Send a message for an event that the sandbox does not produce by itself.

        Args:
            kind: The `event_type`, such as `bot.deleted`.
            event: The member `event` of the message; by default the one of the example.
            api_app_id: The callback app, subscribed or not; by default all subscribed apps.

        Returns:
            The deliveries, one per app. `wait` waits for the outcome.

        Raises:
            ValueError: The kind or the app is unknown, the message violates the description, or the app has no URL.
        """
        described = self._kind(kind)
        domain_event = DomainEvent(kind=kind, event=described.example["event"] if event is None else event)
        if api_app_id is None:
            apps = [app for app in self._apps(domain_event, any_kind=True) if app["callback_url"]]
        else:
            app = self._state.find("api_app", api_app_id)
            if app is None or not app["callback_url"]:
                raise ValueError(f"there is no callback app {api_app_id} with a URL")
            apps = [app]
        bodies = [self._message(described, domain_event, app) for app in apps]
        return [self._submit(kind, *body) for body in bodies]

    def wait(self, timeout: float = 10.0) -> None:
        """Wait until no delivery is in progress. Retries that are not due yet are ignored: advance the clock first.

        Args:
            timeout: The timeout in seconds.

        Raises:
            TimeoutError: A delivery is still in progress.
        """
        with self._changed:
            if not self._changed.wait_for(self._is_idle, timeout):
                raise TimeoutError(f"callbacks are still in progress after {timeout:g} seconds")

    def clear(self) -> None:
        """Cancel running deliveries, and remove all from the list."""
        self._sender.cancel()
        with self._changed:
            self._deliveries.clear()

    def close(self) -> None:
        """Stop: attempts in progress may finish within a second, pending retries are canceled."""
        self._sender.close()

    def _kind(self, name: str) -> CallbackKind:
        if name not in self._kinds:
            raise ValueError(f"unknown callback {name!r}: use one of {', '.join(self._kinds)}")
        return self._kinds[name]

    def _on_event(self, event: DomainEvent) -> None:
        for app in self._apps(event, any_kind=False):
            if not app["callback_url"]:
                continue
            try:
                message = self._message(self._kind(event.kind), event, app)
            except ValueError as error:
                self._violations.append(Violation(f"webhooks.{event.kind}", "body", str(error)))
            else:
                self._submit(event.kind, *message)

    def _apps(self, event: DomainEvent, *, any_kind: bool) -> list[dict[str, Any]]:
        store = self._state.store
        apps = [app for app in store.list("api_app") if any_kind or self._concerns(event, app)]
        return [app for app in apps if store.get("subscription", f"{app['id']}/{event.kind}") is not None]

    def _concerns(self, event: DomainEvent, app: Mapping[str, Any]) -> bool:
        if event.connector_id is not None:
            return bool(app["connector_id"] == event.connector_id)
        member = self._state.store.get("member", f"{event.space_id}/{app['_creator_id']}")
        return app["app_type"] == "normal" and member is not None and member["role_type"] in _NOTIFIED_ROLES

    def _message(self, kind: CallbackKind, event: DomainEvent, app: Mapping[str, Any]) -> tuple[str, str, bytes]:
        name = f"{self._state.options.seed} {next(self._numbers)}"
        event_id = f"{uuid.uuid5(_IDS, name)}-{app['id']}"
        header = {
            "event_type": event.kind,
            "event_id": event_id,
            "created_at": int(self._state.clock.now() * 1000),
            "coze_account_id": event.account_id,
            "api_app_id": app["id"],
            "connector_id": app["connector_id"] or None,
        }
        message = {"header": {name: value for name, value in header.items() if value is not None}, "event": event.event}
        violation = self._schemas.check(kind.pointer, message, kind.name)
        if violation is not None:
            raise ValueError(f"not as described: {violation}")
        return str(app["id"]), event_id, json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()

    def _submit(self, kind: str, api_app_id: str, event_id: str, body: bytes) -> Delivery:
        delivery = Delivery(kind=kind, api_app_id=api_app_id, event_id=event_id, url="", body=body)
        with self._changed:
            self._deliveries.append(delivery)
        self._sender.submit(delivery)
        return delivery

    def _prepare(self, delivery: Delivery) -> WebhookRequest | DeliveryState:
        app = self._state.find("api_app", delivery.api_app_id)
        if app is None or not app["callback_url"]:
            return "abandoned"
        url = delivery.url = app["callback_url"]
        if not self._allows(url):
            return "blocked"
        kind = self._kinds[delivery.kind]
        headers = kind.signature.sign(
            timestamp=str(int(self._state.clock.now() * 1000)),
            nonce=uuid.uuid4().hex,
            token=app["verify_token"],
            body=delivery.body,
        )
        return WebhookRequest(
            url=url,
            headers={"Content-Type": "application/json; charset=utf-8", **headers},
            seconds=kind.seconds,
            check=lambda answer: self._handle_response(kind, delivery, app, answer),
        )

    def _allows(self, url: str) -> bool:
        allowed = self._state.options.callback_hosts
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme not in {"http", "https"}:
            return False
        return _ANY_HOST in allowed or host in allowed or is_loopback_host(host)

    def _handle_response(self, kind: CallbackKind, delivery: Delivery, app: Mapping[str, Any], answer: bytes) -> str:
        """Store the review of a bot by the app of a channel; return the error of its response, or an empty string."""
        if kind.answer is None or app["app_type"] == "normal":
            return ""
        try:
            decision = parse_json(answer, "answer")
        except CallError:
            return "the response is not JSON"
        violation = self._schemas.check(kind.answer, decision, "answer")
        if violation is not None:
            return str(violation)
        event = json.loads(delivery.body)["event"]
        key = f"{app['connector_id']}/{event.get('bot_id_str', '')}"
        self._state.store.put("review", key, decision["audit"], app["connector_id"])
        return ""

    def _is_idle(self) -> bool:
        now = self._state.clock.now()
        return not any(
            delivery.state == "pending" or (delivery.next_at is not None and delivery.next_at <= now)
            for delivery in self._deliveries
        )

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
