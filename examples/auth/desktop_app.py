"""A program on the user's own machine, which cannot keep a secret: OAuth with PKCE.

    COZE_CLIENT_ID=… python examples/auth/desktop_app.py

The app's settings need http://127.0.0.1:8765/callback as redirect URL; PORT changes the port.
"""

import os
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer

from cozekit import Coze
from cozekit.auth import FileStore, PKCEOAuth, new_state, new_verifier

came_back: list[str] = []


class Callback(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        came_back.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"You can close this window.")

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests: the URL contains the code."""


with HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8765"))), Callback) as server:
    pkce = PKCEOAuth(os.environ["COZE_CLIENT_ID"], f"http://127.0.0.1:{server.server_port}/callback")
    state, verifier = new_state(), new_verifier()
    url = pkce.authorize_url(state=state, code_verifier=verifier)
    print("Open", url, flush=True)
    if "NO_BROWSER" not in os.environ:
        webbrowser.open(url)
    while not came_back:
        server.handle_request()

token = pkce.exchange(pkce.parse_callback(came_back[0], state=state), code_verifier=verifier)
store = FileStore(os.environ.get("TOKEN_FOLDER", "tokens"))
with Coze(auth=pkce.auth(token, store=store)) as coze:
    print("The user is", coze.users.me().user_name)
