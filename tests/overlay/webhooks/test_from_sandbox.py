"""Callbacks that the sandbox sends and the webhook applications receive."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from coze_api.models import ApiAppType
from coze_sandbox import BOT_ID, Sandbox
from cozekit import Coze, webhooks
from tests.overlay.webhooks._servers import serving_asgi, serving_wsgi

KINDS = ("bot.published", "bot.unpublished", "bot.deleted", "benefit.usage")


@pytest.mark.parametrize(
    ("make", "serving"), [(webhooks.ASGIApp, serving_asgi), (webhooks.WSGIApp, serving_wsgi)], ids=["asgi", "wsgi"]
)
def test_sandbox_callbacks_are_verified_and_decoded(make: Any, serving: Any) -> None:
    """The signature of the sandbox's callbacks is valid for the client, and each message arrives decoded and once."""
    received: list[Any] = []
    with Sandbox() as sandbox, Coze(base_url=sandbox.base_url, token=sandbox.token) as coze:
        app = coze.api_apps.create(app_type=ApiAppType.NORMAL, name="Orders")
        with serving(make(received.append, token=app.verify_token, max_age=60)) as url:
            coze.api_apps.update(api_app_id=app.id, callback_url=f"{url}/coze")
            coze.api_apps.events.create(api_app_id=app.id, event_types=list(KINDS))
            coze.bots.publish(bot_id=BOT_ID, connector_ids=["1024"])
            sandbox.callbacks.wait()
            coze.chat.create_and_poll(bot_id=BOT_ID, user_id="u", additional_messages=["Hi"])
            sandbox.callbacks.wait()
            coze.bots.unpublish(bot_id=BOT_ID, connector_id="1024")
            sandbox.callbacks.wait()
            sandbox.callbacks.send("bot.deleted")
            sandbox.callbacks.wait()
    kinds = [type(message).__name__ for message in received]
    assert kinds == ["BotPublishedCallback", "BenefitUsageCallback", "BotUnpublishedCallback", "BotDeletedCallback"]
    assert received[0].event.bot_id_str == int(BOT_ID)
    assert {delivery.state for delivery in sandbox.callbacks.deliveries} == {"delivered"}


def test_rejected_callback_is_sent_again_and_handled_once() -> None:
    """A callback with another app's secret is rejected and sent again; with the right secret it is handled once."""
    handled = threading.Semaphore(0)
    token = "another"
    with Sandbox() as sandbox, Coze(base_url=sandbox.base_url, token=sandbox.token) as coze:
        app = coze.api_apps.create(app_type=ApiAppType.NORMAL, name="Orders")
        coze.api_apps.events.create(api_app_id=app.id, event_types=["bot.deleted"])
        with serving_asgi(webhooks.ASGIApp(lambda _: handled.release(), token=token)) as url:
            coze.api_apps.update(api_app_id=app.id, callback_url=url)
            (delivery,) = sandbox.callbacks.send("bot.deleted")
            sandbox.callbacks.wait()
            assert (delivery.state, delivery.status) == ("waiting", 401)
        with serving_asgi(webhooks.ASGIApp(lambda _: handled.release(), token=app.verify_token)) as url:
            coze.api_apps.update(api_app_id=app.id, callback_url=url)
            sandbox.clock.advance(1)
            assert handled.acquire(timeout=60)
            sandbox.callbacks.wait()
            assert (delivery.state, len(delivery.attempts)) == ("delivered", 2)
    assert not handled.acquire(blocking=False)


def test_channel_app_reviews_a_bot_with_reply_builders() -> None:
    """The app of a channel reviews a bot with the reply functions of the client."""
    with Sandbox() as sandbox, Coze(base_url=sandbox.base_url, token=sandbox.token) as coze:
        app = coze.api_apps.create(app_type=ApiAppType.CONNECTOR, connector_id="7001")
        coze.api_apps.events.create(api_app_id=app.id, event_types=["bot.published"])
        decide = webhooks.ASGIApp(lambda _: webhooks.reject("too loud"), token=app.verify_token)
        with serving_asgi(decide) as url:
            coze.api_apps.update(api_app_id=app.id, callback_url=url)
            coze.bots.publish(bot_id=BOT_ID, connector_ids=["1024", "7001"])
            sandbox.callbacks.wait()
        assert [delivery.state for delivery in sandbox.callbacks.deliveries] == ["delivered"]
        assert sandbox.store.list("review") == [{"audit_status": 3, "reason": "too loud"}]


def test_route_is_reached_where_a_mount_redirects() -> None:
    """At the path of a mount Starlette redirects, and the delivery reports it; a route receives the callback."""
    received: list[Any] = []
    with Sandbox() as sandbox, Coze(base_url=sandbox.base_url, token=sandbox.token) as coze:
        app = coze.api_apps.create(app_type=ApiAppType.NORMAL, name="Orders")
        coze.api_apps.events.create(api_app_id=app.id, event_types=["bot.deleted"])
        receiver = webhooks.ASGIApp(received.append, token=app.verify_token)
        routes = [Mount("/mounted", receiver), Route("/coze", receiver)]
        with serving_asgi(Starlette(routes=routes)) as url:
            errors = []
            for path in ("/mounted", "/coze"):
                coze.api_apps.update(api_app_id=app.id, callback_url=f"{url}{path}")
                (delivery,) = sandbox.callbacks.send("bot.deleted")
                sandbox.callbacks.wait()
                errors.append(delivery.attempts[-1].error)
    assert errors == [f"HTTP 307 to {url}/mounted/: redirects are not followed", ""]
    assert len(received) == 1
