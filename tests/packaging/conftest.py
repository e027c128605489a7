"""The packages, built once, as a release builds them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Where the release runs, by the variables of GitHub Actions.
RELEASE = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "owner/cozekit",
    "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
}


@attrs.frozen
class Packages:
    """The files of a build."""

    sdist: Path
    wheel: zipfile.ZipFile

    def metadata(self) -> str:
        """Return the metadata of the wheel."""
        [name] = [name for name in self.wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return self.wheel.read(name).decode()


def build(source: Path, target: Path, *options: str, **release: str) -> None:
    """Build the packages of a source tree, the wheel from the sdist, unless options select one of them."""
    inherited = {name: value for name, value in os.environ.items() if name not in RELEASE}
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(target), *options, str(source)],
        check=True,
        capture_output=True,
        env={**inherited, **release},
    )


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist, and return its folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    [root] = folder.iterdir()
    return root


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The packages as a release on GitHub builds them."""
    target = tmp_path_factory.mktemp("released")
    build(ROOT, target, **RELEASE)
    [sdist], [wheel] = target.glob("*.tar.gz"), target.glob("*.whl")
    return Packages(sdist, zipfile.ZipFile(wheel))


@pytest.fixture(scope="session")
def unpacked(released: Packages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked sdist."""
    return unpack(released.sdist, tmp_path_factory.mktemp("unpacked"))
