"""Writes what is said elsewhere already: `python deploy/generate.py`. A test fails for stale files.

- The CRDs of the chart and of `kustomize/crds`, from `core/turnout/crds`.
- The table of values in the chart's README, from the comments in `values.yaml`.
- What the chart's schema says of `settings`, from the settings themselves.
- The objects of `kustomize/*-scoped`, from the chart's templates, by helm (`tools/testbed.py`).
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/ knows where helm is

from tests.support.assets import find_helm

from turnout.settings import Settings

FOLDER = Path(__file__).resolve().parent
CHART = FOLDER / "helm" / "turnout"
KUSTOMIZE = FOLDER / "kustomize"
CRDS = FOLDER.parent / "core" / "turnout" / "crds"
NOTE = "# Written by deploy/generate.py from the Helm chart; do not edit.\n"
SCOPES = {
    "namespace-scoped": ("--namespace=turnout",),
    "cluster-scoped": ("--namespace=turnout-system", "--set=clusterScoped=true"),
}
TABLE = re.compile(r"(?<=<!-- values -->\n).*(?=<!-- /values -->\n)", re.DOTALL)
KEY = re.compile(r"(?P<indent> *)(?P<key>[\w-]+):")
LONGEST = 60
"""Characters of a default that the table shows."""

Object = dict[str, Any]


def files() -> dict[Path, str]:
    """All that is written, by path."""
    made: dict[Path, str] = {}
    for crd in sorted(CRDS.glob("*.yaml")):
        made |= {folder / crd.name: _read(crd) for folder in (CHART / "crds", KUSTOMIZE / "crds")}
    readme = CHART / "README.md"
    made[readme] = TABLE.sub(lambda _: "\n".join(["", *table(), "", ""]), _read(readme))
    schema = CHART / "values.schema.json"
    made[schema] = json.dumps(with_settings(json.loads(_read(schema))), indent=2) + "\n"
    for scope, arguments in SCOPES.items():
        objects = [plain(one) for one in rendered(*arguments)]
        kept = [one for one in objects if one["kind"] != "ConfigMap"]  # of which kustomize makes one itself
        made[KUSTOMIZE / scope / "turnout.yaml"] = NOTE + yaml.safe_dump_all(kept, sort_keys=False)
    return made


def rendered(*arguments: str) -> Iterator[Object]:
    """What a release "turnout" has, but for what is Helm's alone: the hooks."""
    command: list[str | Path] = [find_helm(), "template", "turnout", CHART, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    for one in yaml.safe_load_all(done.stdout):
        if one and "helm.sh/hook" not in one["metadata"].get("annotations", {}):
            yield one


def plain(found: Object) -> Object:
    """An object without the marks of Helm, and without what kustomize adds in its own way.

    That is the digest that replaces pods, and the namespace of a binding's subject: it changes none.
    """
    for part in (found, found.get("spec", {}).get("template", {})):
        metadata = part.get("metadata", {})
        for label in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
            metadata.get("labels", {}).pop(label, None)
        if metadata.get("annotations", {}).pop("checksum/settings", None) and not metadata["annotations"]:
            del metadata["annotations"]
    for subject in found.get("subjects", ()):
        subject.pop("namespace", None)
    return found


def with_settings(schema: Object) -> Object:
    """The chart's schema with what the controller's settings are."""
    settings: Object = _bare(Settings.model_json_schema(by_alias=True))
    ours = {name: one for name, one in schema["$defs"].items() if name[0].islower()}
    schema["$defs"] = ours | settings.pop("$defs")
    schema["properties"]["settings"] = settings
    return schema


def _bare(found: Any) -> Any:
    """A schema without titles and defaults, in which a pattern of names admits no others."""
    if isinstance(found, list):
        return [_bare(one) for one in found]
    if not isinstance(found, dict):
        return found
    kept = {key: _bare(value) for key, value in found.items() if key not in ("title", "default")}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return kept


def table() -> Iterator[str]:
    """The values, their defaults and what is said of them."""
    text = _read(CHART / "values.yaml")
    values = yaml.safe_load(text)
    yield from ("| Value | Default | Meaning |", "| --- | --- | --- |")
    for path, meaning in described(text):
        default = json.dumps(_at(values, path))
        shown = f"`{default}`" if len(default) <= LONGEST else "see values.yaml"
        yield f"| `{'.'.join(path)}` | {shown} | {meaning} |"


def described(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The paths of the values that have a comment "# --", with that comment."""
    path: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        said = line.strip()
        if said.startswith("# -- "):
            comment = [said.removeprefix("# -- ")]
        elif said.startswith("#") and comment:
            comment.append(said.removeprefix("# "))
        elif key := KEY.match(line):
            path = [*path[: len(key["indent"]) // 2], key["key"]]
            if comment:
                yield tuple(path), " ".join(comment)
            comment = []


def _at(values: Mapping[str, Any], path: tuple[str, ...]) -> object:
    found: Any = values
    for key in path:
        found = found[key]
    return found


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    for file, content in files().items():
        file.write_text(content, encoding="utf-8")
