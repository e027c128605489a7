"""Options of a sandbox."""

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
    # A single string would be iterated by its letters.
    return frozenset([value] if isinstance(value, str) else value)


@attrs.frozen(kw_only=True)
class Options:
    """The settings of one sandbox.

    Attributes:
        document: The bundled OpenAPI description: a mapping, the path of a JSON file, or None for the file that is
            installed with the client.
        db: SQLite file for the state, or `:memory:`. Only one sandbox at a time can use a file.
        token: The bearer token with all permissions.
        tokens: Additional tokens with their permissions (None for all).
        foreign_tokens: Tokens of the other region, for which Coze returns an error code of its own.
        lenient: Accept requests of the official SDKs that Coze accepts although they are not described: null and
            blank values for omitted ones, other methods and parameter names, numbers for ids of documents.
        examples: Respond to every request with the example of its operation, and store nothing.
        errors_as_200: Return errors with HTTP 200 and a business code, as Coze does on some paths.
        check_answers: Check every response against the description; a violation is returned as HTTP 500.
        seed: Seed of the ids. The same seed and requests give the same ids.
        answer_seconds: Duration of a chat without a stream and of an asynchronous workflow run.
        event_seconds: Delay before each event of a stream and each message of a WebSocket; 0 by default, 0.03 on the
            command line.
        oauth_apps: OAuth apps in addition to those of the seed data.
        any_oauth_app: Accept every unknown client id as an app of the kind `any`.
        auto_consent: Decision on OAuth requests without a consent page: True allows, False denies; None shows the
            page.
        device_interval: Minimum polling interval for device codes in seconds, at least 1.
        allow_hosts: Host names under which the sandbox can be reached, such as that of a container, in addition to IP
            addresses, `localhost` and the host that it listens on. Requests with another `Host` are rejected with HTTP
            403, which protects from DNS rebinding.
        callback_hosts: Hosts to which callbacks may be sent, in addition to loopback addresses; `*` for all.
        callback_pauses: Delays before each retry of a callback, in seconds of the sandbox's clock.
        workspace_limit: Maximum number of members of a workspace or an enterprise.
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
        """Path of the description, or None if it was passed as a mapping or is the installed one."""
        document = self.document
        return Path(document) if isinstance(document, str | os.PathLike) else None
