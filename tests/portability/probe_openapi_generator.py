"""Imports all that openapi-generator wrote, calls the sandbox with it, and prints what fails."""

import importlib
import pkgutil
import sys

import coze_api_og as client

for module in pkgutil.walk_packages(client.__path__, "coze_api_og."):
    try:
        importlib.import_module(module.name)
    except Exception as error:
        print(f"{module.name} cannot be imported: {error}")

with client.ApiClient(client.Configuration(host=sys.argv[1], access_token=sys.argv[2])) as api:
    workspace = client.WorkspacesApi(api).workspaces_list().data.workspaces[0]
    bots = client.BotsApi(api)
    bot = bots.bots_retrieve(bots.bots_list(workspace.id).data.items[0].id).data
    if not isinstance(bot.prompt_info, client.BotPrompt):
        print("bots.retrieve returns no prompt")
    if client.FilesApi(api).files_upload(file=("hello.txt", b"hello")).data.bytes != len(b"hello"):
        print("files.upload returns another size")
    question = client.EnterMessage(role="user", content="hi", content_type="text")
    body = client.ChatCreateRequest(bot_id=bot.bot_id, user_id="me", additional_messages=[question])
    if not client.ChatApi(api).chat_create(body).data.conversation_id:
        print("chat.create returns no conversation")
    try:
        client.DatasetsApi(api).datasets_documents_list("str", client.DatasetsDocumentsListRequest(dataset_id="1"))
    except client.ApiException as error:
        if not isinstance(error.data, client.ErrorResponse):
            print("an error response has no type")
    else:
        print("a dataset that does not exist has documents")
