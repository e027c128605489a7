"""Writes the reference page, which shows everything without a connection."""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template

from ..spec.bundler import Bundle
from ._python import Samples
from ._reference_spec import readable

__all__ = ["reference_page"]

_TEMPLATE = Path(__file__).with_name("reference.html")
_OPTIONS = {
    "disableSearch": False,
    "expandResponses": "200,101",
    "hideDownloadButtons": True,  # it would offer the shown document, not the description
    "jsonSamplesExpandLevel": 4,
    "nativeScrollbars": True,
    "requiredPropsFirst": True,
    "sanitize": True,
    "theme": {
        "typography": {
            "fontFamily": "system-ui, sans-serif",
            "headings": {"fontFamily": "system-ui, sans-serif"},
            "code": {"fontFamily": "ui-monospace, monospace"},
        }
    },
}


def reference_page(bundled: Bundle, samples: Samples) -> str:
    """Write `reference.html`. The document is part of it: pages opened from a disk may not load one.

    Args:
        bundled: The description.
        samples: Python programs by the id of their operation.
    """
    document = readable(bundled, samples)
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(document["info"]["title"]),
        document=_inline(document),
        options=_inline(_OPTIONS),
    )


def _inline(value: object) -> str:
    """Write JSON that cannot end the script that it stands in; a line for each member keeps differences short."""
    return json.dumps(value, ensure_ascii=False, indent=0).replace("<", "\\u003c")
