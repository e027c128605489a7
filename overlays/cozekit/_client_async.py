"""The client that users create."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from coze_api import AsyncClient
from coze_api._core._backends.options import HTTPBackend
from coze_api._core._http import AsyncHTTPClient, Auth
from coze_api._core._operation import Timeout
from coze_api._core._request import Request
from coze_api._core._secrets import hidden, hidden_userinfo
from coze_api._core._sequence import OnGap

from ._authorization_async import authorization_header, authorization_request
from ._client_options import (
    ClientOptions,
    to_retry_policy,
    validate_deadline,
    validate_websocket_options,
)
from ._credentials import (
    AsyncTokenSource,
    choose_base_url,
    resolve_auth,
    resolve_profile,
)
from ._http_client import validate_http_backend, validate_http_client
from ._retry_policy import RetryPolicy
from ._retrying_async import AsyncRetrying

if TYPE_CHECKING:
    from ._chat.resource_async import AsyncChatResource
    from ._resources.copy_tasks_async import AsyncCopyTasks
    from ._resources.databases_async import AsyncDatabases
    from ._resources.datasets_async import AsyncDatasets
    from ._resources.files_async import AsyncFiles
    from ._websockets.options import SocketOptions
    from ._websockets.resources_async import AsyncWebsockets
    from ._workflows.resource_async import AsyncWorkflows

__all__ = ["AsyncCoze"]

R = TypeVar("R")


class AsyncCoze(ClientOptions, AsyncClient):
    """Client of the Coze platform. Any number of calls may use it at the same time.

    ```python
    async with AsyncCoze() as coze:  # reads COZE_API_TOKEN and COZE_API_BASE
        bot = await coze.bots.create(space_id="…", name="guide")
    ```
    """

    def __init__(
        self,
        token: AsyncTokenSource | None = None,
        *,
        base_url: str | None = None,
        auth: Auth | None = None,
        timeout: Timeout = None,
        retry: RetryPolicy | int | None = None,
        deadline: float | None = None,
        headers: Mapping[str, str] | None = None,
        sockets: SocketOptions | None = None,
        http_client: AsyncHTTPClient | None = None,
        http_backend: HTTPBackend | None = None,
        allow_http: bool = False,
        on_gap: OnGap = "warn",
        **options: Any,
    ) -> None:
        """Create a client.

        Args:
            token: Access token, or a function that returns one; an async client accepts an async function as well.
                Default: the environment variable COZE_API_TOKEN, else the token that `cozekit login` stored in the
                profile named by COZE_PROFILE, or in the default profile.
            base_url: `COZE_COM`, `COZE_CN` or another URL. Default: that of *auth* or the profile, COZE_API_BASE, else
                `COZE_COM`. A profile of another service is not used.
            auth: Authorizes each request, instead of a token: see `cozekit.auth`, or any `httpx.Auth`.
            timeout: A tuple of seconds to connect, to read, to write and to get a connection from the pool, where None
                is no limit, or a number for each of the four. Default: 5, 60, 60 and None, or that of *http_client*.
            retry: How failed requests are retried; a number sets only the maximum of retries. Default: 2.
            deadline: Seconds for a whole call, retries included, however slowly its response arrives. For a stream or
                a file, seconds until it opens. Only looking up the host's name in a thread cannot be interrupted, nor
                can a thread that reuses a connection of your own *http_client*: there, each read may take that long.
                Default: no deadline.
            headers: Sent with every request.
            sockets: Options of WebSockets.
            http_client: Your own `httpx.AsyncClient`, with proxies, limits, hooks and so on. Closing it is up to you.
                Without it, proxies are those of the environment, but none is used for addresses of this machine.
            http_backend: An `HTTPBackend`: the proxy, TLS settings and number of connections, where that is all that
                an HTTP client of your own would be for.
            allow_http: Whether *base_url* may be an unencrypted address of another machine.
            on_gap: What a stream does when sequence numbers show that events were lost or repeated: ``raise``
                `StreamGap`, ``warn`` with `StreamGapWarning`, or ``ignore`` it. Only streams of workflows have sequence
                numbers.
            **options: `max_event_bytes`: largest event of a stream. Default: 16 MiB. `max_response_bytes`: largest
                response after decompression, errors included; files have no limit. Default: 64 MiB.

        Raises:
            InvalidArgumentError: There is no token, or an argument is invalid.
        """
        token, headers, base_url = hidden(token), hidden(headers), hidden_userinfo(base_url)
        token, auth, base_url = resolve_profile(token, auth, base_url, http_client)
        super().__init__(
            choose_base_url(base_url, auth, allow_http=allow_http),
            timeout=timeout,
            headers=headers,
            http_client=validate_http_client(http_client, AsyncHTTPClient),
            http_backend=validate_http_backend(http_backend, http_client),
            **resolve_auth(token, auth, http_client, AsyncHTTPClient),
            on_gap=on_gap,
            **options,
        )
        self._retry = to_retry_policy(retry)
        self._deadline = validate_deadline(deadline)
        self._sockets = validate_websocket_options(sockets, allow_http=allow_http)

    @cached_property
    def chat(self) -> AsyncChatResource:
        """Chat with a bot: as a stream, by polling for the result, or with tools."""
        from ._chat.resource_async import AsyncChatResource

        return AsyncChatResource(self)

    @cached_property
    def files(self) -> AsyncFiles:
        """Upload files that messages, bots and workflows refer to by id."""
        from ._resources.files_async import AsyncFiles

        return AsyncFiles(self)

    @cached_property
    def copy_tasks(self) -> AsyncCopyTasks:
        """Copy bots, apps and workflows within a workspace or to another one."""
        from ._resources.copy_tasks_async import AsyncCopyTasks

        return AsyncCopyTasks(self)

    @cached_property
    def databases(self) -> AsyncDatabases:
        """Databases and their rows."""
        from ._resources.databases_async import AsyncDatabases

        return AsyncDatabases(self)

    @cached_property
    def datasets(self) -> AsyncDatasets:
        """Knowledge bases and their documents."""
        from ._resources.datasets_async import AsyncDatasets

        return AsyncDatasets(self)

    @cached_property
    def websockets(self) -> AsyncWebsockets:
        """Speech, transcriptions, interpretation and calls over WebSockets. Needs `cozekit[ws]`."""
        from ._websockets.resources_async import AsyncWebsockets

        return AsyncWebsockets(self)

    @cached_property
    def workflows(self) -> AsyncWorkflows:
        """Workflows: run them, and chat with chatflows."""
        from ._workflows.resource_async import AsyncWorkflows

        return AsyncWorkflows(self)

    async def authorization(self) -> str:
        """Return the Authorization header that this client would send now, such as ``Bearer pat_…``.

        The token is refreshed first if it must be. For example for a WebSocket, or to hand a token to a browser.

        Returns:
            The header; an empty string if the client has no token.

        Raises:
            CozeError: There is no token, or no response to the token request.
        """
        request = authorization_request()
        return await self._exchange(request, lambda: authorization_header(self, request))

    async def _exchange(self, request: Request, call: Callable[[], Awaitable[R]]) -> R:
        retrying = AsyncRetrying(self._retry, self._deadline, self.base_url, self._request_timeout())
        return await retrying.call(request, call)
