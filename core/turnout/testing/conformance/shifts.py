"""Shifts of traffic as gates are asked about them, and notifiers told of them."""

from turnout.plugin import Shift
from turnout.testing.builders import FRONTEND
from turnout.testing.conformance import plans

_AFTER = (
    "weights 20/80",
    "everything to wisdom-1",
    "the header x-tier exact gold",
    "a mirror of 50%",
    "two frontends",
    "a Service of namespace a",
)


def shifts() -> tuple[tuple[str, Shift], ...]:
    """Shifts, each with what it is about. `before` is never None: of first routes nobody is asked."""
    known = {sample.about: sample.plan for sample in plans.samples(FRONTEND)}
    before = known["everything to wisdom-0"]
    held = {version.name for version in before.versions()}
    found = []
    for about in _AFTER:
        names = [version.name for version in known[about].versions()]
        gaining = tuple(name for name in names if name not in held) or tuple(names)
        reasons = dict.fromkeys(names, "by weight")
        found.append((about, Shift(known[about].policy, before, known[about], gaining, reasons)))
    rare = [(one.about, one.plan) for one in plans.rare(FRONTEND)]
    found += ((about, Shift(plan.policy, plan, plan, (plan.policy.primary,))) for about, plan in rare)
    return tuple(found)
