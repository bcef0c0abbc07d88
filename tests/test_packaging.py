"""What is built holds everything that is needed and nothing else, and runs where it is installed."""

import ast
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs import pages
from tests.docs.play import INSTALL

REPOSITORY = Path(__file__).resolve().parents[1]
ROOTS = {
    "turnout": "core",
    "turnout_deployment": "plugins/deployment",
    "turnout_envoy": "plugins/envoy",
    "turnout_gateway_api": "plugins/gateway_api",
    "turnout_istio": "plugins/istio",
    "turnout_kserve": "plugins/kserve",
    "turnout_kserve_modelmesh": "plugins/kserve_modelmesh",
}
PIP = """#!/bin/sh
exec '{python}' -m pip "$@" --no-index --no-build-isolation --disable-pip-version-check
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.Path:
    (file,) = built.glob("*.whl")
    return zipfile.Path(file)


def wheel_text(wheel: zipfile.Path, name: str) -> str:
    (info,) = (entry for entry in wheel.iterdir() if entry.name.endswith(".dist-info"))
    return (info / name).read_text(encoding="utf-8")


def test_wheel_has_every_file_of_every_package(wheel: zipfile.Path) -> None:
    sources = {
        file.relative_to(REPOSITORY / root).as_posix()
        for package, root in ROOTS.items()
        for file in REPOSITORY.joinpath(root, package).rglob("*")
        if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in file.parts)
    }
    packed = {name for name in wheel.root.namelist() if ".dist-info/" not in name and name[-1] != "/"}
    assert packed == sources


@pytest.mark.parametrize(
    "name",
    [
        "turnout/py.typed",
        "turnout/crds/routingpolicies.yaml",
        "turnout/crds/trafficweights.yaml",
        "turnout/demo/tutorial/1-primary.yaml",
        "turnout/skeleton/strategy.py.template",
    ],
)
def test_wheel_has_what_is_no_module(wheel: zipfile.Path, name: str) -> None:
    assert (wheel / name).exists()


def test_packages_are_those_that_the_folders_hold() -> None:
    """`packages` takes no globs, so a new plugin has to be named there."""
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        named = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    plugins = (folder.parent for folder in REPOSITORY.glob("plugins/*/*/__init__.py"))
    assert set(named) == {"core/turnout", *(folder.relative_to(REPOSITORY).as_posix() for folder in plugins)}


def imported(folder: str) -> set[str]:
    """The top-level modules that the code in a folder imports by their full names."""
    found: set[str] = set()
    for file in (REPOSITORY / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def test_each_distribution_that_is_imported_is_declared() -> None:
    """It does not come by chance, as a dependency of a dependency."""
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    declared = {canonicalize_name(Requirement(one).name) for one in (*project["dependencies"], *extras)}
    others = imported("core") | imported("plugins")
    # Of google it is protobuf, one of several; pydantic brings the one pydantic_core that fits it.
    others -= {*sys.stdlib_module_names, *ROOTS, "google", "pydantic_core"}
    providers = packages_distributions()
    undeclared = [
        name for name in others if declared.isdisjoint(map(canonicalize_name, providers.get(name, ())))
    ]
    assert sorted(undeclared) == []


def test_wheel_tells_its_programs_plugins_and_license(wheel: zipfile.Path) -> None:
    entry_points = wheel_text(wheel, "entry_points.txt")
    metadata = Parser().parsestr(wheel_text(wheel, "METADATA"))
    for program in ("turnout", "kubectl-turnout", "kubectl_complete-turnout"):
        assert f"{program} = turnout.cli" in entry_points
    assert "\nistio = turnout_istio.plugin\n" in entry_points
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in wheel_text(wheel, "licenses/LICENSE")
    assert metadata.get_payload() == (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_source_distribution_can_build_and_test_itself(built: Path) -> None:
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        packed = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    assert {"pyproject.toml", "tox.ini", "README.md", "tests/test_packaging.py", "tools/testbed.py"} <= packed
    assert not {name for name in packed if "__pycache__" in name or name.startswith(".tox")}


def test_readme_installs_and_plays_the_demo_word_for_word(built: Path, tmp_path: Path) -> None:
    """In a fresh virtual environment, which borrows this one's packages in place of an index's."""
    block = next(block for block in pages.read("README.md") if INSTALL in block.marks)
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # before 3.11.4 there is none
        archive.extractall(tmp_path)
    (clone,) = tmp_path.glob("turnout-*")
    programs = tmp_path / "venv" / "bin"
    venv.create(programs.parent, with_pip=True)
    (site,) = programs.parent.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    (programs / "pip").write_text(PIP.format(python=programs / "python"), encoding="utf-8")

    done = subprocess.run(
        ["bash", "-ec", block.text.removeprefix("$ ")],
        cwd=clone,
        env={"PATH": os.pathsep.join([str(programs), os.defpath]), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "That was the whole rollout" in done.stdout
    assert str(programs.parent) in (programs / "turnout").read_text(encoding="utf-8")
