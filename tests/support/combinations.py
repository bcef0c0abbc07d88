"""Every environment with every strategy and every router, decided with both versions ready."""

from itertools import product

from tests.decision.world import REGISTRY, World, knative
from turnout.calling import Calls
from turnout.decision.render import Rendered, render

KNATIVE = "kserve in Knative mode"
"""Its versions are reached otherwise than those in Standard mode, which "kserve" stands for."""
ENVIRONMENTS = (*REGISTRY.environments, KNATIVE)
COMBINATIONS = list(product(ENVIRONMENTS, REGISTRY.strategies, REGISTRY.routers))


def decided(environment: str, strategy: str, router: str) -> dict[str, Rendered]:
    """What is written, by kind. Raises Refused for a combination that cannot work."""
    named, addresses = ("kserve", knative) if environment == KNATIVE else (environment, None)
    world = World(strategy, environment=named, router=router, addresses=addresses)
    plan = world.ready("wisdom-0", "wisdom-1").ask().plan
    assert plan is not None
    return {item.ref.kind.kind: item for item in render(plan, world.accepted, Calls())}
