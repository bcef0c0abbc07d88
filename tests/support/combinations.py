"""Every environment with every strategy and every router, decided with both versions ready."""

from itertools import product

from tests.decision.world import REGISTRY, World, knative
from turnout.calling import Calls
from turnout.decision.accept import Refused
from turnout.decision.fit import left_out
from turnout.decision.render import Rendered, render
from turnout.reasons import Reason

KNATIVE = "kserve in Knative mode"
"""Its versions are reached otherwise than those in Standard mode, which "kserve" stands for."""
ENVIRONMENTS = (*REGISTRY.environments, KNATIVE)
COMBINATIONS = list(product(ENVIRONMENTS, REGISTRY.strategies, REGISTRY.routers))


def decided(environment: str, strategy: str, router: str) -> dict[str, Rendered]:
    """What is written, by kind.

    Raises Refused for a combination that cannot work: the policy is refused, or a version left out.
    """
    named, addresses = ("kserve", knative) if environment == KNATIVE else (environment, None)
    world = World(strategy, environment=named, router=router, addresses=addresses)
    outcome = world.ready("wisdom-0", "wisdom-1").ask()
    for version in filter(left_out, outcome.versions):
        raise Refused(Reason(version.reason), [version.message])
    assert outcome.plan is not None
    return {item.ref.kind.kind: item for item in render(outcome.plan, world.accepted, Calls())}
