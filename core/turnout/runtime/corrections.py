"""Compares what was written with what is found, and tells when someone else has changed it."""

import logging

from turnout.decision.drift import difference
from turnout.decision.objects import Entry
from turnout.decision.render import Rendered
from turnout.plugin import Ref
from turnout.reasons import Reason
from turnout.runtime.contention import Contention
from turnout.runtime.events import Event, Recorder, about_policy
from turnout.runtime.keys import PolicyKey

log = logging.getLogger(__name__)

ABSENT = "metadata"
"""Where an object differs that is not there."""


class Corrections:
    """For the objects of one writer. `contention` keeps it from putting them back as fast as it can."""

    def __init__(self, recorder: Recorder) -> None:
        self.contention = Contention()
        self._recorder = recorder
        # What the API server made of a body, where it fills in fields: no difference, then.
        self._normal: dict[Ref, tuple[bytes, bytes]] = {}

    def differs(self, item: Rendered, known: Entry | None) -> str | None:
        """The path at which an object differs from what it should be, its owners aside."""
        if known is None or known.written is None:
            return ABSENT
        differs = difference(item, known)
        normal = self._normal.get(item.ref) == (item.canonical, known.written.body)
        return None if differs and normal and not differs.startswith("metadata") else differs

    def applied(self, item: Rendered, made: Entry) -> None:
        """Note what came of a write."""
        self._normal[item.ref] = (item.canonical, made.written.body if made.written else b"")

    def wrote(self, item: Rendered) -> bool:
        """Whether just this was written by this process, and last."""
        return self._normal.get(item.ref, (b"",))[0] == item.canonical

    def tell(self, key: PolicyKey, uid: str, ref: Ref, differs: str) -> None:
        """Tell that an object is put right, as a warning and an event of a policy that wants it."""
        absent = differs == ABSENT
        told = f"{ref} was deleted" if absent else f"{ref} was changed at {differs} and is put back"
        log.warning("%s: %s", key, told, extra={"policy": str(key), "route": str(ref)})
        about = about_policy(key.namespace, key.name)
        self._recorder.record(Event(about, uid, Reason.CORRECTED, told, warning=True))

    def forget(self, ref: Ref) -> None:
        """The object is nobody's any more."""
        self._normal.pop(ref, None)
        self.contention.forget(ref)
