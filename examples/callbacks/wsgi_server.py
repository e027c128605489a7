"""Receives callbacks with the server of the standard library.

COZE_VERIFY_TOKEN is the `verify_token` of your callback app, as `coze.api_apps.list()` returns it; PORT is the port to
listen on. Coze must be able to reach the URL, so put a proxy with TLS in front of it.
"""

import os
from wsgiref.simple_server import make_server

from coze_api.models import BotDeletedCallback, BotPublishedAnswer, BotPublishedCallback, CallbackMessage
from cozekit import webhooks


def handle(message: CallbackMessage) -> BotPublishedAnswer | None:
    """Print one callback."""
    match message:
        case BotPublishedCallback():
            print("published:", message.event.bot_name, flush=True)
            return webhooks.approve()
        case BotDeletedCallback():
            print("deleted:", message.event.bot_name, flush=True)
        case _:
            print("something else:", message.to_dict(), flush=True)
    return None


app = webhooks.WSGIApp(handle, token=os.environ["COZE_VERIFY_TOKEN"])

if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8080")), app) as server:
        print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
