"""Plugins are found by entry point, and what is wrong with one costs the others nothing."""

import sys

import pytest

from tests.toys.distributions import SitePackages
from turnout.loading import Registry, load, load_for
from turnout.settings import Settings

HEAD = """
from tests.toys import ToyHosts, ToyProbe, ToySteps, ToyTable
from tests.toys.naughty import OldSteps, Raises
from turnout.plugin import hookimpl
"""

GOOD = f"""{HEAD}
@hookimpl
def turnout_strategies():
    return [ToySteps()]
"""

BAD_IMPORTS = {
    "a missing library": ("import a_library_that_nobody_has", "ModuleNotFoundError"),
    "a syntax error": ("def broken(:", "SyntaxError"),
    "an exit": ("raise SystemExit('goodbye')", "SystemExit: goodbye"),
    "a generator exit": ("raise GeneratorExit", "GeneratorExit"),
}


def load_only(*distributions: str) -> Registry:
    return load(allow=distributions)


def test_built_in_plugins_are_found_like_all_others() -> None:
    registry = load_only("turnout")

    assert not registry.failures
    assert {one.name for one in registry} >= {"kserve-modelmesh", "blue-green", "canary", "mirror", "istio"}


def test_a_plugin_is_known_with_its_distribution(site_packages: SitePackages) -> None:
    site_packages.install("turnout-good", GOOD, version="2.3")

    registry = load_only("turnout-good")

    assert str(registry.strategies["toy-steps"]) == "toy-steps (turnout-good 2.3)"


@pytest.mark.parametrize(("source", "error"), BAD_IMPORTS.values(), ids=BAD_IMPORTS.keys())
def test_an_import_that_fails_leaves_the_others(site_packages: SitePackages, source: str, error: str) -> None:
    site_packages.install("turnout-bad", source)
    site_packages.install("turnout-good", GOOD)

    registry = load_only("turnout-bad", "turnout-good")

    (failure,) = registry.failures
    assert (failure.distribution, failure.entry_point) == ("turnout-bad", "plugin")
    assert '"turnout_bad" cannot be imported' in failure.message
    assert error in failure.message
    assert list(registry.strategies) == ["toy-steps"]


def test_one_entry_point_of_a_distribution_may_fail(site_packages: SitePackages) -> None:
    site_packages.install(
        "turnout-half", GOOD, entry_points={"broken": "tests.toys.broken_import", "good": "turnout_half"}
    )

    registry = load_only("turnout-half")

    assert [failure.entry_point for failure in registry.failures] == ["broken"]
    assert list(registry.strategies) == ["toy-steps"]


def test_control_c_while_loading_is_the_users(site_packages: SitePackages) -> None:
    site_packages.install("turnout-slow", "raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        load_only("turnout-slow")


@pytest.mark.parametrize("spelling", ["turnout-good", "Turnout_Good", "TURNOUT.good"])
def test_a_blocked_distribution_is_not_imported(site_packages: SitePackages, spelling: str) -> None:
    module = site_packages.install("turnout-good", GOOD)

    registry = load(block=[spelling])

    assert module not in sys.modules
    assert registry.skipped == ("turnout-good",)
    assert "toy-steps" not in registry.strategies


def test_a_distribution_that_the_list_does_not_allow_is_not_imported(site_packages: SitePackages) -> None:
    module = site_packages.install("turnout-good", GOOD)

    registry = load_only("turnout")

    assert module not in sys.modules
    assert "turnout-good" in registry.skipped


def test_blocking_is_stronger_than_allowing(site_packages: SitePackages) -> None:
    site_packages.install("turnout-good", GOOD)

    assert not list(load(allow=["turnout-good"], block=["turnout-good"]))


def test_settings_keep_out_by_distribution_and_then_by_name(site_packages: SitePackages) -> None:
    """What is kept out by name is imported: nobody knows its name before."""
    both = GOOD + "@hookimpl\ndef turnout_routers(): return [ToyTable()]\n"
    site_packages.install("turnout-good", both, version="2.3")
    lists = {"distributions": {"allow": ["turnout-good"]}, "pluginNames": {"block": ["toy-table"]}}

    registry = load_for(Settings.of(lists))

    assert [one.name for one in registry] == ["toy-steps"]
    assert [str(one) for one in registry.kept_out] == ["toy-table (turnout-good 2.3): pluginNames.block"]
    assert "turnout" in registry.skipped


def test_a_misspelt_hook_is_named_with_the_right_one(site_packages: SitePackages) -> None:
    site_packages.install("turnout-typo", GOOD + "@hookimpl\ndef turnout_router(): return []\n")

    registry = load_only("turnout-typo")

    (failure,) = registry.failures
    assert "unknown hook turnout_router; did you mean turnout_routers?" in failure.message
    assert list(registry.strategies) == ["toy-steps"]


def test_a_hook_of_a_later_turnout_may_be_declared_optional(site_packages: SitePackages) -> None:
    site_packages.install(
        "turnout-new", GOOD + "@hookimpl(optionalhook=True)\ndef turnout_oracles(): return []\n"
    )

    assert not load_only("turnout-new").failures


def test_a_hook_without_its_mark_is_an_error(site_packages: SitePackages) -> None:
    site_packages.install("turnout-bare", "def turnout_routers(): return []")

    (failure,) = load_only("turnout-bare").failures
    assert failure.message == "turnout_routers is not marked, expected @hookimpl above it"


def test_an_entry_point_without_hooks_is_an_error(site_packages: SitePackages) -> None:
    site_packages.install("turnout-empty", HEAD, entry_points={"plugin": "turnout_empty:ToySteps"})

    (failure,) = load_only("turnout-empty").failures
    assert "found no hook in" in failure.message
    assert "expected a module with a function turnout_environments or" in failure.message


def test_a_hook_that_asks_for_arguments_is_an_error(site_packages: SitePackages) -> None:
    site_packages.install(
        "turnout-args", "from turnout.plugin import hookimpl\n@hookimpl\ndef turnout_routers(x): ..."
    )

    (failure,) = load_only("turnout-args").failures
    assert "cannot be registered: PluginValidationError" in failure.message


def test_a_hook_that_raises_loses_only_its_own_results(site_packages: SitePackages) -> None:
    site_packages.install("turnout-half", GOOD + "@hookimpl\ndef turnout_routers(): raise SystemExit(3)\n")

    registry = load_only("turnout-half")

    assert [failure.message for failure in registry.failures] == ["turnout_routers raised SystemExit: 3"]
    assert list(registry.strategies) == ["toy-steps"]


def test_a_hook_that_yields_until_it_raises_registers_nothing(site_packages: SitePackages) -> None:
    source = (
        f"{HEAD}\n@hookimpl\ndef turnout_routers():\n    yield ToyTable()\n    raise ValueError('half way')\n"
    )
    site_packages.install("turnout-half", source)

    registry = load_only("turnout-half")

    assert not registry.routers
    assert registry.failures[0].message == "turnout_routers raised ValueError: half way"


RESULTS = {
    "nothing": ("None", "turnout_strategies returned None, expected an iterable of Strategy instances"),
    "no iterable": ("7", "turnout_strategies returned 7, expected an iterable of Strategy instances"),
    "a text": ("'toy'", "turnout_strategies returned 'toy', expected an iterable of Strategy instances"),
    "one plugin": ("ToySteps()", "turnout_strategies returned ToySteps <tests.toys.steps.ToySteps object"),
    "a class": ("[ToySteps]", "found the class ToySteps, expected an instance: ToySteps()"),
    "another axis": ("[ToyHosts()]", "expected an instance of turnout.plugin.Strategy"),
    "a repr that raises": ("[type('Odd', (), {'__repr__': lambda s: 1 / 0})()]", "found an instance of Odd"),
}


@pytest.mark.parametrize(("result", "message"), RESULTS.values(), ids=RESULTS.keys())
def test_a_result_that_is_no_plugin_is_named(site_packages: SitePackages, result: str, message: str) -> None:
    site_packages.install("turnout-odd", f"{HEAD}\n@hookimpl\ndef turnout_strategies(): return {result}\n")

    (failure,) = load_only("turnout-odd").failures

    assert message in failure.message


def test_an_async_hook_is_named(site_packages: SitePackages) -> None:
    site_packages.install(
        "turnout-async", f"{HEAD}\n@hookimpl\nasync def turnout_strategies(): return [ToySteps()]"
    )

    (failure,) = load_only("turnout-async").failures

    assert "turnout_strategies returned coroutine" in failure.message


def test_nonsense_beside_a_plugin_costs_only_itself(site_packages: SitePackages) -> None:
    site_packages.install(
        "turnout-mixed", f"{HEAD}\n@hookimpl\ndef turnout_strategies(): return [3, ToySteps()]"
    )

    registry = load_only("turnout-mixed")

    assert len(registry.failures) == 1
    assert list(registry.strategies) == ["toy-steps"]


def test_a_plugin_that_raises_when_called_is_loaded(site_packages: SitePackages) -> None:
    site_packages.install("turnout-later", f"{HEAD}\n@hookimpl\ndef turnout_strategies(): return [Raises()]")

    assert list(load_only("turnout-later").strategies) == ["toy-raises"]


def test_two_distributions_that_claim_a_name_both_lose_it(site_packages: SitePackages) -> None:
    site_packages.install("turnout-one", GOOD)
    site_packages.install("turnout-two", GOOD.replace("ToySteps()", "OldSteps()"))

    registry = load_only("turnout-one", "turnout-two")

    assert not registry.strategies
    assert [failure.distribution for failure in registry.failures] == ["turnout-one", "turnout-two"]
    assert registry.failures[0].message == (
        'the name "toy-steps" is claimed by turnout-one 1.0 (ToySteps) and turnout-two 1.0 (OldSteps): '
        "none of them is used; block or uninstall the other"
    )


def test_a_name_of_turnouts_own_stays_its_own(site_packages: SitePackages) -> None:
    site_packages.install(
        "turnout-rival", GOOD.replace("ToySteps()", "type('Mine', (ToySteps,), {'name': 'istio'})()")
    )

    registry = load_only("turnout", "turnout-rival")

    assert registry.router("istio").distribution == "turnout"
    assert [failure.distribution for failure in registry.failures] == ["turnout-rival"]
    assert "it stays turnout's" in registry.failures[0].message


PROBES = {
    "nothing": ("None", "turnout_probes returned None, expected an iterable of Probe instances"),
    "a class": ("[ToyProbe]", "found the class ToyProbe, expected an instance: ToyProbe()"),
    "a router": ("[ToyTable()]", "expected an instance of turnout.plugin.Probe"),
    "abstract": ("[Probe()]", "turnout_probes raised TypeError: Can't instantiate abstract class"),
    "a raise": ("1 / 0", "turnout_probes raised ZeroDivisionError"),
}


@pytest.mark.parametrize(("result", "message"), PROBES.values(), ids=PROBES.keys())
def test_a_probe_that_is_none_costs_only_itself(
    site_packages: SitePackages, result: str, message: str
) -> None:
    head = f"from turnout.plugin import Probe\n{GOOD}"
    site_packages.install("turnout-odd", f"{head}\n@hookimpl\ndef turnout_probes(): return {result}\n")

    registry = load_only("turnout-odd")

    (failure,) = registry.failures
    assert message in failure.message
    assert not registry.probes
    assert list(registry.strategies) == ["toy-steps"]


def test_a_probe_is_found_like_all_others(site_packages: SitePackages) -> None:
    site_packages.install("turnout-toys", f"{HEAD}\n@hookimpl\ndef turnout_probes(): return [ToyProbe()]\n")

    registry = load_only("turnout-toys")

    assert not registry.failures
    assert str(registry.probes["toy-probe"]) == "toy-probe (turnout-toys 1.0)"


def test_a_probe_with_the_name_of_a_router_is_none_of_them(site_packages: SitePackages) -> None:
    probe = "type('Table', (ToyProbe,), {'name': 'toy-table'})()"
    both = f"{HEAD}\n@hookimpl\ndef turnout_probes(): return [{probe}]\n"
    site_packages.install("turnout-both", both + "@hookimpl\ndef turnout_routers(): return [ToyTable()]\n")

    registry = load_only("turnout-both")

    assert not list(registry)
    assert len(registry.failures) == 2


def test_a_name_is_unique_over_the_axes(site_packages: SitePackages) -> None:
    both = GOOD.replace("ToySteps()", "type('Table', (ToySteps,), {'name': 'toy-table'})()")
    site_packages.install("turnout-both", both + "@hookimpl\ndef turnout_routers(): return [ToyTable()]\n")

    registry = load_only("turnout-both")

    assert not list(registry)
    assert len(registry.failures) == 2
