"""Finding the binaries and CRDs of the control plane, without building any.

KUBEBUILDER_ASSETS, envtest's own convention, comes first; then what `tools/testbed.py` has built: the group
`cluster`, or the one that TURNOUT_CLUSTER names.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TESTBED = REPOSITORY / "tools" / "testbed.py"


class AssetsMissingError(Exception):
    """Something the tests need is not on this machine; the text names the command that gets it."""


@dataclass(frozen=True)
class Assets:
    """Where everything is. The keys of `crds` are what `ControlPlane.install_crds` accepts."""

    kube_apiserver: Path
    etcd: Path
    kubectl: Path
    kube_controller_manager: Path | None
    crds: Mapping[str, Path]
    pinned: bool
    """Whether the binaries are those of `tools/versions.toml`, and not the user's own choice."""


def find_assets() -> Assets:
    """Return what there is to run; raises AssetsMissingError where a control plane cannot."""
    cluster, crds = _testbed(os.environ.get("TURNOUT_CLUSTER", "cluster")), _testbed("crds")
    chosen = os.environ.get("KUBEBUILDER_ASSETS")
    binaries = Path(chosen) if chosen else cluster / "bin"
    missing = [n for n in ("kube-apiserver", "etcd", "kubectl") if not (binaries / n).is_file()]
    if missing and chosen:
        raise AssetsMissingError(f"KUBEBUILDER_ASSETS={chosen} lacks {', '.join(missing)}")
    if missing:
        raise AssetsMissingError("no API server to test against; get one: python tools/testbed.py")
    managers = (binaries / "kube-controller-manager", cluster / "bin" / "kube-controller-manager")
    places = (cluster / "crds", _testbed("cluster") / "crds", crds / "crds")
    foreign = next((path for path in places if (path / "istio.yaml").is_file()), places[-1])
    return Assets(
        kube_apiserver=binaries / "kube-apiserver",
        etcd=binaries / "etcd",
        kubectl=binaries / "kubectl",
        kube_controller_manager=next((path for path in managers if path.is_file()), None),
        crds={
            "gateway-api": foreign / "gateway-api",
            "istio": foreign / "istio.yaml",
            "kserve": foreign / "kserve",
            "kserve-0.15": foreign / "kserve-0.15",
            "turnout": REPOSITORY / "core" / "turnout" / "crds",
        },
        pinned=not chosen,
    )


@dataclass(frozen=True)
class MeshAssets:
    """What carries traffic on top of a control plane."""

    pilot_discovery: Path
    istioctl: Path
    envoy: Path


def find_envoy() -> Path:
    """Return Envoy, which needs nothing else; raises AssetsMissingError without it."""
    envoy = _testbed("mesh") / "bin" / "envoy"
    if not envoy.is_file():
        raise AssetsMissingError("no Envoy to test with; get one: python tools/testbed.py --group mesh")
    return envoy


def find_helm() -> Path:
    """Return helm, which renders the chart without a cluster; raises AssetsMissingError without it."""
    helm = _testbed("helm") / "bin" / "helm"
    if not helm.is_file():
        raise AssetsMissingError(
            "no helm to test the chart with; get it: python tools/testbed.py --group helm"
        )
    return helm


def find_mesh_assets() -> MeshAssets:
    """Return what there is to run; raises AssetsMissingError where a mesh cannot."""
    binaries = _testbed("mesh") / "bin"
    missing = [name for name in ("pilot-discovery", "istioctl", "envoy") if not (binaries / name).is_file()]
    if missing:
        raise AssetsMissingError("no istiod to test against; get one: python tools/testbed.py --group mesh")
    return MeshAssets(binaries / "pilot-discovery", binaries / "istioctl", binaries / "envoy")


def find_promtool() -> Path:
    """Return Prometheus' own tool, which knows its query language; raises AssetsMissingError without it."""
    promtool = _testbed("prometheus") / "bin" / "promtool"
    if not promtool.is_file():
        raise AssetsMissingError("no promtool; get it: python tools/testbed.py --group prometheus")
    return promtool


def find_crds(name: str) -> Path:
    """Return a file or folder of CRDs in the test bed, such as "istio.yaml"; no binaries are needed."""
    places = [_testbed(group) / "crds" / name for group in ("cluster", "crds")]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise AssetsMissingError(f"no CRDs {name}; get them with Go: python tools/testbed.py --group crds")
    return found


def pinned_version(module: str) -> str:
    """Return the version at which `tools/versions.toml` pins a Go module, such as "v1.35.4"."""
    pins = tomllib.loads(TESTBED.with_name("versions.toml").read_text(encoding="utf-8"))
    version: str = pins["modules"][module]
    return version


def _testbed(group: str) -> Path:
    command: list[str | Path] = [sys.executable, TESTBED, "--print-path", "--group", group]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
