"""JWTs of channel apps, for accounts that collaborate, and of enterprise apps. Needs cozekit[jwt].

    COZE_CHANNEL_FILE=channel.json COZE_BOT_ID=… python examples/auth/channel_and_enterprise.py

COZE_ACCOUNT_ID with COZE_APP_FILE, and COZE_ENTERPRISE_ID with COZE_ENTERPRISE_FILE, are for the other two.
"""

import os

from coze_api.models import OAuthAccountPermission, OAuthAttributeConstraint, OAuthBotConstraint, OAuthScope
from cozekit.auth import JWTOAuth

if path := os.environ.get("COZE_CHANNEL_FILE"):
    scope = OAuthScope(
        account_permission=OAuthAccountPermission(permission_list=["Connector.botChat"]),
        attribute_constraint=OAuthAttributeConstraint(
            connector_bot_chat_attribute=OAuthBotConstraint(bot_id_list=[os.environ["COZE_BOT_ID"]])
        ),
    )
    token = JWTOAuth.from_file(path).token(scope=scope, session_name="user-17")
    print("For chats with one bot, until", token.expires_at.isoformat())

if account := os.environ.get("COZE_ACCOUNT_ID"):  # of a user or organization that has authorized the app
    token = JWTOAuth.from_file(os.environ["COZE_APP_FILE"]).token(account_id=account)
    print("For another account, until", token.expires_at.isoformat())

if enterprise := os.environ.get("COZE_ENTERPRISE_ID"):
    token = JWTOAuth.from_file(os.environ["COZE_ENTERPRISE_FILE"]).token(enterprise_id=enterprise)
    print("For the enterprise, until", token.expires_at.isoformat())
