"""Little distributions on sys.path, as pip would leave them: a module and the metadata that announces it."""

import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest


class SitePackages:
    """A folder of installed distributions, of which Python finds what is written there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.modules: list[str] = []

    def install(
        self,
        name: str,
        source: str = "",
        *,
        version: str = "1.0",
        entry_points: Mapping[str, str] | None = None,
        group: str = "turnout",
    ) -> str:
        """Install a distribution with one module; its entry point `plugin` is that module. Its module's name."""
        module = name.replace("-", "_").lower()
        self._folder.joinpath(f"{module}.py").write_text(textwrap.dedent(source))
        self.modules.append(module)
        info = self._folder / f"{module}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"{key} = {value}" for key, value in (entry_points or {"plugin": module}).items()]
        info.joinpath("entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        return module


@pytest.fixture
def site_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SitePackages]:
    """An empty folder on sys.path; what is imported from it is forgotten after the test."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    site = SitePackages(folder)
    yield site
    for module in site.modules:
        sys.modules.pop(module, None)
