"""The sandbox is driven by the description and by nothing else of this project."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import coze_sandbox

FOREIGN = {"coze_api", "cozekit", "generator", "httpx"}
ALLOWED = {"sender.py": {"httpx"}}  # what sends callbacks to others


def test_no_foreign_imports():
    """No module of the sandbox imports the client or the generator, and httpx only the one that sends callbacks."""
    for path in Path(coze_sandbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            imported = {name.partition(".")[0] for name in names} & FOREIGN
            assert imported <= ALLOWED.get(path.name, set()), path


def test_a_running_sandbox_has_not_imported_the_client():
    """Finding the description does not import the package that it lies in."""
    code = (
        "import sys; from coze_sandbox import Sandbox\n"
        "with Sandbox(): assert not {'coze_api', 'cozekit', 'httpx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_every_handler_has_an_operation():
    """Every handler belongs to a described operation, and every WebSocket has one; other operations return examples."""
    from coze_sandbox import Options
    from coze_sandbox._handlers import HANDLERS
    from coze_sandbox._spec.spec import load_spec
    from coze_sandbox._websockets.protocols import PROTOCOLS

    operations = load_spec(Options()).operations.values()
    assert set(PROTOCOLS) == {operation.id for operation in operations if operation.status == 101}
    orphans = set(HANDLERS) - {operation.id for operation in operations if operation.status != 101}
    assert not orphans, f"the description has no operations {sorted(orphans)}"
