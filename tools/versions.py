"""What `versions.toml` says: the programs and CRDs that make up a group, and where it is cached.

Building a group is left to `testbed`.
"""

import hashlib
import json
import os
import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

VERSIONS = Path(__file__).with_name("versions.toml")
RECIPE = 1
"""Part of every digest: raise it when `testbed` changes what it builds from the same pins."""


class TestbedError(Exception):
    """Something that the person who runs the tool can put right; its text is all they need."""


@dataclass(frozen=True)
class Source:
    """One entry of a group: `package` is a path that begins with its module or distribution."""

    package: str
    origin: str
    version: str
    stamps: tuple[str, ...] = ()

    @property
    def subpath(self) -> str:
        """The part of `package` below its module's root ("" for the root)."""
        return self.package.removeprefix(self.origin).strip("/")


@dataclass(frozen=True)
class Group:
    """What one cache directory holds: the mappings go from a name in bin/ or crds/ to a source."""

    name: str
    go: str
    programs: Mapping[str, Source]
    crds: Mapping[str, Source]
    binaries: Mapping[str, Source]

    @property
    def directory(self) -> Path:
        """Where the finished group is found, whether it has been built or not."""
        pins = json.dumps([RECIPE, platform.system(), platform.machine(), asdict(self)], sort_keys=True)
        return cache_root() / f"{self.name}-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"


def cache_root() -> Path:
    """Return the directory that all groups, of all pins, share."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TURNOUT_CACHE") or Path(caches, "turnout")).absolute() / "testbed"


def load_groups() -> dict[str, Group]:
    """Read `versions.toml`, with every package joined to the version of the module it lies in."""
    pins = tomllib.loads(VERSIONS.read_text(encoding="utf-8"))
    return {name: _group(name, pins) for name in pins["groups"]}


def _group(name: str, pins: Mapping[str, Any]) -> Group:
    table: Mapping[str, Any] = pins["groups"][name]
    included = pins["groups"][table["includes"]] if "includes" in table else {}

    def sources(key: str, versions: Mapping[str, str]) -> dict[str, Source]:
        packages: dict[str, str] = {**included.get(key, {}), **table.get(key, {})}
        return {entry: _source(package, versions, pins["stamps"]) for entry, package in packages.items()}

    return Group(
        name=name,
        go=table["go"],
        programs=sources("programs", pins["modules"]),
        crds=sources("crds", pins["modules"]),
        binaries=sources("binaries", pins["wheels"]),
    )


def _source(package: str, versions: Mapping[str, str], stamps: Mapping[str, Sequence[str]]) -> Source:
    if "@" in package:
        origin, _, rest = package.partition("@")
        version, _, path = rest.partition("/")
        package = f"{origin}/{path}"
    else:
        found = max((o for o in versions if f"{package}/".startswith(f"{o}/")), key=len, default=None)
        if found is None:
            raise TestbedError(f"{VERSIONS.name}: {package} lies in nothing that has a version there")
        origin, version = found, versions[found]
    major, minor = version.removeprefix("v").split(".")[:2]
    values = (s.format(version=version, major=major, minor=minor) for s in stamps.get(origin, ()))
    return Source(package, origin, version, tuple(values))
