"""cozepy, the official Python SDK, runs unchanged against the sandbox: bots, files and other resources."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest
from cozepy.audio import rooms

from coze_sandbox import BOT_ID, COLLEAGUE_IDS, USER_ID, WORKSPACE_ID
from tests.interop._official import cozepy, rounds


def sound() -> tuple[str, bytes, str]:
    """Return a second of silence."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    return ("me.wav", buffer.getvalue(), "audio/wav")


def test_files(official: Any) -> None:
    """cozepy uploads a file and finds it again."""
    file = official.coze.files.upload(file=("notes.txt", b"notes", "text/plain"))
    assert official.coze.files.retrieve(file_id=file.id).bytes == 5


def test_bots(official: Any) -> None:
    """cozepy creates a bot, changes it, publishes it, lists it both ways, and takes it back."""
    bots = official.coze.bots
    bot = bots.create(
        space_id=WORKSPACE_ID,
        name="Guide",
        prompt_info=cozepy.BotPromptInfo(prompt="Be brief."),
        onboarding_info=cozepy.BotOnboardingInfo(prologue="Hello", suggested_questions=["Why?"]),
    )
    bots.update(bot_id=bot.bot_id, name="Guide two", description="Shows the way.")
    assert bots.publish(bot_id=bot.bot_id).version
    assert bots.retrieve(bot_id=bot.bot_id).name == "Guide two"
    assert bots.retrieve(bot_id=bot.bot_id, is_published=False, use_api_version=2).description == "Shows the way."
    for version in (1, 2):
        listed = [each.bot_id for each in bots.list(space_id=WORKSPACE_ID, use_api_version=version)]
        assert bot.bot_id in listed
    bots.unpublish(bot_id=bot.bot_id, connector_id="1024", unpublish_reason="Done")


def test_conversations_and_messages(official: Any) -> None:
    """cozepy keeps conversations and their messages, pages through them, and deletes them."""
    conversations = official.coze.conversations
    conversation = conversations.create(
        messages=[cozepy.Message.build_user_question_text("one")], bot_id=BOT_ID, meta_data={"k": "v"}
    )
    assert conversations.retrieve(conversation_id=conversation.id).id == conversation.id
    assert conversations.update(conversation_id=conversation.id, name="Talk").name == "Talk"
    assert conversation.id in [each.id for each in conversations.list(bot_id=BOT_ID, page_num=1, page_size=2)]
    messages = conversations.messages
    second = messages.create(
        conversation_id=conversation.id, role=cozepy.MessageRole.USER, content="two", content_type="text"
    )
    assert messages.retrieve(conversation_id=conversation.id, message_id=second.id).content == "two"
    messages.update(conversation_id=conversation.id, message_id=second.id, content="three", content_type="text")
    texts = [each.content for each in messages.list(conversation_id=conversation.id, limit=1)]
    assert sorted(texts) == ["one", "three"]
    messages.delete(conversation_id=conversation.id, message_id=second.id)
    assert [each.content for each in messages.list(conversation_id=conversation.id)] == ["one"]
    assert conversations.clear(conversation_id=conversation.id).conversation_id == conversation.id
    conversations.delete(conversation_id=conversation.id)
    with pytest.raises(cozepy.CozeAPIError):
        conversations.retrieve(conversation_id=conversation.id)


def test_datasets_and_documents(official: Any) -> None:
    """cozepy makes a knowledge base, fills it, waits for its documents, and deletes it."""
    datasets = official.coze.datasets
    dataset = datasets.create(
        name="Manual", space_id=WORKSPACE_ID, format_type=cozepy.DocumentFormatType.DOCUMENT, description="How to"
    )
    [document] = datasets.documents.create(
        dataset_id=dataset.dataset_id,
        document_bases=[
            cozepy.DocumentBase(
                name="notes.txt", source_info=cozepy.DocumentSourceInfo.build_local_file("Some notes.", "txt")
            )
        ],
        chunk_strategy=cozepy.DocumentChunkStrategy.build_auto(),
    )

    def processed() -> bool:
        progress = datasets.process(dataset_id=dataset.dataset_id, document_ids=[document.document_id])
        return all(each.status == cozepy.DocumentStatus.COMPLETED for each in progress)

    rounds(processed, official.sandbox)
    datasets.documents.update(document_id=document.document_id, document_name="noted.txt")
    assert [each.name for each in datasets.documents.list(dataset_id=dataset.dataset_id)] == ["noted.txt"]
    datasets.update(dataset_id=dataset.dataset_id, name="Manual two")
    assert "Manual two" in [each.name for each in datasets.list(space_id=WORKSPACE_ID)]
    datasets.documents.delete(document_ids=[document.document_id])
    datasets.delete(dataset_id=dataset.dataset_id)


def test_pictures_of_a_dataset(official: Any) -> None:
    """cozepy lists and describes the pictures of a knowledge base."""
    datasets = official.coze.datasets
    dataset = datasets.create(name="Pictures", space_id=WORKSPACE_ID, format_type=cozepy.DocumentFormatType.IMAGE)
    file = official.coze.files.upload(file=("cat.png", b"\x89PNG\r\n\x1a\n" + bytes(16), "image/png"))
    [document] = datasets.documents.create(
        dataset_id=dataset.dataset_id,
        document_bases=[
            cozepy.DocumentBase(name="cat.png", source_info=cozepy.DocumentSourceInfo.build_file_id(file.id))
        ],
        chunk_strategy=cozepy.DocumentChunkStrategy(chunk_type=0, caption_type=0),
        format_type=cozepy.DocumentFormatType.IMAGE,
    )
    datasets.images.update(dataset_id=dataset.dataset_id, document_id=document.document_id, caption="A cat")
    official.sandbox.clock.advance(60)
    assert "A cat" in [each.caption for each in datasets.images.list(dataset_id=dataset.dataset_id)]


def test_voices(official: Any) -> None:
    """cozepy clones a voice, lists voices, synthesizes speech and transcribes a recording."""
    audio = official.coze.audio
    with pytest.raises(ValueError, match="errors for Voice"):  # its own defect: the answer is documented as an id alone
        audio.voices.clone(voice_name="My own voice", file=sound(), audio_format=cozepy.AudioFormat.WAV, language="en")
    [cloned] = [each.voice_id for each in audio.voices.list() if each.name == "My own voice"]
    spoken = audio.speech.create(input="Hello", voice_id=cloned, response_format=cozepy.AudioFormat.WAV)
    assert b"".join(spoken._raw_response.iter_bytes()).startswith(b"RIFF")
    assert audio.transcriptions.create(file=sound()).text


def test_rooms(official: Any) -> None:
    """cozepy makes rooms of all its modes."""
    for mode in rooms.RoomMode:
        languages = rooms.TranslateConfig(**{"from": "zh", "to": "en"}) if mode == "translate" else None
        config = rooms.RoomConfig.model_construct(
            prologue_content="Hello", room_mode=mode, translate_config=languages, prologue_delay_duration_ms=100
        )
        assert official.coze.audio.rooms.create(bot_id=BOT_ID, config=config).room_id


def test_voiceprints(official: Any) -> None:
    """cozepy makes a group of voiceprints, adds one, changes it, and knows the speaker again."""
    groups = official.coze.audio.voiceprint_groups
    group = groups.create(name="Team", desc="Who speaks")
    groups.update(group_id=group.id, name="The team")
    assert "The team" in [each.name for each in groups.list()]
    feature = groups.features.create(group_id=group.id, name="One", file=sound())
    groups.features.update(group_id=group.id, feature_id=feature.id, name="First")
    assert [each.name for each in groups.features.list(group_id=group.id)] == ["First"]
    match = groups.speaker_identify(group_id=group.id, file=sound())
    assert [each.feature_id for each in match.feature_score_list] == [feature.id]
    groups.features.delete(group_id=group.id, feature_id=feature.id)
    groups.delete(group_id=group.id)


def test_variables(official: Any) -> None:
    """cozepy sets variables of a user and reads them back."""
    variables = official.coze.variables
    data = [cozepy.VariableValue(keyword="color", value="blue")]
    variables.update(connector_uid="me", bot_id=BOT_ID, data=data)
    [variable] = variables.retrieve(connector_uid="me", bot_id=BOT_ID, keywords=["color"])
    assert (variable.keyword, variable.value) == ("color", "blue")


def test_workspaces_and_members(official: Any) -> None:
    """cozepy lists workspaces, and adds and removes members."""
    workspaces = official.coze.workspaces
    assert WORKSPACE_ID in [each.id for each in workspaces.list()]
    members = workspaces.members
    who = COLLEAGUE_IDS[-1]
    member = cozepy.WorkspaceMember(user_id=who, role_type=cozepy.WorkspaceRoleType.MEMBER)
    members.create(workspace_id=WORKSPACE_ID, users=[member])
    with pytest.raises(ValueError, match="WorkspaceMember"):  # a defect of its own: it reads the page as one member
        members.list(workspace_id=WORKSPACE_ID)
    assert members.delete(workspace_id=WORKSPACE_ID, user_ids=[who]).removed_success_user_ids == [who]
    assert official.coze.users.me().user_id == USER_ID


def test_callback_apps(official: Any) -> None:
    """cozepy makes a callback app, subscribes it and deletes it."""
    apps = official.coze.api_apps
    app = apps.create(app_type=cozepy.AppType.NORMAL, name="Bell")
    apps.update(app_id=app.id, name="Bell two", callback_url="https://example.com/coze")
    apps.events.create(api_app_id=app.id, event_types=["bot.published"])
    assert [each.event_type for each in apps.events.list(api_app_id=app.id)]
    apps.delete(app_id=app.id)


def test_apps_and_folders(official: Any) -> None:
    """cozepy lists apps and folders, and looks into a folder."""
    assert list(official.coze.apps.list(workspace_id=WORKSPACE_ID))
    [folder, *_] = list(official.coze.folders.list(workspace_id=WORKSPACE_ID, folder_type="development"))
    assert official.coze.folders.retrieve(folder_id=folder.id).name == folder.name
