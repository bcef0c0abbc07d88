"""What a controller tells of its work as it happens, for whoever counts it."""

from turnout.plugin import Kind
from turnout.runtime.keys import Key, PolicyKey

RAISED = "Raised"
"""How a plugin failed: it raised, or returned what is no answer."""
TIMED_OUT = "TimedOut"
"""It did not answer in its time."""


class Observer:
    """Takes no notice. `turnout.runtime.metrics` counts; each method may be called very often."""

    def called(self, verb: str, kind: Kind, status: int, seconds: float) -> None:
        """The API server was asked. `status`: 0 without an answer. `seconds`: until its head."""

    def reconciled(self, key: Key, seconds: float) -> None:
        """A reconcile has ended, well or badly."""

    def failed(self, key: Key, reason: str) -> None:
        """A reconcile could not do what was to be done. `reason`: in CamelCase, one of a few dozen."""

    def retried(self, key: Key) -> None:
        """A key is repeated with backoff."""

    def began_to_work(self) -> None:
        """A controller reconciles from now on; one that stands by begins once it leads."""

    def shifted(self, key: PolicyKey) -> None:
        """A policy's calls go elsewhere than before."""

    def watch_ended(self, kind: Kind, how: str) -> None:
        """A list and watch of a kind is over, and is begun anew. `how`: one of a few words in CamelCase."""

    def released(self, *, timed_out: bool) -> None:
        """A deleted version was let go; `timed_out`: while calls of it may fail."""

    def plugin_failed(self, plugin: str, how: str) -> None:
        """A plugin did not answer as it should. `how`: RAISED or TIMED_OUT."""
