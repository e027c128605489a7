"""What importing the package loads, and the names that it exports."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import coze_api
import coze_api.errors
import coze_api.models
import coze_api.operations
import coze_api.params
import coze_api.resources

ROOT = Path(coze_api.__file__).parent
TAGS = sorted(coze_api.resources.__all__)
PACKAGES = [coze_api, coze_api.models]
GROUPS = [coze_api.operations, coze_api.params, coze_api.resources]


def loaded(statement: str) -> set[str]:
    """Run *statement* in a separate interpreter and return the modules that it loads."""
    program = (
        f"import json, sys\nold = set(sys.modules)\n{statement}\nprint(json.dumps(sorted(set(sys.modules) - old)))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT.parent)},
    )
    assert run.stderr == ""
    return set(json.loads(run.stdout.splitlines()[-1]))


def tags_of(modules: set[str], kind: str) -> set[str]:
    """Return the tags whose module of *kind* is among *modules*."""
    return {name.rpartition(".")[2] for name in modules if name.startswith(f"coze_api.{kind}.")}


def referred(tag: str) -> set[str]:
    """Return the model modules to which those of *tag* refer, directly or indirectly, including *tag*."""
    modules_of_tag: set[str] = set()
    left = {tag}
    while left:
        name = left.pop()
        path = ROOT / "models" / f"{name}.py"
        if name not in modules_of_tag and path.exists():
            modules_of_tag.add(name)
            text = path.read_text("utf-8") + (
                (ROOT / "operations" / f"{name}.py").read_text("utf-8") if name == tag else ""
            )
            left |= {
                other.stem for other in path.parent.glob("*.py") if f"import {other.stem} as _{other.stem}" in text
            }
    return modules_of_tag


class TestLoading:
    """V14: which modules are loaded when."""

    def test_package_import_loads_itself_only(self) -> None:
        """Importing the package loads only itself: no httpx, no attrs, no model, no parser."""
        modules = loaded("import coze_api")
        assert {name for name in modules if name.startswith("coze_api")} == {"coze_api"}
        assert modules.isdisjoint({"httpx", "attr", "attrs", "json", "orjson", "dateutil", "enum", "asyncio"})

    def test_client_loads_httpx_but_no_resource(self) -> None:
        """Creating a client loads httpx, but no resource, no model and no error table."""
        modules = loaded("import coze_api\ncoze_api.Client('https://a.example', 't')")
        assert "httpx" in modules
        assert not any(tags_of(modules, kind) for kind in ("resources", "models", "operations", "params"))
        assert "coze_api.errors" not in modules
        assert "orjson" not in modules

    @pytest.mark.parametrize("tag", TAGS)
    def test_tag_loads_its_own_modules(self, tag: str) -> None:
        """Using a tag loads its modules and the models to which it refers, and those of no other tag."""
        name = tag.partition("_")[0] if not hasattr(coze_api.Client, tag) else tag
        modules = loaded(f"import coze_api\ncoze_api.Client('https://a.example', 't').{name}")
        assert tags_of(modules, "resources") == {tag}
        assert tags_of(modules, "operations") == {tag}
        assert tags_of(modules, "models") <= referred(tag)
        assert tags_of(modules, "params") == set()

    def test_model_loads_its_module(self) -> None:
        """Using a model loads its module, and no HTTP library."""
        modules = loaded("from coze_api.models import File")
        assert tags_of(modules, "models") == referred("files")
        assert "httpx" not in modules

    @pytest.mark.parametrize("kind", ["models", "resources", "operations", "params"])
    def test_package_of_models_or_operations_loads_none(self, kind: str) -> None:
        """Importing the package of all models, or of all operations, loads none of them."""
        assert tags_of(loaded(f"import coze_api.{kind}"), kind) == set()

    @pytest.mark.parametrize(
        "name", [f"{path.parent.name}.{path.stem}" for path in sorted(ROOT.glob("[!_]*/[!_]*.py"))]
    )
    def test_every_module_can_be_imported_first(self, name: str) -> None:
        """Every module can be imported first: none depends on the order of imports."""
        loaded(f"import coze_api.{name}")


class TestNames:
    """The names that packages export."""

    @pytest.mark.parametrize("package", [*PACKAGES, coze_api.errors], ids=lambda package: package.__name__)
    def test_all_names_resolve_once(self, package: ModuleType) -> None:
        """`__all__` contains each name once, and each can be imported."""
        assert len(set(package.__all__)) == len(package.__all__)
        for name in package.__all__:
            assert getattr(package, name) is not None

    @pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
    def test_all_and_dir_are_sorted(self, package: ModuleType) -> None:
        """`__all__` and `dir()` are sorted and equal, constants first, as isort does."""
        names = list(package.__all__)
        order = sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name.lower()))
        assert [name.lower() for name in names] == [name.lower() for name in order]
        assert dir(package) == sorted(names)

    @pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
    def test_lazy_names_are_in_all_and_cached(self, package: ModuleType) -> None:
        """Every lazily loaded name is in `__all__`, and is cached once it was loaded."""
        lazy = package._MODULES
        assert set(lazy) <= set(package.__all__)
        for name, module in lazy.items():
            value = getattr(package, name)
            assert vars(package)[name] is value
            assert getattr(importlib.import_module(f"{package.__name__}.{module}"), name) is value

    @pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
    def test_packages_list_their_modules(self, group: ModuleType) -> None:
        """The packages of operations, parameters and resources list all their modules in order."""
        assert list(group.__all__) == sorted(path.stem for path in (ROOT / group.__name__[9:]).glob("[!_]*.py"))

    def test_every_public_model_is_exported(self) -> None:
        """Every public class of a model module is a name of `coze_api.models`."""
        for path in (ROOT / "models").glob("[!_]*.py"):
            module = importlib.import_module(f"coze_api.models.{path.stem}")
            classes = {
                name
                for name, value in vars(module).items()
                if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
            }
            assert classes <= set(coze_api.models.__all__)

    @pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
    def test_misspelled_name_is_an_attribute_error(self, package: ModuleType) -> None:
        """A name that does not exist raises an `AttributeError` with package and name; `hasattr` returns False."""
        with pytest.raises(AttributeError, match=rf"^module '{package.__name__}' has no attribute 'Fiel'$"):
            package.Fiel  # noqa: B018  (getting it is what is tested)
        assert not hasattr(package, "__wrapped__")
        with pytest.raises(ImportError, match="Fiel"):
            exec(f"from {package.__name__} import Fiel")

    def test_star_import_imports_all(self) -> None:
        """`from coze_api import *` imports exactly the names of `__all__`."""
        names: dict[str, object] = {}
        exec("from coze_api import *", names)
        assert set(names) - {"__builtins__"} == set(coze_api.__all__)


class TestFiles:
    """The files of the package."""

    def test_package_has_py_typed_and_description(self) -> None:
        """The package contains py.typed and its description."""
        assert (ROOT / "py.typed").exists()
        assert json.loads((ROOT / "coze.openapi.json").read_text("utf-8"))["info"]["version"] == coze_api.API_VERSION

    def test_every_module_is_marked_as_generated(self) -> None:
        """V15: every module starts with a note that it is generated and must not be edited."""
        for path in ROOT.rglob("*.py"):
            assert path.read_text("utf-8").startswith("# @generated by "), path

    def test_runtime_is_a_copy(self) -> None:
        """The runtime is a copy of the generator's, below the note."""
        source = Path(__file__).resolve().parents[2] / "generator" / "runtime"
        names = {path.name for path in source.glob("*.py")}
        assert {path.name for path in (ROOT / "_core").glob("*.py")} == names
        for name in names:
            _, _, body = (ROOT / "_core" / name).read_text("utf-8").partition("\n")
            assert body == (source / name).read_text("utf-8"), f"{name}: run `python -m generator generate`"
