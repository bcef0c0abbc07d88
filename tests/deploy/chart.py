"""helm, and the chart as it renders it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.assets import REPOSITORY, find_helm

DEPLOY = REPOSITORY / "deploy"
CHART = DEPLOY / "helm" / "turnout"
RELEASE = "turnout"

Object = dict[str, Any]


def helm(
    *arguments: str | Path, kubeconfig: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run helm to its end, without any state of this machine's user. A failure is an AssertionError."""
    home = kubeconfig.parent if kubeconfig else Path("/nonexistent")
    done = subprocess.run(
        [find_helm(), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig or ""),
        },
        check=False,
    )
    assert not check or done.returncode == 0, f"helm {' '.join(map(str, arguments))}: {done.stderr}"
    return done


def text(*arguments: str | Path, namespace: str = "team-a", release: str = RELEASE) -> str:
    """The manifests of a release; `arguments` are `--set` and the like."""
    return helm("template", release, CHART, f"--namespace={namespace}", *arguments).stdout


def objects(*arguments: str | Path, namespace: str = "team-a", release: str = RELEASE) -> list[Object]:
    """The same, parsed; those of hooks too."""
    found = yaml.safe_load_all(text(*arguments, namespace=namespace, release=release))
    return [one for one in found if one]


def refused(*arguments: str) -> str:
    """What helm says of values that it refuses."""
    done = helm("template", RELEASE, CHART, *arguments, check=False)
    assert done.returncode, done.stdout
    return done.stderr


def only(found: list[Object], kind: str, name: str = RELEASE) -> Object:
    """The one object of a kind and a name."""
    (one,) = (one for one in found if one["kind"] == kind and one["metadata"]["name"] == name)
    return one


def is_hook(one: Object) -> bool:
    """Whether an object exists only while the release is uninstalled."""
    return "helm.sh/hook" in one["metadata"].get("annotations", {})


def container(pod_owner: Object) -> Object:
    """The only container of a Deployment or a Job."""
    (one,) = pod_owner["spec"]["template"]["spec"]["containers"]
    found: Object = one
    return found


def granted(rules: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The verbs that rules grant, by kind ("plural.group")."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                kind = f"{resource}.{group}" if group else resource
                found.setdefault(kind, set()).update(rule["verbs"])
    return found
