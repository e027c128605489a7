"""Names of the generated client that belong to the public face of this package."""

from __future__ import annotations

from coze_api import AsyncPage, AsyncPager, Page, Response

__all__ = ["AsyncPage", "AsyncPager", "Page", "Response"]
