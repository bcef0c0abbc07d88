"""Networks that can carry calls on this machine, offered by routers' distributions.

An entry point of the group `turnout.local` has the name of a router, and leads to a class: without
arguments it makes a Network that follows this router's routes.
"""

from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from turnout.registry import Registry

GROUP = "turnout.local"
EXTRA = "pip install 'turnout[demo]'"


class Network(Protocol):
    """A proxy on the loopback interface. Its methods block, for moments."""

    @property
    def address(self) -> str:
        """Where clients call, as host:port, once it has been started."""

    @property
    def log(self) -> Path:
        """What it has said."""

    def apply(self, document: Any) -> None:
        """Follow a route from now on. Raises RuntimeError and TimeoutError."""

    def start(self) -> None:
        """Begin, with the routes that it has been given. Raises RuntimeError and TimeoutError."""

    def stop(self) -> None:
        """End. It may be that it was never started."""


def find(registry: Registry) -> tuple[str, Network] | None:
    """The first network whose programs are installed, and the router to which it belongs.

    None without gRPC as well, which the calls need.
    """
    if find_spec("grpc") is None:
        return None
    for entry_point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        if entry_point.name in registry.routers:
            try:
                return entry_point.name, entry_point.load()()
            except (ImportError, FileNotFoundError):
                continue
    return None
