"""The README works on a package index, which has none of the repository's files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .conftest import RELEASE, ROOT, Packages, build

ADDRESS = f"{RELEASE['GITHUB_SERVER_URL']}/{RELEASE['GITHUB_REPOSITORY']}/blob/{RELEASE['GITHUB_SHA']}/"


def tokens(text: str) -> Iterator[Token]:
    """Yield all tokens of a Markdown text."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def links(text: str) -> list[str]:
    """Return the targets of all links and images of a Markdown text."""
    found = [token.attrs.get("href", token.attrs.get("src")) for token in tokens(text)]
    return [str(target) for target in found if target is not None]


def programs(text: str) -> list[str]:
    """Return the blocks of code of a Markdown text."""
    return [token.content for token in tokens(text) if token.type == "fence"]


def readme(metadata: str) -> str:
    """Return the README in the metadata of a wheel."""
    head, _, text = metadata.partition("\n\n")
    assert "\nDescription-Content-Type: text/markdown" in head
    return text


made_here = pytest.mark.skipif((ROOT / "PKG-INFO").exists(), reason="this is an sdist, which keeps the README it has")


@made_here
def test_links_of_a_release_lead_to_its_files(released: Packages) -> None:
    """In a release no link or image is relative: those to files lead to the repository at the released revision."""
    original = (ROOT / "README.md").read_text(encoding="utf-8")
    relative = [target for target in links(original) if not target.startswith("https://")]
    assert relative
    published = links(readme(released.metadata()))
    assert published == [ADDRESS + target if target in relative else target for target in links(original)]
    for target in published:
        assert target.startswith("https://")
        file = unquote(target.removeprefix(ADDRESS).partition("#")[0])
        assert not target.startswith(ADDRESS) or (ROOT / file).is_file()


@made_here
def test_a_local_build_names_the_files(tmp_path: Path) -> None:
    """A wheel that is built where no repository is known has the names of the files in place of relative links."""
    build(ROOT, tmp_path, "--wheel")
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        published = readme(archive.read(name).decode())
    original = (ROOT / "README.md").read_text(encoding="utf-8")
    assert links(published) == [target for target in links(original) if target.startswith("https://")]
    for target in links(original):
        assert target.startswith("https://") or target.partition("#")[0] in published


def test_programs_stay_as_they_are(released: Packages) -> None:
    """Blocks of code in the README are published unchanged."""
    original = (ROOT / "README.md").read_text(encoding="utf-8")
    assert programs(original)
    assert programs(readme(released.metadata())) == programs(original)
