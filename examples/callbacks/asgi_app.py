"""Callbacks in an asynchronous server: `uvicorn asgi_app:app`.

In Starlette and FastAPI `webhooks.ASGIApp` needs a route: `FastAPI(routes=[Route("/coze", webhooks.ASGIApp(…))])`, with
`Route` from `starlette.routing`. Mounted at `/coze` it would be at `/coze/`, and requests for `/coze` would be
redirected.
"""

import os

from coze_api.models import BotPublishedAnswer, BotPublishedCallback, CallbackMessage
from cozekit import webhooks


async def handle(message: CallbackMessage) -> BotPublishedAnswer | None:
    """Approve bots that have a description."""
    if isinstance(message, BotPublishedCallback):
        return webhooks.approve() if message.event.description else webhooks.reject("Describe the bot, please.")
    return None


# Half an hour: an intercepted request cannot be replayed tomorrow.
app = webhooks.ASGIApp(handle, token=os.environ["COZE_VERIFY_TOKEN"], max_age=1800)
