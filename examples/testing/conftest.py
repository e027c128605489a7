"""The application with a sandbox instead of Coze. The fixture `coze_sandbox` comes with cozekit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coze_sandbox import BOT_ID, Sandbox
from cozekit import Coze, RetryPolicy

from .helpdesk import HelpDesk


@pytest.fixture
def desk(coze_sandbox: Sandbox) -> Iterator[HelpDesk]:
    """Yield a help desk that calls the sandbox and does not wait between retries."""
    retry = RetryPolicy(initial_delay=0)
    with Coze(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=retry) as coze:
        yield HelpDesk(coze, bot_id=BOT_ID, triage_id="7400000000000000001")
