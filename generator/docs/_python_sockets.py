"""Programs over WebSockets: each protocol has its own session, so that each has a program of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["socket_body"]

_LOAD = 'pcm, samples = audio.PCM.from_wav(Path("hello.wav").read_bytes())\n'


def socket_body(name: str, connect: str, arguments: Sequence[str], word: str) -> str:
    """Write what a program does over a WebSocket.

    Args:
        name: Id of the operation.
        connect: The method that makes a session.
        arguments: What it is called with, besides the formats of the sound.
        word: `async ` or empty.
    """

    def enter(*formats: str) -> str:
        return f"{word}with {connect}({', '.join([*arguments, *formats])})"

    return _BODIES.get(name, _print_messages)(enter, word)


_Connect = Callable[..., str]


def _speech(connect: _Connect, word: str) -> str:
    parts = 'session.say("Nice weather today.")'
    return f"""\
pcm = audio.PCM(24000)
{connect("output_audio=pcm")} as session:
    sound = b"".join({f"[part async for part in {parts}]" if word else parts})
Path("speech.wav").write_bytes(pcm.to_wav(sound))
"""


def _transcriptions(connect: _Connect, word: str) -> str:
    return f"""\
{_LOAD}{connect("input_audio=pcm")} as session:
    {word}for text in session.listen(pcm.chunks(samples, ms=100)):
        print(text)
"""


def _interpretation(connect: _Connect, word: str) -> str:
    languages = 'settings={"translate_config": {"from": "zh", "to": "en"}}'
    return f"""\
{_LOAD}{connect("input_audio=pcm", languages)} as session:
    interpretation = session.interpret(pcm.chunks(samples, ms=100))
    {word}for text in interpretation.text:
        print(text)
"""


def _chat(connect: _Connect, word: str) -> str:
    return f"""\
{connect()} as session:
    turn = session.talk("What can you do?")
    {word}for text in turn.text:
        print(text)
"""


def _print_messages(connect: _Connect, word: str) -> str:
    return f"{connect()} as session:\n    {word}for message in session:\n        print(message)\n"


_BODIES: dict[str, Callable[[_Connect, str], str]] = {
    "websockets.audio.simult_interpretation": _interpretation,
    "websockets.audio.speech": _speech,
    "websockets.audio.transcriptions": _transcriptions,
    "websockets.chat": _chat,
}
