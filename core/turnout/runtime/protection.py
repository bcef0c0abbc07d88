"""Puts the drain finalizer on the objects of versions, before calls are sent to them."""

from turnout.decision.accept import Accepted
from turnout.decision.join import protects
from turnout.names import FINALIZER_DRAIN
from turnout.reasons import Reason
from turnout.runtime.context import Context, Retry
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.status import Verdict


async def protect(context: Context, accepted: Accepted, *, ready_only: bool = False) -> Verdict | None:
    """Protect the objects of the versions that a policy names, where they lack the finalizer.

    Ready or not: so a version that turns ready costs one write, that of its route. `ready_only` leaves
    the others for another time. Returns a verdict if it cannot be done: such a version gets no calls,
    and the others do. Raises Retry for objects that have changed since they were read, ApiError and
    ConnectionFailed.
    """
    if not accepted.drain:
        return None
    verdict = None
    for ref in (ref for refs in accepted.refs.values() for ref in refs):
        known = context.store.look(ref)
        if known is None or known.deleting or protects(known):
            continue
        if ready_only and not any(seen.ready for seen in known.observations.values()):
            continue
        now = context.clock.monotonic()
        if context.protections.wait(known.uid, now):
            told = f"{ref} keeps losing the finalizer {FINALIZER_DRAIN}: who takes it off?"
            verdict = Verdict(False, Reason.CONTENDED, told)
            continue
        try:
            await context.writer.protect(ref, known, accepted.policy.namespace)
            context.protections.corrected(known.uid, now)
        except ApiError as error:
            if error.status == 404 and not error.kind_missing:
                context.store.put(ref, None)
                continue
            if error.status in (409, 422):  # it has changed, or is being deleted
                found = await context.writer.reread(ref)
                if error.status == 409 or found is None or found.deleting or found.uid != known.uid:
                    raise Retry from None
            waits = classify(error) is Classified.WAIT
            told = f"{ref} lacks the finalizer {FINALIZER_DRAIN}, before which no route is led to it: {error}"
            verdict = Verdict(False, Reason.FORBIDDEN if waits else Reason.WRITE_FAILED, told)
    return verdict
