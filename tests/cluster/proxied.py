"""A fault proxy on a thread of its own, between one controller and the API server."""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from tests.support import ControlPlane, Credentials
from tests.support.faultproxy import FaultProxy
from tests.support.identities import kubeconfig


class Proxied:
    """`kubeconfig` leads an account through `proxy`, until `close`."""

    def __init__(
        self,
        control_plane: ControlPlane,
        account: Credentials,
        directory: Path,
        *,
        namespace: str = "default",
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self.proxy = FaultProxy(control_plane.url, control_plane.ca_file)
        self._do(self.proxy.__aenter__())
        self.kubeconfig = directory / "proxied.kubeconfig"
        self.kubeconfig.write_text(kubeconfig(self.proxy.url, token=account.token, namespace=namespace))

    def close(self) -> None:
        self._do(self.proxy.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def refuse(self) -> None:
        """Refuse new connections and reset the open ones, until `accept`."""
        self._do(self.proxy.refuse())

    def accept(self) -> None:
        self._do(self.proxy.accept())

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)
