"""Environments say which versions the models' names in answers stand for."""

from collections import Counter

import pytest

from tests.toys import ToyHosts
from turnout.registry import Registry
from turnout.verification.naming import by_version, environments
from turnout_kserve_modelmesh.environment import KServeModelMesh

ANSWERS = Counter({"wisdom-0__isvc-0123456789": 2, "wisdom-0__isvc-abcdef0123": 3, "wisdom-1": 1})


class Failing(ToyHosts):
    name = "failing"

    def version_of(self, model: str) -> str:
        raise LookupError(model)


class Odd(ToyHosts):
    name = "odd"

    def version_of(self, model: str) -> str:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize("first", [Failing(), Odd(), ToyHosts()], ids=lambda one: one.name)
def test_who_has_another_name_for_it_decides(first: ToyHosts) -> None:
    """One that fails, or says nothing, is passed over."""
    assert by_version(ANSWERS, (first, KServeModelMesh())) == {"wisdom-0": 5, "wisdom-1": 1}
    assert by_version(ANSWERS, (first,)) == ANSWERS


def test_the_environment_of_a_policy_is_asked_alone() -> None:
    registry = Registry.of(ToyHosts(), KServeModelMesh())
    named = {"spec": {"targetEnv": "toy-hosts"}}
    assert [one.name for one in environments(named, registry)] == ["toy-hosts"]
    assert environments({"spec": {"targetEnv": "gone"}}, registry) == ()
    assert {one.name for one in environments(None, registry)} == {"toy-hosts", "kserve-modelmesh"}
