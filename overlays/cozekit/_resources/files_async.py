"""Uploads of files from paths, bytes and open files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from coze_api.resources.files import AsyncFilesAPI

from .._call_options import hide_headers
from .._uploads.upload import Progress, UploadSource, open_upload

if TYPE_CHECKING:
    from coze_api._core._operation import RequestOptions
    from coze_api.models import File

__all__ = ["AsyncFiles"]


class AsyncFiles(AsyncFilesAPI):
    """Upload files that messages, bots and workflows refer to by id."""

    async def upload(
        self, file: UploadSource, *, progress: Progress | None = None, **options: Unpack[RequestOptions]
    ) -> File:
        """Upload a file. Async clients read it synchronously, too, 64 KiB at a time.

        Args:
            file: A path, bytes, an open binary file, or a tuple of name, content and optionally media type.
            progress: Called with the bytes sent so far and in all, as they are sent.
            **options: `extra_headers`, `extra_query`, `extra_body`, `timeout`.

        Returns:
            The stored file. Messages, bots and workflows refer to it by its id.

        Raises:
            FileNotFoundError: There is no file at the path.
            InvalidArgumentError: The file is invalid or too large; nothing was sent.
            APIError: Coze returned an error.
        """
        hide_headers(options)
        with open_upload(file, progress=progress) as upload:
            return await super().upload(file=upload.part, **options)
