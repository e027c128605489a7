"""A workflow in the background: start it, wait for it, and print its nodes.

    COZE_API_TOKEN=… COZE_WORKFLOW_ID=… python examples/workflow_async.py

Environment:
    COZE_API_TOKEN: Personal access token with the permissions run and listRunHistory, of a paid plan.
    COZE_API_BASE: Base URL. Default: https://api.coze.com.
    COZE_WORKFLOW_ID: A published workflow; of the sandbox that of `coze_sandbox.WORKFLOW_ECHO`.
"""

import asyncio
import os
import sys

from cozekit import AsyncCoze, CozeError
from cozekit.errors import PollTimeout, WorkflowFailed


async def main() -> None:
    """Run the workflow and print its result."""
    async with AsyncCoze() as coze:
        try:
            result = await coze.workflows.runs.create_and_poll(
                workflow_id=os.environ["COZE_WORKFLOW_ID"], parameters={"input": "Hello"}, poll_timeout=300
            )
        except WorkflowFailed as failed:
            sys.exit(f"It failed: {failed.msg}\nNode by node: {failed.debug_url}")
        except PollTimeout:
            sys.exit("It still runs.")
        if result.interrupt:
            sys.exit(f"Question: {result.question}")
        print(f"{result.status}: {result.output_json()}")
        for title in result.nodes:
            print(f"  {title}: {await result.node_output(title)}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except CozeError as error:
        sys.exit(f"workflow_async: {error}")
