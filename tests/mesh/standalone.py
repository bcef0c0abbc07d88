"""An Envoy without a mesh, whose routes come from a ConfigMap of the cluster."""

import json
import threading
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from tests.support import ControlPlane
from tests.support.waiting import fetch
from turnout_envoy.local import LocalEnvoy

DATA = '--output=jsonpath={.data}{"\\n"}'


class Standalone:
    """Follows the ConfigMap of the model wisdom, as a pod would that mounts it. It starts with the routes.

    `resolver`: where names of Services are looked up.
    """

    def __init__(
        self, control_plane: ControlPlane, namespace: str, program: Path, resolver: tuple[str, int]
    ) -> None:
        self._envoy = LocalEnvoy(program, resolver=resolver)
        self._running = False
        self._watch = control_plane.watching(
            *("configmaps", "--field-selector=metadata.name=wisdom-envoy", DATA, f"--namespace={namespace}")
        )
        self._thread = threading.Thread(target=self._follow, name="kubelet", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._watch.kill()
        self._watch.wait()
        self._thread.join(10)
        assert self._watch.stdout
        self._watch.stdout.close()
        self._envoy.stop()

    @property
    def address(self) -> str:
        """Where it listens, as host:port. Nobody does before there are routes."""
        return self._envoy.address

    def routes(self) -> list[dict[str, Any]]:
        """The route configurations in force."""
        if not self._running:
            return []
        try:
            dumped = json.loads(
                fetch(f"http://{self._envoy.admin}/config_dump?resource=dynamic_route_configs")
            )
        except HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:  # it has none yet
                return []
            raise
        return [config["route_config"] for config in dumped.get("configs", ())]

    def _follow(self) -> None:
        assert self._watch.stdout
        for line in self._watch.stdout:
            if data := line.strip():
                self._envoy.apply({"kind": "ConfigMap", "data": json.loads(data)})
                if not self._running:
                    self._envoy.start()
                    self._running = True
