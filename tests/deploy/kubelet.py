"""Plays the part of controllers and kubelets for a release: its pods run, and so does its Job."""

import contextlib
import json
import threading
from pathlib import Path

from tests.cluster.controller import Process
from tests.deploy.chart import Object
from tests.deploy.installation import Installation
from tests.support import ControlPlane


class Kubelet:
    """Runs one pod for the Deployment `turnout` of a namespace, anew for each change of it, until `stop`."""

    def __init__(self, control_plane: ControlPlane, namespace: str, directory: Path) -> None:
        self._installation = Installation(control_plane, namespace, directory)
        self._pod: Process | None = None
        self._template: Object | None = None
        self._generations = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet")
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._installation.close()

    def _run(self) -> None:
        done = ""
        while not self._stopped.wait(0.3):
            self._follow(self._installation.get("deployment", "turnout"))
            job = self._installation.get("job", "turnout-release")
            if job and job["metadata"]["uid"] != done:
                done = job["metadata"]["uid"]
                self._installation.run_release_job()

    def _follow(self, deployment: Object) -> None:
        template = deployment.get("spec", {}).get("template")
        if template != self._template:
            if self._pod:
                self._pod.terminate()
                self._pod.wait()
                self._pod = None
            self._template = template
            self._generations += 1
            with contextlib.suppress(AssertionError, LookupError):  # it may have gone already, or its account
                self._pod = self._installation.start(f"turnout-{self._generations}") if template else None
        if self._pod:
            self._report(deployment)

    def _report(self, deployment: Object) -> None:
        """All replicas are up to date and available."""
        generation, wanted = deployment["metadata"]["generation"], deployment["spec"]["replicas"]
        if deployment.get("status", {}).get("observedGeneration") == generation:
            return
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status = {"observedGeneration": generation, **dict.fromkeys(counts, wanted)}
        how = ("--subresource=status", "--type=merge", f"--patch={json.dumps({'status': status})}")
        self._installation.kubectl("patch", "deployment", "turnout", *how, check=False)
