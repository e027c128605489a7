"""The clients that users make."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from coze_api import AsyncClient, Client
from coze_api._core._http import AsyncHTTPClient, Auth, HTTPClient
from coze_api._core._operation import Operation, Timeout
from coze_api._core._request import Request
from coze_api._core._secrets import hidden, hidden_userinfo
from coze_api._core._sequence import OnGap

from ._client_options import NOT_GIVEN, ClientOptions, to_retry_policy, validate_deadline, validate_websocket_options
from ._credentials import AsyncTokenCallableAuth, TokenCallableAuth, choose_base_url, resolve_auth, resolve_profile
from ._retry_policy import RetryPolicy
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from ._chat.resource import ChatResource
    from ._chat.resource_async import AsyncChatResource
    from ._resources.copy_tasks import CopyTasks
    from ._resources.copy_tasks_async import AsyncCopyTasks
    from ._resources.datasets import Datasets
    from ._resources.datasets_async import AsyncDatasets
    from ._resources.files import Files
    from ._resources.files_async import AsyncFiles
    from ._websockets.options import SocketOptions
    from ._websockets.resources import Websockets
    from ._websockets.resources_async import AsyncWebsockets
    from ._workflows.resource import Workflows
    from ._workflows.resource_async import AsyncWorkflows

__all__ = ["AsyncCoze", "Coze"]

C = TypeVar("C")
R = TypeVar("R")


def _validate_http_client(given: C | None, kind: type[C]) -> C | None:
    if given is not None and not isinstance(given, kind):
        raise InvalidArgumentError(f"http_client must be an httpx.{kind.__name__}, not {type(given).__name__}")
    return given


class Coze(ClientOptions, Client):
    """Coze, one call at a time. Safe to share between threads.

    ```python
    coze = Coze()  # COZE_API_TOKEN, COZE_API_BASE
    bot = coze.bots.create(space_id="…", name="guide")
    ```
    """

    def __init__(
        self,
        token: str | Callable[[], str] | None = None,
        *,
        base_url: str | None = None,
        auth: Auth | None = None,
        timeout: Timeout = None,
        retry: RetryPolicy | int | None = None,
        deadline: float | None = None,
        headers: Mapping[str, str] | None = None,
        sockets: SocketOptions | None = None,
        http_client: HTTPClient | None = None,
        allow_http: bool = False,
        on_gap: OnGap = "warn",
        **options: Any,
    ) -> None:
        """Make a client.

        Args:
            token: Access token, or a function that returns one. Default: the environment's COZE_API_TOKEN, else what
                `cozekit login` has left in the profile that COZE_PROFILE names, or in the default one.
            base_url: `COZE_COM`, `COZE_CN` or another address. Default: that of *auth* or the profile, COZE_API_BASE,
                else `COZE_COM`. A profile for another address is not used.
            auth: Strategy that authorizes each request, instead of a token: see `cozekit.auth`, or any httpx.Auth.
            timeout: Seconds, or a tuple of seconds to connect, to read, to write and to get a connection.
                Default: 5, 60, 60 and 600, or what *http_client* says.
            retry: How often and how patiently to try again; a number sets the most retries alone. Default: 2.
            deadline: Seconds that a call may take in all, with retries; no attempt begins after it. For a stream,
                until it opens. Each step of the last attempt (to get a connection, to connect, to send, each read) may
                take what was left when the attempt began. Default: none.
            headers: Sent with every request.
            sockets: How WebSockets are opened, kept alive and closed.
            http_client: An httpx client with proxies, limits, hooks and so on of your own, which stays yours to close.
                Without it proxies are those of the environment, but none for an address of this machine.
            allow_http: Whether the address may be one without encryption that is not of this machine.
            on_gap: What a stream does when the numbers of its events show that some were lost or came twice: ``raise``
                `StreamGap`, ``warn`` by `StreamGapWarning`, or ``ignore`` it. Only streams of workflows have numbers.
            **options: `max_event_bytes`: largest event that a stream may hold. Default: 16 MiB. `max_response_bytes`:
                largest answer, once it is decompressed; of errors, too, but files have no limit. Default: 64 MiB.

        Raises:
            InvalidArgumentError: There is no token, or an argument is unusable.
        """
        token, headers, base_url = hidden(token), hidden(headers), hidden_userinfo(base_url)
        token, auth, base_url = resolve_profile(token, auth, base_url, http_client)
        super().__init__(
            choose_base_url(base_url, auth, allow_http=allow_http),
            timeout=timeout,
            headers=headers,
            http_client=_validate_http_client(http_client, HTTPClient),
            **resolve_auth(token, auth, http_client, TokenCallableAuth),
            on_gap=on_gap,
            **options,
        )
        self._retry = to_retry_policy(retry)
        self._deadline = validate_deadline(deadline)
        self._sockets = validate_websocket_options(sockets, allow_http=allow_http)

    def with_options(
        self,
        *,
        timeout: Timeout = NOT_GIVEN,
        retry: RetryPolicy | int | None = NOT_GIVEN,
        deadline: float | None = NOT_GIVEN,
        headers: Mapping[str, str] | None = NOT_GIVEN,
        on_gap: OnGap = NOT_GIVEN,
    ) -> Self:
        """Return a client over the same connections with other policies. This one stays as it is."""
        return cast("Self", self._copy_with(self, timeout, retry, deadline, headers, on_gap))

    @cached_property
    def chat(self) -> ChatResource:
        """Chat with a bot: by stream, by starting a chat and asking for its result, or with tools."""
        from ._chat.resource import ChatResource

        return ChatResource(self)

    @cached_property
    def files(self) -> Files:
        """Upload files that messages, bots and workflows refer to by id."""
        from ._resources.files import Files

        return Files(self)

    @cached_property
    def copy_tasks(self) -> CopyTasks:
        """Copy bots, apps and workflows within a workspace or to another one."""
        from ._resources.copy_tasks import CopyTasks

        return CopyTasks(self)

    @cached_property
    def datasets(self) -> Datasets:
        """Knowledge bases and their documents."""
        from ._resources.datasets import Datasets

        return Datasets(self)

    @cached_property
    def websockets(self) -> Websockets:
        """Speech, transcriptions, interpretation and calls over WebSockets. Needs `cozekit[ws]`."""
        from ._websockets.resources import Websockets

        return Websockets(self)

    def _base_of(self, operation: Operation[Any]) -> str:
        given = self._sockets.base_url if self._sockets is not None and operation.servers else None
        return given.rstrip("/") if given else super()._base_of(operation)

    @cached_property
    def workflows(self) -> Workflows:
        """Workflows: run them, and chat with chatflows."""
        from ._workflows.resource import Workflows

        return Workflows(self)

    def _exchange(self, request: Request, call: Callable[[], R]) -> R:
        return self._retrying(self).call(request, call)


class AsyncCoze(ClientOptions, AsyncClient):
    """Coze, for use from an event loop.

    ```python
    async with AsyncCoze() as coze:
        bot = await coze.bots.create(space_id="…", name="guide")
    ```
    """

    def __init__(
        self,
        token: str | Callable[[], str] | Callable[[], Awaitable[str]] | None = None,
        *,
        base_url: str | None = None,
        auth: Auth | None = None,
        timeout: Timeout = None,
        retry: RetryPolicy | int | None = None,
        deadline: float | None = None,
        headers: Mapping[str, str] | None = None,
        sockets: SocketOptions | None = None,
        http_client: AsyncHTTPClient | None = None,
        allow_http: bool = False,
        on_gap: OnGap = "warn",
        **options: Any,
    ) -> None:
        """Make a client. The arguments are those of `Coze`, but *http_client* is an async one, and *token* may be."""
        token, headers, base_url = hidden(token), hidden(headers), hidden_userinfo(base_url)
        token, auth, base_url = resolve_profile(token, auth, base_url, http_client)
        super().__init__(
            choose_base_url(base_url, auth, allow_http=allow_http),
            timeout=timeout,
            headers=headers,
            http_client=_validate_http_client(http_client, AsyncHTTPClient),
            **resolve_auth(token, auth, http_client, AsyncTokenCallableAuth),
            on_gap=on_gap,
            **options,
        )
        self._retry = to_retry_policy(retry)
        self._deadline = validate_deadline(deadline)
        self._sockets = validate_websocket_options(sockets, allow_http=allow_http)

    def with_options(
        self,
        *,
        timeout: Timeout = NOT_GIVEN,
        retry: RetryPolicy | int | None = NOT_GIVEN,
        deadline: float | None = NOT_GIVEN,
        headers: Mapping[str, str] | None = NOT_GIVEN,
        on_gap: OnGap = NOT_GIVEN,
    ) -> Self:
        """Return a client over the same connections with other policies. This one stays as it is."""
        return cast("Self", self._copy_with(self, timeout, retry, deadline, headers, on_gap))

    @cached_property
    def chat(self) -> AsyncChatResource:
        """Chat with a bot: by stream, by starting a chat and asking for its result, or with tools."""
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
    def datasets(self) -> AsyncDatasets:
        """Knowledge bases and their documents."""
        from ._resources.datasets_async import AsyncDatasets

        return AsyncDatasets(self)

    @cached_property
    def websockets(self) -> AsyncWebsockets:
        """Speech, transcriptions, interpretation and calls over WebSockets. Needs `cozekit[ws]`."""
        from ._websockets.resources_async import AsyncWebsockets

        return AsyncWebsockets(self)

    def _base_of(self, operation: Operation[Any]) -> str:
        given = self._sockets.base_url if self._sockets is not None and operation.servers else None
        return given.rstrip("/") if given else super()._base_of(operation)

    @cached_property
    def workflows(self) -> AsyncWorkflows:
        """Workflows: run them, and chat with chatflows."""
        from ._workflows.resource_async import AsyncWorkflows

        return AsyncWorkflows(self)

    async def _exchange(self, request: Request, call: Callable[[], Awaitable[R]]) -> R:
        return await self._retrying(self).acall(request, call)
