"""Code that openapi-python-client generates from our description without changes: a baseline for generated code.

It omits what it does not support with a warning, including all streams.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, resources
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from ._traffic import BASE_URL, CONVERSATION_ID, FILE_ID, TOKEN

__all__ = ["PACKAGE", "Stock", "generated"]

PACKAGE = "stock_coze"


@dataclass(frozen=True)
class Stock:
    """A generated package.

    Attributes:
        folder: Its folder, which is on `sys.path`.
        warnings: Number of omitted parts of the description.
    """

    folder: Path
    warnings: int

    def client(self, transport: httpx.BaseTransport) -> Any:
        """Return a client."""
        client = import_module(f"{PACKAGE}.client").AuthenticatedClient(
            base_url=BASE_URL, token=TOKEN, httpx_args={"transport": transport, "trust_env": False}
        )
        client.get_httpx_client()  # creates it now, as the others do
        return client

    def message_contents(self, client: Any) -> Callable[[], list[str]]:
        """Return a function that loads a page of messages and reads their contents."""
        load = import_module(f"{PACKAGE}.api.conversations.conversations_messages_list").sync
        body = import_module(f"{PACKAGE}.models.conversations_messages_list_request").ConversationsMessagesListRequest
        return lambda: [
            item.content for item in load(client=client, conversation_id=CONVERSATION_ID, body=body(limit=50)).data
        ]

    def file_name(self, client: Any) -> Callable[[], str]:
        """Return a function that retrieves a file and reads its name."""
        retrieve = import_module(f"{PACKAGE}.api.files.files_retrieve").sync
        files = map(str, count(int(FILE_ID)))
        return lambda: str(retrieve(client=client, file_id=next(files)).data.file_name)


@contextmanager
def generated() -> Iterator[Stock | None]:
    """Generate the package into a folder that is removed afterwards; yield None without the generator."""
    try:
        import_module("openapi_python_client")
    except ModuleNotFoundError:
        yield None
        return
    with tempfile.TemporaryDirectory() as name, resources.as_file(resources.files("coze_api")) as package:
        folder = Path(name)
        (folder / "config.yaml").write_text("post_hooks: []\n", encoding="utf-8")
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
        command += ["--path", str(package / "coze.openapi.json"), "--output-path", str(folder / PACKAGE)]
        done = subprocess.run(
            [*command, "--config", str(folder / "config.yaml")], capture_output=True, text=True, check=True
        )
        sys.path.append(name)
        try:
            yield Stock(folder, (done.stdout + done.stderr).count("WARNING"))
        finally:
            sys.path.remove(name)
