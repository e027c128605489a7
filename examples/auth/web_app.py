"""A web backend that acts for its users: OAuth with a client secret.

    COZE_CLIENT_ID=… COZE_CLIENT_SECRET=… python examples/auth/web_app.py

Open the URL that it prints. The app's settings need http://127.0.0.1:8765/callback as redirect URL; PORT changes the
port. It ends after one user; a real server would use its framework, and sessions instead of `STATES`.
"""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from cozekit import Coze, CozeError
from cozekit.auth import FileStore, WebOAuth, new_state

SERVER = HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8765"))), BaseHTTPRequestHandler)
HERE = f"http://127.0.0.1:{SERVER.server_port}"
WEB = WebOAuth(os.environ["COZE_CLIENT_ID"], os.environ["COZE_CLIENT_SECRET"], f"{HERE}/callback")
TOKENS = FileStore(os.environ.get("TOKEN_FOLDER", "tokens"))
STATES: list[str] = []


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/callback?"):
            try:
                code = WEB.parse_callback(self.path, state=STATES.pop() if STATES else new_state())
                TOKENS.save("user-1", WEB.exchange(code))  # under your own id for the user
            except CozeError as error:
                self.answer(400, f"That did not work: {error}")
            else:
                self.answer(200, "You can close this window.")
        elif self.path == "/":
            STATES.append(new_state())
            self.send_response(302)
            self.send_header("Location", WEB.authorize_url(state=STATES[-1]))
            self.end_headers()
        else:  # such as the icon that browsers request
            self.answer(404, "There is nothing here.")

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests: the URLs contain codes."""


SERVER.RequestHandlerClass = Pages
print(f"Open {HERE}/", flush=True)
while TOKENS.load("user-1") is None:
    SERVER.handle_request()

# Days later, in any process: the token is refreshed when necessary.
with Coze(auth=WEB.auth(store=TOKENS, key="user-1")) as coze:
    print("The user is", coze.users.me().user_name)
