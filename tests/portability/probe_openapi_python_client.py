"""Imports all that openapi-python-client wrote, calls the sandbox with it, and prints what fails."""

import importlib
import io
import pkgutil
import sys

import coze_api_opc
from coze_api_opc import AuthenticatedClient, models, types
from coze_api_opc.api.bots import bots_list, bots_retrieve
from coze_api_opc.api.files import files_upload
from coze_api_opc.api.workspaces import workspaces_list

for module in pkgutil.walk_packages(coze_api_opc.__path__, "coze_api_opc."):
    try:
        importlib.import_module(module.name)
    except Exception as error:
        print(f"{module.name} cannot be imported: {error}")

with AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2]) as client:
    workspace = workspaces_list.sync(client=client).data.workspaces[0]
    bot = bots_list.sync(client=client, workspace_id=workspace.id).data.items[0]
    if not hasattr(models, "Bot") or not isinstance(bots_retrieve.sync(bot.id, client=client).data, models.Bot):
        print("bots.retrieve returns no bot")
    content = types.File(payload=io.BytesIO(b"hello"), file_name="hello.txt", mime_type="text/plain")
    uploaded = files_upload.sync(client=client, body=models.FilesUploadRequest(file=content))
    if uploaded.data.bytes_ != len(b"hello"):
        print("files.upload returns another size")
    try:
        from coze_api_opc.api.datasets import datasets_documents_list
    except ImportError:
        print("datasets.documents.list is missing")
    else:
        body = models.DatasetsDocumentsListRequest(dataset_id="1")
        if not isinstance(datasets_documents_list.sync(client=client, body=body), models.ErrorResponse):
            print("an error response has no type")
