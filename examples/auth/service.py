"""A service that signs its own JWTs. Needs cozekit[jwt].

    COZE_APP_FILE=app.json python examples/auth/service.py

app.json is the file that you download from the Coze console for a service app; it contains the URL of the service.
"""

import os

from cozekit import Coze
from cozekit.auth import JWTAuth, JWTOAuth

APP = os.environ["COZE_APP_FILE"]

# A client for the service itself. It signs a new JWT whenever a token expires.
with Coze(auth=JWTAuth.from_file(APP)) as coze:
    print("I am", coze.users.me().user_name)

# A client for one of the service's own users, whose conversations are separate from those of others.
with Coze(auth=JWTAuth.from_file(APP, session_name="user-17")) as coze:
    print("The conversation of user-17 is", coze.conversations.create().id)

# A token to hand out, for example to a page in the browser of that user.
token = JWTOAuth.from_file(APP).token(session_name="user-17", duration=3600)
print("A token until", token.expires_at.isoformat())
