"""Whether a controller is alive, and whether it knows all that it needs: what probes of the pod ask."""

from dataclasses import dataclass

from turnout.runtime.cache import Watch
from turnout.runtime.controller import Controller
from turnout.runtime.reflector import Cause

SILENT = 100.0
"""Seconds without a word after which a watch is not alive. Each ends after 75 s at most, and begins anew."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`problems`: what keeps a controller from being ready. `warnings`: what only some policies wait for."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return not self.problems


def alive(controller: Controller | None) -> bool:
    """Whether the controller is at work, or about to be; that the event loop turns shows by itself."""
    return controller is None or not controller.failed


def readiness(controller: Controller | None) -> Readiness:
    """A kind that is not installed, or that may not be read, stops only the policies that need it.

    Not so policies and weights, which all need.
    """
    if controller is None or not controller.own_watches:
        return Readiness(("the controller is starting",))
    problems: list[str] = []
    warnings: list[str] = []
    for watch in controller.watches:
        if trouble := _trouble(watch):
            about = watch.cache.problem and watch.cache.problem.cause is not Cause.UNREACHABLE
            told = warnings if about and watch not in controller.own_watches else problems
            told.append(f"{watch}: {trouble}")
    return Readiness(tuple(problems), tuple(warnings))


def _trouble(watch: Watch) -> str:
    """What is wrong, in words of ours: an API server's may tell more than a probe needs to know."""
    silence = watch.reflector.silence()
    if watch.cache.problem:
        return str(watch.cache.problem.cause)
    if not watch.cache.filled:
        return "not read yet"
    return f"nothing heard for {silence:.0f} s" if silence > SILENT else ""
