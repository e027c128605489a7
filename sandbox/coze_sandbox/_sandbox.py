"""The sandbox as one object."""

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

    As a context manager it listens on a free port of this machine:

        with Sandbox() as sandbox:
            client = Coze(base_url=sandbox.base_url, token=sandbox.token)

    Without `with`, `app` can be given to any ASGI server or test client. The server should send no `Date` of its
    own (`--no-date-header` of uvicorn): answers have that of the sandbox's clock.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 for a free one.
        clock: The time; the machine's own by default.
        tls: Whether to listen with TLS, with a certificate that is made for this run.
        **options: Members of `Options`.

    Attributes:
        options: The settings.
        description: The description that drives it.
        clock: The time, which tests may advance.
        faults: Faults that wait for calls.
        requests: What was asked so far.
        oauth: Stands in for the people and developers of OAuth apps.
        callbacks: What is sent to callback apps.
        scenario: Tells it what to do next.
        app: The ASGI application.

    Raises:
        FileNotFoundError: No description was given and none is installed.
        TypeError: There is no such option.
        ValueError: An option is out of range, the state cannot be kept in the file, the description is none, or TLS
            lacks a library.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        tls: bool = False,
        **options: Any,
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
        """A token that may do everything."""
        return self.options.token

    @property
    def store(self) -> Store:
        """What it keeps."""
        return self._state.store

    @property
    def base_url(self) -> str:
        """Where it listens.

        Raises:
            RuntimeError: It is not running.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not running: use `with Sandbox(...)` or start()")
        return self._server.base_url

    @property
    def ca_file(self) -> str:
        """The certificate to trust, a PEM file that is there until `close`, for a sandbox with TLS.

        Most programs trust it with `SSL_CERT_FILE` in their environment, httpx with
        `verify=ssl.create_default_context(cafile=sandbox.ca_file)`.

        Raises:
            RuntimeError: It was made without `tls=True`.
        """
        if self._certificates is None:
            raise RuntimeError("the sandbox has no certificates: make it with tls=True")
        return str(self._certificates.ca_file)

    @property
    def violations(self) -> list[Violation]:
        """Answers that were not as described: defects of the sandbox or of the description."""
        return self._responses.violations

    def start(self) -> Self:
        """Listen.

        Raises:
            RuntimeError: It is running already.
            OSError: The address is taken.
        """
        if self._server is not None:
            raise RuntimeError("the sandbox is running already")
        server = ThreadedServer(self.app, *self._address, self._certificates)
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Stop listening. The state stays, and `start` may be called again."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def close(self) -> None:
        """Stop listening and close the state's file. Nothing works afterwards."""
        self.stop()
        self.callbacks.close()
        self._state.close()
        if self._certificates is not None:
            self._certificates.remove()

    def reset(self) -> None:
        """Go back to the state at the start, without faults, requests and callbacks under way."""
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
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
