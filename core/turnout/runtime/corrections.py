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

    def corrected(self, key: PolicyKey, uid: str, item: Rendered, differs: str, now: float) -> None:
        """Count that an object was put right, and tell it: in the log, and by an event of a policy.

        To be called before `applied`. It is a warning, unless it may be nobody's doing: what this process has
        not written may be what another release or other settings have made of the same decision.
        """
        self.contention.corrected(item.ref, now)
        changed = self.wrote(item)
        if differs == ABSENT:
            told = f"{item.ref} was deleted"
        elif changed:
            told = f"{item.ref} was changed at {differs} and is put back"
        else:
            told = f"{item.ref} is not what would be written now, at {differs}, and is rewritten"
        warning = changed or differs == ABSENT
        level = logging.WARNING if warning else logging.INFO
        log.log(level, "%s: %s", key, told, extra={"policy": str(key), "route": str(item.ref)})
        about = about_policy(key.namespace, key.name)
        self._recorder.record(Event(about, uid, Reason.CORRECTED, told, warning=warning))

    def forget(self, ref: Ref) -> None:
        """The object is nobody's any more."""
        self._normal.pop(ref, None)
        self.contention.forget(ref)
