"""What an image builder would run, run here: no builder is needed, and the base image is not looked at."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from deploy.sbom import locked

import turnout
from tests.deploy.chart import CHART, DEPLOY
from tests.docs import pages
from tests.support.assets import REPOSITORY

DOCKERFILE = DEPLOY / "docker" / "Dockerfile"
TEXT = DOCKERFILE.read_text(encoding="utf-8")
PREFIX = "/opt/turnout"


def instructions(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the RUN lines leave of /opt/turnout: it borrows this environment's packages in place of an index's."""
    root = tmp_path_factory.mktemp("image")
    context(root / "src")
    for lock in (root / "src").glob("deploy/docker/*.txt"):
        lock.write_text(borrowed(lock), encoding="utf-8")
    (root / "borrowed").mkdir()
    for one in Path(sysconfig.get_path("purelib")).iterdir():
        if not one.name.startswith("turnout"):  # which is to be the image's own
            (root / "borrowed" / one.name).symlink_to(one)
    for command in instructions(TEXT, "RUN"):
        run(command, root)
        for site in root.glob("opt/*/lib/python*/site-packages"):
            (site / "borrowed.pth").write_text(f"{root / 'borrowed'}\n", encoding="utf-8")
    return root / "opt" / "turnout"


def borrowed(lock: Path) -> str:
    """A lock for what it names, in the versions that are here. A virtual environment has a pip of its own."""
    names = (name for name in locked(lock) if name != "pip")
    return "".join(f"{name}=={version(name)} --hash=sha256:{'0' * 64}\n" for name in names)


def context(target: Path) -> None:
    """What .dockerignore lets through."""
    kept = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    for name in kept:
        source, copy = REPOSITORY / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, copy)


def run(command: str, root: Path) -> None:
    """Run a RUN line as it stands, but for where it writes, and for the index, which has not to be asked."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    environment |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    line = command.replace("/opt/", f"{root}/opt/")
    done = subprocess.run(
        ["bash", "-ec", line], cwd=root / "src", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@pytest.fixture
def entrypoint(image: Path) -> Iterator[list[str | Path]]:
    """The ENTRYPOINT. Nothing of the image is written by it: a root filesystem may be read-only."""
    (line,) = instructions(TEXT, "ENTRYPOINT")
    program, *rest = json.loads(line)
    before = written(image)
    yield [image / "bin" / program, *rest]
    assert written(image) == before


def written(image: Path) -> dict[Path, int]:
    """When each file and folder was written last."""
    return {path: path.stat().st_mtime_ns for path in image.rglob("*")}


def said(command: list[str | Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    """With the image's variables and no others."""
    environment = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, env=environment, cwd="/", check=False
    )


def test_image_runs_the_commands_with_the_built_in_plugins(entrypoint: list[str | Path]) -> None:
    assert said(entrypoint, "--version").stdout.split()[-1] == turnout.__version__
    plugins = said(entrypoint, "plugins")
    assert plugins.returncode == 0
    for name in ("kserve-modelmesh", "deployment", "istio", "gateway-api", "envoy"):
        assert name in plugins.stdout
    assert "routingpolicies.turnout.dev" in said(entrypoint, "crds").stdout


def test_without_arguments_and_without_a_cluster_it_says_what_it_lacks(entrypoint: list[str | Path]) -> None:
    done = said(entrypoint, "run")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "no cluster" in done.stderr


def test_user_is_the_charts_and_not_root() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    pod = values["podSecurityContext"]
    assert instructions(TEXT, "USER") == [f"{pod['runAsUser']}:{pod['runAsGroup']}"]


def test_last_stage_has_nothing_of_the_first_but_the_environment() -> None:
    first, last = TEXT.split("\nFROM ")[1:]
    assert "AS build" in first
    assert instructions(last, "COPY") == [f"--from=build {PREFIX} {PREFIX}"]
    assert instructions(last, "RUN") == []
    assert instructions(last, "ENV")[0].startswith(f"PATH={PREFIX}/bin:")


def test_base_is_one_argument_that_names_a_version() -> None:
    """Which the builder may replace by one with a digest."""
    assert re.findall(r"^ARG PYTHON=python:3\.\d+-slim-[a-z]+$", TEXT, flags=re.MULTILINE)
    assert {line.split()[0] for line in instructions(TEXT, "FROM")} == {"${PYTHON}"}


def test_dockerfile_of_the_documentation_adds_a_plugin_to_this_image() -> None:
    """With its pip, as root, from a file that somebody has looked at, and then as the same user."""
    wheel = "turnout_steps-1.0-py3-none-any.whl"
    block = next(block for block in pages.read("docs/install.md") if block.file == "Dockerfile")
    lines = block.text.splitlines()
    assert lines == [
        f"FROM turnout:{turnout.__version__}",
        "USER root",
        f"RUN --mount=type=bind,target=/mnt {PREFIX}/bin/pip install --no-cache-dir --no-deps /mnt/{wheel}",
        *(f"USER {user}" for user in instructions(TEXT, "USER")),
    ]
