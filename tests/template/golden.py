"""Values files, each with the manifests that it gives."""

from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def names() -> list[str]:
    """What there is: <name>.values.yaml gives <name>.yaml."""
    return sorted(file.name.removesuffix(".values.yaml") for file in FOLDER.glob("*.values.yaml"))


def values_file(name: str) -> Path:
    return FOLDER / f"{name}.values.yaml"


def manifests(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
