"""The commands."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from .. import __version__
from .._profiles import DEFAULT, Profile, Profiles, current_profile
from ..errors import CozeError
from ._console import CLIError, Terminal
from ._locks import locked, token_locked, user_profiles

__all__ = ["run"]

ProfileName = Annotated[
    str | None, Parameter(help="Name of the profile. Default: COZE_PROFILE, else the default profile.")
]
Region = Annotated[Literal["com", "cn"] | None, Parameter(help="Region of the service: coze.com or coze.cn.")]
BaseURL = Annotated[str | None, Parameter(help="URL of the service, instead of a region.")]
AsJSON = Annotated[bool, Parameter(name="--json", negative="", help="Write JSON.")]

_INTERRUPTED = 130
_USAGE_ERROR = 2


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status. Expected failures are one line, without a traceback."""
    terminal = Terminal()
    app = _commands(terminal)
    try:
        status = app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return _USAGE_ERROR  # already printed
    except CLIError as failure:
        terminal.failure(str(failure))
        return failure.status
    except BrokenPipeError:
        # The reader has closed the pipe. Python would report it again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except CozeError as error:
        terminal.failure(str(error))
        return 1
    except (OSError, ValueError) as error:  # files and variables that are invalid for the HTTP client
        terminal.failure(f"{error}; run `cozekit doctor` for more")
        return 1
    except KeyboardInterrupt:
        terminal.failure("stopped")
        return _INTERRUPTED
    return status if isinstance(status, int) else 0


def _commands(terminal: Terminal) -> App:
    app = App(
        name="cozekit",
        help="Log in to Coze, show the account, diagnose problems, call operations, run a local Coze.",
        version=__version__,
        console=Console(),
        error_console=Console(stderr=True),
        suppress_keyboard_interrupt=False,
    )

    @app.command
    def login(
        *,
        device: Annotated[
            bool, Parameter(negative="", help="Log in with a code that you enter on any device.")
        ] = False,
        jwt: Annotated[Path | None, Parameter(help="Log in as a service, with the app's JSON file.")] = None,
        token: Annotated[bool, Parameter(negative="", help="Save a token, read from the keyboard or a pipe.")] = False,
        client_id: Annotated[str | None, Parameter(help="Id of the OAuth app. Default: COZE_CLIENT_ID.")] = None,
        profile: ProfileName = None,
        region: Region = None,
        base_url: BaseURL = None,
        audience: Annotated[
            str | None, Parameter(help="Host of Coze behind a gateway, such as api.coze.com; with --jwt.")
        ] = None,
        workspace: Annotated[str | None, Parameter(help="Limit the token to this workspace.")] = None,
        port: Annotated[int, Parameter(help="Port of the redirect server. Default: a free one.")] = 0,
        browser: Annotated[bool, Parameter(help="Whether to open the browser.")] = True,
        timeout: Annotated[float, Parameter(help="Seconds to wait for you.")] = 300,
    ) -> None:
        """Log in, and save the token for Coze() and AsyncCoze().

        Without --device, --jwt or --token your browser opens (OAuth with PKCE).
        """
        from ._login import Login, chosen_base_url

        if device + token + (jwt is not None) > 1:
            raise CLIError("pass only one of --device, --jwt and --token", status=_USAGE_ERROR)
        if audience is not None and jwt is None:
            raise CLIError("--audience is for --jwt: only JWTs have an audience", status=_USAGE_ERROR)
        profiles = user_profiles()
        attempt = Login(
            terminal=terminal,
            profiles=profiles,
            name=profile or os.environ.get("COZE_PROFILE", "").strip() or DEFAULT,
            base_url=chosen_base_url(region, base_url),
            client_id=client_id,
            workspace=workspace,
            timeout=timeout,
        )
        if device:
            attempt.by_device()
        elif jwt is not None:
            attempt.by_jwt(jwt, audience)
        elif token:
            attempt.by_token()
        else:
            attempt.by_browser(port, open_browser=browser)

    @app.command
    def logout(*, profile: ProfileName = None) -> None:
        """Delete a login and its token."""
        current, profiles = _current(profile)
        with token_locked(profiles, current.name), locked(profiles):
            profiles.store.delete(current.name)
            profiles.remove(current.name)
        terminal.note(f"Logged out (profile {current.name}).")
        if current.method == "token":
            terminal.note("The token itself stays valid: delete it on the website if it is no longer needed.")

    @app.command
    def whoami(*, profile: ProfileName = None, json: AsJSON = False) -> None:
        """Show whose token is used, and where it comes from."""
        from ._whoami import token_owner

        facts = token_owner(profile)
        if json:
            terminal.data(facts)
            return
        for name, value in facts.items():
            if value is not None:
                terminal.result(f"{name.replace('_', ' '):<10}  {value}")

    @app.command
    def profiles(*, use: Annotated[str | None, Parameter(help="Make this profile the default.")] = None) -> None:
        """List the profiles; the default one has a star."""
        saved = user_profiles()
        known, default = saved.read()
        if use is not None:
            if use not in known:
                raise CLIError(f"there is no profile {use!r}; there are: {', '.join(known) or 'none'}")
            with locked(saved):
                saved.set_default(use)
            default = use
        for saved_profile in known.values():
            star = "*" if saved_profile.name == default else " "
            terminal.result(f"{star} {saved_profile.name}  {saved_profile.method}  {saved_profile.base_url}")
        if not known:
            terminal.note("There are no profiles. `cozekit login` creates one.")

    @app.command
    def doctor(
        *, profile: ProfileName = None, region: Region = None, base_url: BaseURL = None, json: AsJSON = False
    ) -> int:
        """Show the region of the token and what it may do, and diagnose problems.

        The token is sent to the URL of --base-url, of the profile or of COZE_API_BASE. If there is none, it is sent to
        both official services, api.coze.com and api.coze.cn. It is sent nowhere else. Exits with 1 if something is
        wrong.
        """
        from ._doctor import examine
        from ._login import chosen_base_url

        report = examine(profile, chosen_base_url(region, base_url))
        if json:
            terminal.data(report.to_dict())
        else:
            styles = {"good": ("ok", "green"), "note": ("--", ""), "bad": ("!!", "bold red")}
            for finding in report.findings:
                mark, style = styles[finding.level]
                terminal.result(f"{mark}  {finding.check}: {finding.text}", style)
                if finding.remedy:
                    terminal.result(f"    -> {finding.remedy}")
        return 0 if report.healthy else 1

    @app.command
    def call(
        operation: Annotated[str, Parameter(help="Operation id, such as bots.list.")],
        *arguments: Annotated[str, Parameter(help="name=value; value may be JSON, @FILE or @- for a pipe.")],
        all_pages: Annotated[bool, Parameter(name="--all", negative="", help="Load all pages of a list.")] = False,
        output: Annotated[Path | None, Parameter(help="File to write the result to, if it is a file.")] = None,
        profile: ProfileName = None,
        region: Region = None,
        base_url: BaseURL = None,
    ) -> None:
        """Call an operation, and print its result as JSON."""
        from ._call import call as call_operation
        from ._login import chosen_base_url

        call_operation(
            terminal,
            operation,
            arguments,
            profile=profile,
            base_url=chosen_base_url(region, base_url),
            all_pages=all_pages,
            output=output,
        )

    @app.command
    def operations(word: Annotated[str, Parameter(help="Only operations with this word in their id.")] = "", /) -> None:
        """List the operations with their arguments; those in brackets are optional."""
        from ._call import list_operations

        for line in list_operations(word):
            terminal.result(line)

    @app.command(help_flags=[], version_flags=[])
    def sandbox(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)]) -> int:
        """Run a local Coze. All arguments are passed on; `cozekit sandbox --help` lists them."""
        return _run_sandbox(arguments)

    return app


def _current(name: str | None) -> tuple[Profile, Profiles]:
    current = current_profile(name)
    if current is None:
        raise CLIError("you are not logged in; `cozekit profiles` lists the profiles")
    return current


def _run_sandbox(arguments: Sequence[str]) -> int:
    # In another process: client and sandbox never share one, or a bug of both could hide itself.
    missing = [name for name in ("coze_sandbox", "starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise CLIError(f'{missing[0]} is missing; install the sandbox by: pip install "cozekit[sandbox]"')
    command = [sys.executable, "-m", "coze_sandbox", *arguments]
    if sys.platform != "win32":
        sys.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606 (this interpreter, with the user's arguments)
    return subprocess.run(command, check=False).returncode  # noqa: S603 (as above)
