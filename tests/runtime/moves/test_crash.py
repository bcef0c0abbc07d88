"""The controller dies at every call of a move in turn: nothing is lost, and nothing stays behind."""

from collections.abc import Callable, Sequence

import pytest

from tests.runtime.crashing import (
    HOW,
    TABLE,
    Step,
    deploy,
    hosts,
    leads_to,
    play_all,
    routed_by,
    routed_to,
    versions,
)
from tests.runtime.harness import Bed, gateway, isvc, vs
from tests.toys.hosts import KNATIVE_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

MOVES: tuple[Step, ...] = (
    (deploy, lambda bed: bed.split() == "wisdom-0 100%"),
    (lambda bed: bed.policy(router="toy-table"), lambda bed: routed_by(bed, "ConfigMap")),
    (lambda bed: bed.policy(), lambda bed: routed_by(bed, "ServiceEntry", "VirtualService")),
)


ENVIRONMENTS: tuple[Step, ...] = (
    (versions, lambda bed: leads_to(bed, INFERENCE_SERVICE)),
    (
        lambda bed: bed.policy(targetEnv="toy-hosts"),
        lambda bed: bed.condition("Routed") == ("False", "Moving"),
    ),
    (lambda bed: bed.ready("wisdom-0", False), lambda bed: routed_to(bed) == {isvc("wisdom-1")}),
    (
        lambda bed: bed.ready("wisdom-0"),
        lambda bed: routed_to(bed) == {isvc("wisdom-0"), isvc("wisdom-1")},
    ),
    (hosts, lambda bed: leads_to(bed, KNATIVE_SERVICE)),
    (lambda bed: bed.policy(), lambda bed: leads_to(bed, INFERENCE_SERVICE)),
)
BOTH: tuple[Step, ...] = (
    (versions, lambda bed: leads_to(bed, INFERENCE_SERVICE)),
    (hosts, lambda bed: True),
    (
        lambda bed: bed.policy(targetEnv="toy-hosts", router="toy-table"),
        lambda bed: routed_by(bed, "ConfigMap") and leads_to(bed, KNATIVE_SERVICE),
    ),
    (lambda bed: bed.policy(), lambda bed: not bed.exists(TABLE) and leads_to(bed, INFERENCE_SERVICE)),
)


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_it_dies_while_a_policy_moves_to_another_router_and_back(
    make_bed: Callable[[], Bed], how: dict[str, bool]
) -> None:
    """Nothing of either stays behind, the shared Gateway included."""
    play_all(make_bed, MOVES, **how)


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
@pytest.mark.parametrize("steps", [ENVIRONMENTS, BOTH], ids=["environment", "with the router"])
def test_it_dies_while_a_policy_moves_to_another_environment_and_back(
    make_bed: Callable[[], Bed], steps: Sequence[Step], how: dict[str, bool]
) -> None:
    """The former versions serve until the others can, come and go with their readiness, and are then let go."""
    play_all(make_bed, steps, **how)


NAMED = {"istio": {"externalGateway": "public"}}


def _named(bed: Bed, there: str, gone: str) -> bool:
    return (
        bed.exists(vs())
        and bed.get(vs())["spec"]["gateways"][0] == there
        and not bed.exists(gateway(gone))
        and bed.condition("Routed") == ("True", "InForce")
    )


RENAMED: tuple[Step, ...] = (
    (versions, lambda bed: leads_to(bed, INFERENCE_SERVICE)),
    (lambda bed: bed.policy(config=NAMED), lambda bed: _named(bed, "public", "mm-gateway")),
    (lambda bed: bed.policy(), lambda bed: _named(bed, "mm-gateway", "public")),
)


def _there_and_back(bed: Bed) -> None:
    bed.policy(router="toy-table")
    bed.sleep(0.3)
    bed.policy()


def _there_back_and_there(bed: Bed) -> None:
    _there_and_back(bed)
    bed.sleep(0.3)
    bed.policy(router="toy-table")


def _halted(bed: Bed) -> None:
    bed.policy()
    bed.sleep(0.2)
    bed.policy(suspend=True)
    bed.sleep(0.5)
    bed.policy(config=NAMED)


HEELS: tuple[Step, ...] = (
    (versions, lambda bed: leads_to(bed, INFERENCE_SERVICE)),
    (
        _there_and_back,
        lambda bed: not bed.exists(TABLE) and leads_to(bed, INFERENCE_SERVICE),
    ),
    (
        _there_back_and_there,
        lambda bed: routed_by(bed, "ConfigMap") and not bed.exists(vs()) and not bed.exists(gateway()),
    ),
    (_halted, lambda bed: not bed.exists(TABLE) and _named(bed, "public", "mm-gateway")),
)


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
@pytest.mark.parametrize("steps", [RENAMED, HEELS], ids=["renamed", "heels"])
def test_it_dies_while_moves_follow_one_another(
    make_bed: Callable[[], Bed], steps: Sequence[Step], how: dict[str, bool]
) -> None:
    play_all(make_bed, steps, **how)
