"""JWT flow: tokens for services with a private key."""

from __future__ import annotations

from typing import Unpack

from ._flow_async import AsyncOAuthFlow
from ._jwt_base import JWTFlowBase, JWTOptions
from ._token import Token
from ._token_request import request_token

__all__ = ["AsyncJWTOAuth"]


class AsyncJWTOAuth(JWTFlowBase, AsyncOAuthFlow):
    """JWT flow: a service gets tokens for itself or for its end users, without a login each time.

    ```python
    jwt = AsyncJWTOAuth.from_file("app.json")  # from the console of Coze
    token = await jwt.token(session_name="user-17", duration=3600)
    ```

    For a client that gets its tokens automatically, see `JWTAuth`. See https://www.coze.cn/open/docs/developer_guides/oauth_jwt.
    """

    async def token(self, **options: Unpack[JWTOptions]) -> Token:
        """Get a token.

        Args:
            **options: See `JWTOptions`.

        Raises:
            InvalidArgumentError: An option is invalid.
            InvalidClient: Coze rejected the JWT.
            OAuthError: Coze rejected the request for another reason.
            CozeError: There was no response.
        """
        return await self._drive(request_token(self.token_request_factory(options)))
