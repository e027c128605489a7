"""The reference page shows everything that is described, and sends no request."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from generator.docs._python import Samples
from generator.docs._reference import reference_page
from generator.spec.bundler import Bundle
from tests._chromium import needs_chromium
from tests.docs._browser import Visit, visit

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference.html"
VENDOR = ROOT / "docs" / "vendor"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """The committed page after a visit."""
    return visit(PAGE, tmp_path_factory.mktemp("chromium"))


def document(page: str) -> Any:
    """Take the document out of a page."""
    match = re.search(r'<script type="application/json" id="description">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    return json.loads(match[1])


@needs_chromium
def test_shows_every_operation_and_callback(real: Bundle, shown: Visit) -> None:
    """Each operation and each callback has a place in the page that a link can lead to."""
    places = set(re.findall(r'id="tag/[^"]*?/operation/([^"]+)"', shown.dom))
    assert places == real.operations().keys() | real.callbacks().keys()


@needs_chromium
def test_shows_samples_of_every_operation(real: Bundle, shown: Visit) -> None:
    """Each operation has a tab for each of its samples: curl unless it is a WebSocket, and Python, sync and async."""
    labels = Counter(re.findall(r'<li [^>]*role="tab"[^>]*>([^<]+)</li>', shown.dom))
    sockets = [entry for entry in real.operations().values() if "x-coze-websocket" in entry[2]]
    streams = [entry for entry in real.operations().values() if "flag" in entry[2].get("x-coze-stream", {})]
    assert labels["curl"] == len(real.operations()) - len(sockets)
    assert labels["Python"] == labels["Python, async"] == len(real.operations())
    assert labels["Python, stream"] == labels["Python, stream, async"] == len(streams)


@needs_chromium
def test_shows_every_section(real: Bundle, shown: Visit) -> None:
    """Each tag is a section, as are RTC rooms and error codes, with every message and every code."""
    assert {tag["name"] for tag in real.document["tags"]} | {"rtc_rooms", "error_codes"} <= set(
        re.findall(r'id="tag/([^"/]+)"', shown.dom)
    )
    names = [error["name"] for error in real.document["components"]["x-coze-errors"]]
    for protocol in real.document["components"]["x-coze-websockets"].values():
        names += [*protocol["uplink"]["messages"], *protocol["downlink"]["messages"]]
    for protocol in real.document["components"]["x-coze-streams"].values():
        names += protocol["events"]
    assert not [name for name in names if f"<code>{name}</code>" not in shown.dom]


@needs_chromium
def test_sends_no_request(shown: Visit) -> None:
    """The page sends no request, and the only one it wants to send, for Redoc's logo, is forbidden."""
    assert shown.requested == []
    assert [line for line in shown.console if "cdn.redoc.ly/redoc/logo-mini.svg" not in line] == []
    assert "<img" not in shown.dom


@needs_chromium
def test_a_request_of_the_page_is_noticed(tmp_path: Path) -> None:
    """Without the page's policy the request for the logo is seen, so that its absence proves something."""
    page = tmp_path / "reference.html"
    text, count = re.subn(r"<meta http-equiv[^>]*>\n", "", PAGE.read_text(encoding="utf-8"))
    assert count == 1
    page.write_text(text, encoding="utf-8")
    (tmp_path / "vendor").symlink_to(VENDOR)
    scratch = tmp_path / "chromium"
    scratch.mkdir()
    assert visit(page, scratch).requested[:1] == ["https://cdn.redoc.ly/redoc/logo-mini.svg"]


def test_loads_nothing_but_the_vendored_script() -> None:
    """What the page itself names is the script beside it, and its policy allows no other source."""
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r'(?:src|href)="([^"]*)"', markup) == ["vendor/redoc.standalone.js"]
    assert "default-src 'none'" in markup
    assert not re.search(r"https?:", markup)


def test_the_vendored_script_is_the_one_described() -> None:
    """The script has the digest that its README gives, and its licences lie beside it."""
    readme = (VENDOR / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((VENDOR / "redoc.standalone.js").read_bytes()).hexdigest() in readme
    for name in ("redoc.LICENSE", "redoc.standalone.js.LICENSE.txt"):
        assert name in readme
        assert (VENDOR / name).is_file()


def test_our_own_keys_are_words(real: Bundle, samples: Samples) -> None:
    """The shown document has no `x-coze-` keys, which viewers ignore, but has their content in descriptions."""
    shown = document(reference_page(real, samples))
    assert '"x-coze-' not in json.dumps(shown)
    description = shown["paths"]["/v3/chat"]["post"]["description"]
    for fact in (
        "- Name: `chat.create`",
        "- Permission: `chat`",
        "poll `chat.retrieve`",
        "| `conversation.chat.created` |",
    ):
        assert fact in description


def test_schemas_stay_as_they_are(real: Bundle, samples: Samples) -> None:
    """No operation, schema or property of the description is missing in the shown document."""
    shown = document(reference_page(real, samples))
    source = real.document
    for part in ("paths", "webhooks"):
        assert shown[part].keys() == source[part].keys()
    assert shown["components"]["schemas"].keys() == source["components"]["schemas"].keys()
    for name, schema in source["components"]["schemas"].items():
        assert shown["components"]["schemas"][name].get("properties", {}).keys() == schema.get("properties", {}).keys()


def test_a_text_cannot_end_the_script(real: Bundle, samples: Samples) -> None:
    """No text of a description is read as markup of the page."""
    page = reference_page(real, samples)
    inside = page.split('id="description">')[1].split("</script>")[0]
    assert "<" not in inside
    assert json.loads(inside)["info"]["title"] == real.document["info"]["title"]
