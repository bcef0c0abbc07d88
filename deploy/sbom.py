"""Writes the bill of materials of the image's Python packages, as CycloneDX JSON: `tox run -e sbom`.

A lock does not tell licences. So what it names is installed into an environment of its own, as the Dockerfile
does, and cyclonedx-py reads it there. A package without its locked version or without a licence is an error.
"""

import json
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
LOCK = FOLDER / "docker" / "requirements.txt"
PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)


def locked(lock: Path = LOCK) -> dict[str, str]:
    """The versions of a lock, by normalized name."""
    return {normal(one["name"]): one["version"] for one in PINNED.finditer(lock.read_text(encoding="utf-8"))}


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def faults(bill: Mapping[str, Any], wanted: Mapping[str, str]) -> list[str]:
    """What a bill lacks of the locked packages: one sentence each."""
    there = {normal(one["name"]): one for one in bill.get("components", ())}
    told = []
    for name, version in wanted.items():
        one = there.get(name, {})
        if one.get("version") != version:
            told.append(f"{name}: found version {one.get('version')}, expected {version}, which is locked")
        elif not one.get("licenses"):
            told.append(f"{name} {version}: found no licence, expected one")
    return told


def bill_of(python: Path) -> dict[str, Any]:
    """Of the environment of an interpreter, in which turnout is installed."""
    describe: list[str | Path] = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--output-reproducible",
    ]
    bill: dict[str, Any] = json.loads(
        _run([*describe, "--pyproject", FOLDER.parent / "pyproject.toml", python])
    )
    # pyproject.toml leaves it to hatchling.
    tell = "from importlib.metadata import version; print(version('turnout'))"
    bill["metadata"]["component"]["version"] = _run([python, "-c", tell]).strip()
    return bill


def install(folder: Path) -> Path:
    """An environment with what the image has. Returns its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--no-compile"]
    _run([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", LOCK])
    _run([*pip, "--no-deps", FOLDER.parent])
    _run([python, "-m", "pip", "check"])
    return python


def _run(command: Iterable[str | Path]) -> str:
    done = subprocess.run([*command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bill = bill_of(install(Path(folder)))
    if found := faults(bill, locked()):
        sys.exit("\n".join(["the bill of materials is not complete:", *found]))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
