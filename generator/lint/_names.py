"""Rules for the names of components, which become the names of classes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ._index import Description, Finding, Rule, at, mapping

__all__ = ["NAME_RULES"]

_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*\Z", re.ASCII)
_MOST = 60
_KINDS = ("schemas", "responses", "parameters", "x-coze-streams", "x-coze-websockets")  # not headers: HTTP names them


def component_name(description: Description) -> Iterator[Finding]:
    """A component's name is PascalCase, ASCII, at most 60 characters."""
    for kind in _KINDS:
        for name, component in description.components(kind).items():
            if not _PASCAL.match(name) or len(name) > _MOST:
                remedy = f"in PascalCase, ASCII, with at most {_MOST} characters"
                yield at(mapping(component), f"rename {name} {remedy}")


def name_unique(description: Description) -> Iterator[Finding]:
    """No two schemas differ only in case: their modules would overwrite each other."""
    seen: dict[str, str] = {}
    for name, component in description.components("schemas").items():
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield at(mapping(component), f"rename {name}: it differs from {other} only in case")


def client_name(description: Description) -> Iterator[Finding]:
    """openapi-python-client leaves the name as it is, so that the description names the class."""
    # The import takes longer than all other rules together.
    from openapi_python_client.strings import ClassName

    for name, component in description.components("schemas").items():
        renamed = str(ClassName(name, ""))
        if _PASCAL.match(name) and renamed != name:
            yield at(mapping(component), f"rename {name}: the client would call it {renamed}")


NAME_RULES: dict[str, Rule] = {
    "component-name": component_name,
    "name-unique": name_unique,
    "client-name": client_name,
}
