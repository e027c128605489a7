"""Loads the public names of a package when they are first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

__all__ = ["load"]


def load(package: str, namespace: dict[str, Any], modules: Mapping[str, str], name: str) -> Any:
    """Import the module that holds *name* and store the value in the namespace of the package.

    Args:
        package: Name of the package.
        namespace: Its `globals()`.
        modules: Maps public names to modules of the package; "" means that the name is a module itself. A name of
            another package is written with a colon, such as `coze_api:Page`.
        name: The name that is looked up.

    Raises:
        AttributeError: The package has no such name.
    """
    module = modules.get(name)
    if module is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    if not module:
        return import_module(f"{package}.{name}")
    source, _, attribute = module.partition(":")
    value = getattr(import_module(source if attribute else f"{package}.{module}"), attribute or name)
    namespace[name] = value
    return value
