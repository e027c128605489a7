"""A workflow with questions: they are answered, and the run continues in the same loop.

    COZE_API_TOKEN=… COZE_WORKFLOW_ID=… python examples/workflow_interrupt.py Ulm today

Environment:
    COZE_API_TOKEN: Personal access token with the permission run.
    COZE_API_BASE: Base URL. Default: https://api.coze.com.
    COZE_WORKFLOW_ID: A published workflow with a question node; of the sandbox that of `coze_sandbox.WORKFLOW_ASK`.

The words on the command line are the answers. When they run out, the program prompts for more.
"""

import os
import sys

from cozekit import Coze, CozeError


def main(answers: list[str]) -> None:
    """Run the workflow to its end."""
    with Coze() as coze, coze.workflows.runs.stream(workflow_id=os.environ["COZE_WORKFLOW_ID"]) as run:
        for event in run:
            if run.interrupt:
                answer = answers.pop(0) if answers else input(f"{run.question} ")
                print(f"Workflow: {run.question}\nYou: {answer}")
                run.resume(answer)
            else:
                print(f"  [{event.event}]")
        print(f"Output: {run.output_json()}")
        print(f"Node by node: {run.debug_url}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CozeError as error:
        sys.exit(f"workflow_interrupt: {error}")
