"""Texts of the description are shown as they are meant: nothing in them is markup, but for backticks around code."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from generator.docs._files import write_docs
from generator.docs._markdown import NOTHING, cell, code, link, prose, table
from generator.docs._python import python_samples
from generator.docs._reference import reference_page
from tests._chromium import needs_chromium
from tests.docs._browser import visit
from tests.generator._small import Small

VENDOR = Path(__file__).resolve().parents[2] / "docs" / "vendor"
#: Reads tables, and HTML as what it is, as viewers of Markdown do.
READER = MarkdownIt("commonmark", {"html": True}).enable("table")
HOSTILE = (
    "<script>document.documentElement.dataset.pwned = 1</script>",
    '<img src=x onerror="document.documentElement.dataset.pwned = 1">',
    "<!-- hidden",
    "[x](javascript:document.documentElement.dataset.pwned=1)",
    "\\[x](javascript:alert(1))",
    "![x](https://example.com/x.png)",
    "<https://example.com>",
    "[x]: javascript:alert(1)",
    "a | b \\| c \\\\| d",
    "`a | b` `` <i> ` | ``",
    "` <b> ``",
    "``` <b>",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "*a* _b_ **c** ~~d~~ $e$",
    "&lt;b&gt; &#60; & &amp",
    "tail\\",
    "\u202eright to left\0\u2028",
)
TEXTS = st.text(alphabet=st.sampled_from("`|\\<>[]()!*_~&;#-=+1. \n\tab\0\u202e")) | st.sampled_from(HOSTILE)


def shown(markdown: str) -> tuple[str, set[str]]:
    """Render a cell of a table, and return its text and the elements in it."""
    page = READER.render(table(["A", "B", "C"], [["before", markdown, "after"]]))
    cells = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)
    assert (cells[0], cells[2:]) == ("before", ["after"]), page
    inside = cells[1]
    return html.unescape(re.sub(r"<[^>]*>", "", inside)), set(re.findall(r"<[/!]?([^\s>]*)", inside))


def printable(text: str) -> str:
    """Replace what cannot be printed, as the pages do."""
    return "".join(character if character.isprintable() else " " for character in text)


@given(TEXTS)
@example("`\u202e`")
def test_a_cell_shows_the_text(text: str) -> None:
    """A cell shows every character of a text, but for the backticks around code, and holds nothing but text and code."""
    text_shown, elements = shown(cell(text))
    assert elements <= {"code"}
    expected = " ".join(printable(text).split())
    assert text_shown.replace("`", "").split() == expected.replace("`", "").split()
    assert text_shown.count("`") == expected.count("`") or "code" in elements


@example("_|_")
@example("*|*")
@given(TEXTS)
def test_code_shows_the_text(text: str) -> None:
    """Code shows every character of a text, in a table as well, or the sign for nothing."""
    text_shown, elements = shown(code(text))
    expected = printable(text)
    assert (text_shown.strip(), elements) == ((expected.strip(), {"code"}) if expected.strip() else (NOTHING, set()))


@given(st.lists(TEXTS, max_size=4))
def test_prose_is_paragraphs(texts: list[str]) -> None:
    """A text of several paragraphs has no headings, lists, quotes, links, images or HTML in it."""
    assert set(re.findall(r"<[/!]?([^\s>]*)", READER.render(prose("\n\n".join(texts))))) <= {"p", "code"}


@given(TEXTS)
def test_a_link_leads_to_pages_only(text: str) -> None:
    """A link leads to a page of the web or a file beside it, whatever its address holds."""
    for address in (text, f"https://example.com/{text}", f"javascript:{text}", f" JavaScript:{text}", f"data:{text}"):
        page = READER.renderInline(link("page", address))
        assert set(re.findall(r"<[/!]?([^\s>]*)", page)) <= {"a"}
        for target in re.findall(r'href="([^"]*)"', page):
            assert re.match(r"https?:|[^:]*(?:$|[/?#])", html.unescape(target)), target


def poison(value: Any, text: str) -> None:
    """Put *text* into every text that people read."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in {"description", "summary", "meaning", "hint", "x-coze-permission", "title"} and isinstance(item, str):
            value[key] = f"{item} {text} {item}"
        elif key == "x-coze-notes":
            value[key] = [text]
        elif key == "x-coze-enum-descriptions":
            value[key].update(dict.fromkeys(item, text))
        else:
            poison(item, text)


@pytest.mark.parametrize("text", HOSTILE)
def test_pages_hold_no_markup_of_texts(tmp_path: Path, text: str) -> None:
    """The lists of operations, errors and samples have the same elements whatever the texts hold, and links to pages only."""
    small = Small(tmp_path)
    bundled = small.bundle()
    clean = [READER.render(page.read_text(encoding="utf-8")) for page in write_docs(bundled) if page.suffix == ".md"]
    poison(bundled.document, text)
    dirty = [READER.render(page.read_text(encoding="utf-8")) for page in write_docs(bundled) if page.suffix == ".md"]
    for before, after in zip(clean, dirty, strict=True):
        assert after != before
        tags = [
            [tag for tag in re.findall(r"<[^>]*>", page) if tag not in {"<code>", "</code>"}]
            for page in (before, after)
        ]
        assert tags[0] == tags[1]


@needs_chromium
def test_the_reference_page_runs_nothing_of_texts(tmp_path: Path) -> None:
    """No text of the description becomes a script, an image or a link that runs code."""
    small = Small(tmp_path)
    bundled = small.bundle()
    poison(bundled.document, " ".join(HOSTILE))
    (tmp_path / "vendor").symlink_to(VENDOR)
    page = tmp_path / "reference.html"
    page.write_text(reference_page(bundled, python_samples(bundled)), encoding="utf-8")
    scratch = tmp_path / "chromium"
    scratch.mkdir()
    seen = visit(page, scratch)
    assert 'operation/things.create"' in seen.dom
    assert "data-pwned" not in seen.dom
    assert "<img" not in seen.dom
    assert not re.search(r'(?:href|src)="\s*javascript:', seen.dom)
    assert seen.requested == []
