"""Handlers of the operations, one module per resource. New modules are imported automatically."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ._registry import HANDLERS

__all__ = ["HANDLERS"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")  # registers its handlers
