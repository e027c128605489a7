"""Detects a lost event of a workflow's stream, and continues to read.

Runs against the sandbox, which loses an event on request:

    python -m coze_sandbox --port 8080 &
    COZE_API_TOKEN=… COZE_API_BASE=http://127.0.0.1:8080 COZE_WORKFLOW_ID=… python examples/streams/gaps.py

Environment:
    COZE_API_TOKEN: Personal access token with the permission run.
    COZE_API_BASE: Base URL. Default: https://api.coze.com.
    COZE_WORKFLOW_ID: A published workflow with output during the run.
    COZE_FAULT: A fault for the sandbox, such as `lost; events=2`. Coze itself ignores it.
"""

import os
import sys

from cozekit import Coze, CozeError
from cozekit.errors import StreamGap


def main() -> int:
    headers = {"X-Sandbox-Fault": os.environ["COZE_FAULT"]} if "COZE_FAULT" in os.environ else None
    with (
        Coze(on_gap="raise") as coze,
        coze.workflows.runs.stream(
            workflow_id=os.environ["COZE_WORKFLOW_ID"], parameters={"input": "Hello to you all"}, extra_headers=headers
        ) as run,
    ):
        while True:
            try:
                event = next(run)
            except StopIteration:
                break
            except StreamGap as gap:
                print(f"[{gap}]")
                continue  # the event that revealed the gap comes next
            print(event.id, event.event)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CozeError as error:
        sys.exit(f"gaps: {error}")
