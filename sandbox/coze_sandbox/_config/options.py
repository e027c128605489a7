"""What a sandbox can be told when it is made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from .._common.validators import host_names, not_negative
from .oauth_apps import OAuthApp

__all__ = ["DEFAULT_TOKEN", "Options"]

DEFAULT_TOKEN = "pat_sandbox"  # noqa: S105 - opens nothing but sandboxes


def _path(value: str | os.PathLike[str]) -> str:
    return os.fspath(value)


def _names(value: Iterable[str]) -> frozenset[str]:
    # One name that stands alone, which would be taken for its letters.
    return frozenset([value] if isinstance(value, str) else value)


@attrs.frozen(kw_only=True)
class Options:
    """The settings of one sandbox.

    Attributes:
        document: The bundled description: its mapping, the path of its JSON file, or None for the
            file that is installed with the client.
        db: SQLite file that keeps the state, or `:memory:`. One sandbox at a time uses a file.
        token: The bearer token that may do everything.
        tokens: Further tokens, each with the permissions it has (None: all of them).
        foreign_tokens: Tokens of the other region. Coze answers them with a code of its own.
        lenient: Take what Coze takes from the official SDKs although it is not described: null and
            blank values for "not given", other verbs and parameter names, numbers for ids of documents.
        examples: Answer every operation with its described example, whatever it is asked, and keep
            nothing.
        errors_as_200: Answer failures with HTTP 200 and a business code, as Coze does on some
            paths.
        check_answers: Check every answer against the description; a difference becomes a loud HTTP
            500.
        seed: Where the sequence of ids starts. The same seed and calls give the same ids.
        answer_seconds: How long a chat without a stream, or an asynchronous workflow run, takes.
        event_seconds: Pause before each event of a stream, and each message of a WebSocket. None by default, for tests;
            on the command line 0.03, which looks natural.
        oauth_apps: OAuth apps beside those that are there from the start.
        any_oauth_app: Take every unknown client id for that of an app of the kind `any`.
        auto_consent: What people decide on the pages of OAuth, at once and without a page: True, they allow; False,
            they refuse. None: they are asked.
        device_interval: Seconds that a device has to wait before it asks again, at least 1.
        allow_hosts: Names under which requests may reach it, beside IP addresses, `localhost` and the host that it
            listens on: that of a container, for example. Any other name in `Host` is refused with HTTP 403, because
            pages of other sites can have theirs point here.
        callback_hosts: Hosts that callbacks are sent to beside this machine's own; `*` allows all.
        callback_pauses: Seconds of the clock before each further attempt to deliver a callback.
        workspace_limit: How many members a workspace or an enterprise can have.
    """

    document: Mapping[str, Any] | str | os.PathLike[str] | None = None
    db: str = attrs.field(default=":memory:", converter=_path)
    token: str = DEFAULT_TOKEN
    tokens: Mapping[str, frozenset[str] | None] = attrs.Factory(dict)
    foreign_tokens: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    lenient: bool = True
    examples: bool = False
    errors_as_200: bool = False
    check_answers: bool = True
    seed: int = 0
    answer_seconds: float = attrs.field(default=0.05, validator=not_negative)
    event_seconds: float = attrs.field(default=0.0, validator=not_negative)
    oauth_apps: tuple[OAuthApp, ...] = ()
    any_oauth_app: bool = False
    auto_consent: bool | None = None
    device_interval: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    allow_hosts: frozenset[str] = attrs.field(default=frozenset(), converter=_names, validator=host_names)
    callback_hosts: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    callback_pauses: tuple[float, ...] = attrs.field(
        default=(1.0, 5.0, 25.0), converter=tuple, validator=attrs.validators.deep_iterable(not_negative)
    )
    workspace_limit: int = attrs.field(default=100, validator=attrs.validators.ge(1))

    @property
    def document_path(self) -> Path | None:
        """The file to read the description from, or None where it was given or is to be found."""
        given = self.document
        return Path(given) if isinstance(given, str | os.PathLike) else None
