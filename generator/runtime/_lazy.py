"""Loads what a package offers when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

__all__ = ["load"]


def load(package: str, namespace: dict[str, Any], modules: Mapping[str, str], name: str) -> Any:
    """Import the module that holds *name* and keep the name in the package. A name without a module is one itself.

    Raises:
        AttributeError: The package has no such name.
    """
    module = modules.get(name)
    if module is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    if not module:
        return import_module(f"{package}.{name}")
    value = namespace[name] = getattr(import_module(f"{package}.{module}"), name)
    return value
