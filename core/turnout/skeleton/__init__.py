"""The first files of a distribution with a plugin, which pass the suite of its kind."""

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal, get_args

Kind = Literal["environment", "strategy", "router", "probe", "admission-check", "gate", "notifier"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_FIELDS = {"environment": "targetEnv", "strategy": "trafficStrategy", "router": "router"}
"""Where a policy names one, by kind. The others are the administrator's."""
_TEMPLATES = files(__name__)


def distribution(name: str) -> str:
    """The distribution of a plugin of this name, and the folder that it is in."""
    return f"turnout-{name}"


def write(name: str, kind: Kind, folder: Path) -> tuple[Path, ...]:
    """Write a distribution with a plugin `name`, a DNS label, to a new folder. The files, relative to it.

    Raises OSError where that cannot be: FileExistsError if the folder exists.
    """
    words = _words(name, kind)
    template = kind.replace("-", "_")
    package, tests = f"src/{words['module']}/__init__.py", f"tests/test_{template}.py"
    made = {
        Path("pyproject.toml"): "pyproject.toml",
        Path("README.md"): "README.md",
        Path(package): f"{template}.py",
        Path(tests): f"{template}_tests.py",
    }
    texts = {path: _filled(template, words) for path, template in made.items()}
    folder.mkdir(parents=True)
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return tuple(texts)


def _words(name: str, kind: Kind) -> dict[str, str]:
    """What stands for what. Classes end in their kind, so that none is called as what they import."""
    base = "".join(word.capitalize() for word in name.split("-"))
    base = base if base[0].isalpha() else f"Plugin{base}"
    if field := _FIELDS.get(kind):
        use = f"A policy chooses it with `spec.{field}: {name}`; its options are in\n`spec.config.{name}`."
        tested = "play a rollout with it in memory"
    else:
        use = (
            f"It is in use where the settings of `turnout run --settings FILE`\n"
            f"have an entry for it, which gives its options: `plugins: {{{name}: {{fixed: {{…}}}}}}`."
        )
        tested = "what this one does"
    return {
        "name": name,
        "kind": kind.replace("-", " "),
        "distribution": distribution(name),
        "module": f"turnout_{name.replace('-', '_')}",
        "cls": base + "".join(word.capitalize() for word in kind.split("-")),
        "options": f"{base}Options",
        "use": use,
        "tested": tested,
    }


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((_TEMPLATES / f"{template}.template").read_text("utf-8")).substitute(words)
