"""The class `Sandbox`."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp

from ._admin.endpoints import AdminAPI
from ._app import App
from ._callbacks.dispatcher import Callbacks
from ._certificates import Certificates
from ._common.clock import Clock
from ._config.options import Options
from ._dispatcher import Dispatcher
from ._explorer.static_files import ExplorerPage
from ._faults.faults import Faults
from ._http.allowed_hosts import AllowedHosts
from ._http.request_log import RequestLog
from ._http.responses import Violation
from ._oauth.consent_pages import ConsentPages
from ._oauth.control import OAuthControl
from ._scenario.scenario import Scenario
from ._server import ThreadedServer
from ._spec.spec import Spec, load_spec
from ._state.state import SandboxState
from ._state.store import Store

__all__ = ["Sandbox"]


class Sandbox:
    """A local Coze.

    As a context manager it listens on a free port of the loopback interface:

        with Sandbox() as sandbox:
            client = Coze(base_url=sandbox.base_url, token=sandbox.token)

    Without `with`, pass `app` to any ASGI server or test client. The server should not send `Date`
    (`--no-date-header` of uvicorn): responses have the time of the sandbox's clock.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 for a free one.
        clock: The clock; by default the time of the system.
        tls: Whether to use TLS, with a certificate that is created for this run.
        **options: Attributes of `Options`.

    Attributes:
        options: The settings.
        description: The OpenAPI description.
        clock: The clock, which tests can advance.
        faults: The faults to inject.
        requests: The log of requests.
        oauth: Control of OAuth apps and consent.
        callbacks: The callbacks (webhooks) that are sent.
        scenario: Stubs for upcoming calls.
        app: The ASGI application.

    Raises:
        FileNotFoundError: No description was passed and none is installed.
        TypeError: An option is unknown.
        ValueError: An option is out of range, the state cannot be stored in the file, the description is invalid, or a
            library for TLS is missing.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, clock: Clock | None = None, tls: bool = False, **options: Any
    ) -> None:
        self.options = Options(**options)
        self.description: Spec = load_spec(self.options)
        self.clock = clock or Clock()
        self.faults = Faults(self.description.operations)
        self.requests = RequestLog()
        self._certificates = Certificates(host) if tls else None
        self._state = SandboxState(self.options, self.clock)
        self.oauth = OAuthControl(self._state, lambda: self.base_url)
        self._dispatcher = Dispatcher(self.description, self._state, self.requests, self.faults)
        self._responses = self._dispatcher.responses
        self.callbacks = Callbacks(self._state, self.description, self._dispatcher.schemas, self._responses.violations)
        self.scenario = Scenario(self)
        hosts = AllowedHosts([host, *self.options.allow_hosts])
        control, pages = AdminAPI(self, hosts), ConsentPages(self._state)
        self.app: ASGIApp = App(self._dispatcher, control, pages, ExplorerPage(), self.clock, hosts)
        self._address = (host, port)
        self._server: ThreadedServer | None = None

    @property
    def token(self) -> str:
        """A token with all permissions."""
        return self.options.token

    @property
    def store(self) -> Store:
        """The stored documents."""
        return self._state.store

    @property
    def base_url(self) -> str:
        """The base URL of the running sandbox.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not running: use `with Sandbox(...)` or start()")
        return self._server.base_url

    @property
    def ca_file(self) -> str:
        """Path of the CA certificate in PEM for a sandbox with TLS; the file exists until `close`.

        Most programs trust it with the environment variable `SSL_CERT_FILE`, httpx with
        `verify=ssl.create_default_context(cafile=sandbox.ca_file)`.

        Raises:
            RuntimeError: The sandbox was created without `tls=True`.
        """
        if self._certificates is None:
            raise RuntimeError("the sandbox has no certificates: create it with tls=True")
        return str(self._certificates.ca_file)

    @property
    def violations(self) -> list[Violation]:
        """Responses that violate the description: defects of the sandbox or of the description."""
        return self._responses.violations

    def start(self) -> Self:
        """Start the server.

        Raises:
            RuntimeError: The sandbox is already running.
            OSError: The address is in use.
        """
        if self._server is not None:
            raise RuntimeError("the sandbox is already running")
        server = ThreadedServer(self.app, *self._address, self._certificates)
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Stop the server. The state is kept, and `start` may be called again."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def close(self) -> None:
        """Stop the server and close the file of the state. The sandbox cannot be used afterwards."""
        self.stop()
        self.callbacks.close()
        self._state.close()
        if self._certificates is not None:
            self._certificates.remove()

    def reset(self) -> None:
        """Restore the seed data, and remove faults, stubs, requests and callbacks."""
        self.callbacks.clear()
        self._state.reset()
        self.faults.clear()
        self.requests.clear()
        self.violations.clear()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
