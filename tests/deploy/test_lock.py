"""What the image is locked to is what turnout needs, and nothing gets into it past the lock."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import requires, version
from typing import Any

import pytest
from deploy.sbom import LOCK, locked, normal
from packaging.requirements import Requirement

from tests.deploy.test_dockerfile import TEXT, instructions
from tests.support.assets import REPOSITORY

BUILD = LOCK.with_name("build-requirements.txt")
with (REPOSITORY / "pyproject.toml").open("rb") as file:
    PYPROJECT: dict[str, Any] = tomllib.load(file)
GROUPS: dict[str, list[str]] = PYPROJECT["dependency-groups"]
DIRECT = {
    LOCK: [*PYPROJECT["project"]["dependencies"], *GROUPS["image"]],
    BUILD: GROUPS["build"],
}
"""What was locked, with its dependencies."""
PYTHON = re.findall(r"^ARG PYTHON=python:([\d.]+)", TEXT, flags=re.MULTILINE)[0]
PLATFORM = {
    "extra": "",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}
both = pytest.mark.parametrize("lock", [LOCK, BUILD], ids=lambda lock: lock.stem)


def needed(requirements: Iterable[str], versions: dict[str, str]) -> Iterator[Requirement]:
    """The requirements in the image, with those of packages that are here in the version that is locked."""
    pending, seen = [*requirements], set[str]()
    while pending:
        one = Requirement(pending.pop())
        name = normal(one.name)
        if one.marker and not one.marker.evaluate(PLATFORM):
            continue
        yield one
        if name not in seen and name != "pip" and version(name) == versions.get(name):
            seen.add(name)
            pending += requires(name) or ()


@both
def test_lock_has_all_that_is_needed_within_its_bounds(lock: Any) -> None:
    versions = locked(lock)
    wrong = [
        f"{one} but locked: {versions.get(normal(one.name))}"
        for one in needed(DIRECT[lock], versions)
        if not one.specifier.contains(versions.get(normal(one.name), "0"), prereleases=True)
    ]
    assert wrong == [], "tox run -e lock"


@both
def test_each_package_is_pinned_with_hashes_and_no_index_is_named(lock: Any) -> None:
    text = re.sub(r"^ *#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    packages = re.split(r"\n(?=\S)", text.strip())
    form = re.compile(r"[\w.-]+==[^\s;]+( ; [^\\]+)? (\\\n    --hash=sha256:[0-9a-f]{64} ?)+")
    assert [one for one in packages if not form.fullmatch(one)] == []
    assert len(packages) == len(locked(lock))
    assert "://" not in lock.read_text(encoding="utf-8")


def test_what_is_locked_to_build_is_what_builds() -> None:
    assert GROUPS["build"] == PYPROJECT["build-system"]["requires"]


def test_image_installs_the_locks_and_nothing_else_from_an_index() -> None:
    installs = [command for command in instructions(TEXT, "RUN") if " install " in command]
    hashed = [re.findall(r"--requirement (\S+)", one) for one in installs if "--require-hashes" in one]
    assert [(REPOSITORY / name) for names in hashed for name in names] == [BUILD, LOCK]
    assert all("--only-binary :all:" in one for one in installs if "--require-hashes" in one)
    others = [one for one in installs if "--require-hashes" not in one]
    assert all("--no-index --no-deps" in one for one in others)


def test_lock_is_renewed_for_the_images_python() -> None:
    tox = (REPOSITORY / "tox.ini").read_text(encoding="utf-8")
    assert set(re.findall(r"uv pip compile .*--python-version (\S+)", tox)) == {PYTHON}
    for lock in (LOCK, BUILD):
        assert f"--output-file {lock.relative_to(REPOSITORY)}" in tox
