"""The first files of a distribution with a plugin, which pass the suite of its axis."""

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

Axis = Literal["environment", "strategy", "router"]
_TEMPLATES = files(__name__)


def distribution(name: str) -> str:
    """The distribution of a plugin of this name, and the folder that it is in."""
    return f"turnout-{name}"


def write(name: str, axis: Axis, folder: Path) -> tuple[Path, ...]:
    """Write a distribution with a plugin `name`, a DNS label, to a new folder. The files, relative to it.

    Raises OSError where that cannot be: FileExistsError if the folder exists.
    """
    words = _words(name, axis)
    package, tests = f"src/{words['module']}/__init__.py", f"tests/test_{axis}.py"
    made = {
        Path("pyproject.toml"): "pyproject.toml",
        Path("README.md"): "README.md",
        Path(package): f"{axis}.py",
        Path(tests): f"{axis}_tests.py",
    }
    texts = {path: _filled(template, words) for path, template in made.items()}
    folder.mkdir(parents=True)
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return tuple(texts)


def _words(name: str, axis: Axis) -> dict[str, str]:
    """What stands for what. Classes end in their axis, so that none is called as what they import."""
    base = "".join(word.capitalize() for word in name.split("-"))
    base = base if base[0].isalpha() else f"Plugin{base}"
    field = {"environment": "targetEnv", "strategy": "trafficStrategy", "router": "router"}[axis]
    return {
        "name": name,
        "axis": axis,
        "distribution": distribution(name),
        "module": f"turnout_{name.replace('-', '_')}",
        "cls": f"{base}{axis.capitalize()}",
        "options": f"{base}Options",
        "field": field,
    }


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((_TEMPLATES / f"{template}.template").read_text("utf-8")).substitute(words)
