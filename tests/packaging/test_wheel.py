"""What the wheel contains and installs."""

from __future__ import annotations

import zipfile

import pytest

import cozekit

from .conftest import Packages


@pytest.fixture
def wheel(released: Packages) -> zipfile.ZipFile:
    """The wheel of a release."""
    return released.wheel


def test_wheel_has_only_the_three_packages(wheel: zipfile.ZipFile) -> None:
    """The wheel contains the client, the overlay and the sandbox, but no generator, tests or description sources."""
    roots = {name.partition("/")[0] for name in wheel.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"coze_api", "cozekit", "coze_sandbox"}


def test_wheel_has_py_typed_and_the_description(wheel: zipfile.ZipFile) -> None:
    """The wheel contains py.typed files for type checkers and the description for the sandbox."""
    names = set(wheel.namelist())
    assert {"coze_api/py.typed", "cozekit/py.typed", "coze_sandbox/py.typed", "coze_api/coze.openapi.json"} <= names


def test_wheel_has_the_version_of_the_package(released: Packages) -> None:
    """The wheel has the version that the package has."""
    assert f"\nVersion: {cozekit.__version__}\n" in released.metadata()


def test_wheel_requires_three_libraries(released: Packages) -> None:
    """Without extras, installing requires httpx, attrs, python-dateutil and their dependencies."""
    requires = [line for line in released.metadata().splitlines() if line.startswith("Requires-Dist")]
    plain = {line.split()[1].split(">")[0].split("<")[0] for line in requires if "extra ==" not in line}
    assert plain == {"attrs", "httpx", "python-dateutil"}


def test_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    """Installing the wheel creates the command cozekit."""
    [name] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "[console_scripts]\ncozekit = cozekit.cli:main\n" in wheel.read(name).decode()


def test_wheel_registers_the_pytest_plugin_once(wheel: zipfile.ZipFile) -> None:
    """The pytest entry point has the name of its module, so that listing the module as well loads it once."""
    [name] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "[pytest11]\ncoze_sandbox.pytest_plugin = coze_sandbox.pytest_plugin\n" in wheel.read(name).decode()
