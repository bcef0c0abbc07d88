"""A plugin's options: the administrator's defaults, then the policy's, then the administrator's fixed values."""

from typing import Any

import pytest

from tests.toys import ToyHosts
from tests.toys.hosts import ToyHostsOptions
from turnout.plugin import Options
from turnout.settings import Settings


class Required(Options):
    port: int
    server_name: str = "a"


class Needy(ToyHosts):
    options: Any = Required


def settings(*, defaults: dict[str, Any] | None = None, fixed: dict[str, Any] | None = None) -> Settings:
    return Settings.of({"plugins": {"toy-hosts": {"defaults": defaults or {}, "fixed": fixed or {}}}})


def options(settings: Settings, **given: Any) -> Options:
    found, problems = settings.options_for(ToyHosts(), given)
    assert not problems
    assert found is not None
    return found


def problems(settings: Settings, given: dict[str, Any]) -> list[str]:
    found, faults = settings.options_for(ToyHosts(), given)
    assert found is None
    return [str(fault) for fault in faults]


def test_the_models_own_defaults_come_last() -> None:
    assert options(Settings()) == ToyHostsOptions(gateway="knative-local-gateway", port=80)


def test_the_administrators_defaults_replace_the_models() -> None:
    assert options(settings(defaults={"port": 8080})) == ToyHostsOptions(port=8080)


def test_the_policy_replaces_the_administrators_defaults() -> None:
    assert options(settings(defaults={"port": 8080}), port=9090) == ToyHostsOptions(port=9090)


def test_a_fixed_value_holds_where_the_policy_says_nothing() -> None:
    assert options(settings(fixed={"port": 8080}), gateway="mine") == ToyHostsOptions(
        gateway="mine", port=8080
    )


@pytest.mark.parametrize("same", [8080, "8080", 8080.0])
def test_a_policy_may_repeat_a_fixed_value(same: Any) -> None:
    assert options(settings(fixed={"port": 8080}), port=same) == ToyHostsOptions(port=8080)


def test_a_policy_may_not_say_otherwise() -> None:
    assert problems(settings(fixed={"port": 8080}), {"port": 80}) == [
        "spec.config.toy-hosts.port: found 80, expected 8080, which the administrator has fixed"
    ]


def test_what_a_policy_asks_must_be_valid_even_where_it_is_fixed() -> None:
    assert problems(settings(fixed={"port": 8080}), {"port": "x"}) == [
        'spec.config.toy-hosts.port: found "x", expected an integer 1..65535'
    ]


def test_an_unknown_option_gets_a_hint() -> None:
    assert problems(Settings(), {"prt": 80}) == [
        'spec.config.toy-hosts: unknown field "prt"; did you mean "port"?'
    ]


def test_options_have_only_their_key_of_the_document() -> None:
    _, faults = Settings.of({}).options_for(Needy(), {"port": 80, "server_name": "b"})

    assert [str(fault) for fault in faults] == [
        'spec.config.toy-hosts: unknown field "server_name"; did you mean "serverName"?'
    ]


def test_what_the_administrator_got_wrong_is_the_administrators() -> None:
    assert problems(settings(defaults={"port": "x"}, fixed={"gatway": "y"}), {}) == [
        'settings plugins.toy-hosts.defaults.port: found "x", expected an integer 1..65535',
        'settings plugins.toy-hosts.fixed: unknown field "gatway"; did you mean "gateway"?',
    ]


def test_an_option_without_a_default_may_come_from_either() -> None:
    found, _ = settings(fixed={"port": 8080}).options_for(Needy(), {"serverName": "b"})

    assert found == Required(port=8080, server_name="b")


def test_an_option_that_nobody_gives_is_missing() -> None:
    _, faults = settings(defaults={"serverName": "b"}).options_for(Needy(), {})

    assert [str(fault) for fault in faults] == ["spec.config.toy-hosts.port: missing, expected an integer"]
