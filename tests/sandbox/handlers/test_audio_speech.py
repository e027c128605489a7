"""Speech: files of the right kind and length."""

from __future__ import annotations

import io
import struct
import wave

import pytest

from coze_sandbox import VOICE_ID
from coze_sandbox._common.audio import make_sound

SPEECH = "/v1/audio/speech"
RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
MPEG_RATES = {0b11: (44100, 48000, 32000), 0b10: (22050, 24000, 16000), 0b00: (11025, 12000, 8000)}


def speech(**members):
    return {"input": "x" * 50, "voice_id": VOICE_ID, **members}


@pytest.mark.parametrize("rate", RATES)
def test_wav(rate):
    """A WAV file has the wanted rate and length, and is not silent."""
    with wave.open(io.BytesIO(make_sound("wav", 1.5, rate))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, 1, 2)
        assert file.getnframes() == round(1.5 * rate)
        samples = file.readframes(rate)
    assert max(struct.unpack(f"<{rate}h", samples)) > 7000
    assert make_sound("wav", 1.5, rate).endswith(make_sound("pcm", 1.5, rate))


@pytest.mark.parametrize("rate", RATES)
def test_mp3(rate):
    """An MP3 file is a sequence of frames with the same header, which has the rate, up to its end."""
    data = make_sound("mp3", 1.5, rate)
    frames = position = 0
    while position < len(data):
        sync, second, third, fourth = data[position : position + 4]
        version = second >> 3 & 3
        assert (sync, second & 0xE7, fourth) == (0xFF, 0xE3, 0xC0)
        assert MPEG_RATES[version][third >> 2 & 3] == rate
        bitrate = {0b11: {1: 32_000}, 0b10: {4: 32_000}, 0b00: {4: 32_000}}[version][third >> 4]
        per_frame = 1152 if version == 0b11 else 576
        position += per_frame // 8 * bitrate // rate
        frames += 1
    assert position == len(data)
    assert 0 <= frames * per_frame / rate - 1.5 < 0.08


def crc(page: bytes) -> int:
    """Compute the checksum of an Ogg page bit by bit."""
    value = 0
    for byte in page[:22] + b"\0\0\0\0" + page[26:]:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


def test_ogg_opus():
    """An Ogg Opus file has two header pages, true checksums, and ends at its length."""
    data = make_sound("ogg_opus", 12.0, 24_000)
    position, pages = 0, []
    while position < len(data):
        assert data[position : position + 4] == b"OggS"
        segments = data[position + 26]
        lengths = data[position + 27 : position + 27 + segments]
        end = position + 27 + segments + sum(lengths)
        page = data[position:end]
        assert struct.unpack_from("<I", page, 22)[0] == crc(page)
        pages.append(page)
        position = end
    assert [struct.unpack_from("<I", page, 18)[0] for page in pages] == list(range(len(pages)))
    assert pages[0][28:36] == b"OpusHead"
    assert pages[1][28:36] == b"OpusTags"
    assert [page[5] for page in pages] == [2, *[0] * (len(pages) - 2), 4]
    assert struct.unpack_from("<q", pages[-1], 6)[0] == 12 * 48_000


@pytest.mark.parametrize(
    ("format", "kind", "start"),
    [
        ("wav", "audio/wav", b"RIFF"),
        ("pcm", "audio/pcm", b""),
        ("mp3", "audio/mpeg", b"\xff"),
        ("ogg_opus", "audio/ogg", b"OggS"),
        (None, "audio/mpeg", b"\xff"),
    ],
)
def test_format_decides_the_content_type(api, format, kind, start):
    """The content type is that of the wanted format, MP3 by default."""
    body = speech() if format is None else speech(response_format=format)
    response = api.http.post(SPEECH, json=body)
    assert (response.status_code, response.headers["content-type"]) == (200, kind)
    assert response.headers["x-tt-logid"]
    assert response.content.startswith(start)


def test_length_of_speech(api):
    """Longer texts take longer, faster voices take less, and the same call gives the same bytes."""

    def size(**members):
        return len(api.http.post(SPEECH, json=speech(response_format="pcm", **members)).content)

    assert size() == size() == 50 * 480 * 2
    assert size(input="x" * 100) == 2 * size()
    assert size(speed=2) == size() // 2
    assert size(sample_rate=48_000) == 2 * size()


def test_refused_speech(api):
    """Too long a text and an unknown voice are refused, as JSON."""
    assert api.refused("POST", SPEECH, json=speech(input="ä" * 600)) == (400, 3010)
    assert api.refused("POST", SPEECH, json=speech(voice_id="1")) == (404, 4200)


def test_transcription(api):
    """A transcription describes the file, since the sandbox recognizes no speech; an empty file is refused."""
    path = "/v1/audio/transcriptions"
    assert "4 bytes" in api.ok("POST", path, files={"file": ("a.wav", b"RIFF")})["text"]
    assert api.refused("POST", path, files={"file": ("a.wav", b"")}) == (400, 4300)
