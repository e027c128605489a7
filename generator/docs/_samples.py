"""Lists the samples of each operation: curl, and Python, sync and async."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..spec.bundler import Bundle
from ._curl import curl
from ._markdown import cell, code, fence, prose
from ._python import Samples

__all__ = ["anchor", "code_samples", "samples_page"]

_HEAD = """\
# Samples

Each operation with the values of its described example. The Python programs are complete: they read the token from
`COZE_API_TOKEN`, and the tests type-check them and run them against the sandbox. Files have the names of the example.
"""


def anchor(operation_id: str) -> str:
    """Return the fragment that leads to the samples of an operation, as GitHub makes it of the heading."""
    return operation_id.replace(".", "")


def code_samples(
    document: Mapping[str, Any],
    path: str,
    method: str,
    operation: Mapping[str, Any],
    samples: Samples,
) -> Iterator[tuple[str, str, str]]:
    """Yield language, title and text of each sample of an operation; a WebSocket has none with curl.

    Args:
        document: The whole description.
        path: Path with its placeholders.
        method: HTTP method.
        operation: The operation.
        samples: Python programs by the id of their operation.
    """
    if "x-coze-websocket" not in operation:
        yield "Shell", "curl", curl(document, path, method, operation)
    for sample in samples[operation["operationId"]]:
        yield "Python", sample.title, sample.source


def samples_page(bundled: Bundle, samples: Samples) -> str:
    """Write `samples.md`.

    Args:
        bundled: The description.
        samples: Python programs by the id of their operation.
    """
    operations = dict(sorted(bundled.operations().items()))
    parts = [_HEAD]
    for tag in bundled.document.get("tags", []):
        of_tag = [(name, entry) for name, entry in operations.items() if tag["name"] in entry[2]["tags"]]
        if of_tag:
            parts.append(f"## {prose(tag['name'])}\n")
        for name, (path, method, operation) in of_tag:
            parts.append(f"### {code(name)}\n\n{cell(operation['summary'])}\n")
            for language, title, text in code_samples(bundled.document, path, method, operation, samples):
                parts.append(f"{title}\n\n{fence(language.lower(), text)}")
    return "\n".join(parts)
