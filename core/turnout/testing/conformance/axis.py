"""What holds for environments, strategies and routers alike: they are pure, and may refuse policies."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from turnout.api.models import RoutingPolicySpec
from turnout.plugin import Policy
from turnout.shapes import DNS_LABEL
from turnout.shown import shown
from turnout.testing.conformance.calls import Call, answer
from turnout.testing.conformance.policies import policies
from turnout.testing.conformance.pure import PureConformance
from turnout.testing.conformance.suite import PluginT


class AxisConformance(PureConformance[PluginT]):
    """What holds for environments, strategies and routers alike: they are pure, and may refuse policies."""

    refused: ClassVar[Sequence[Policy]] = ()
    """Policies that the plugin's `check` has to find faults in, under the first of `options`."""

    examples: ClassVar[int] = 100
    """How many objects of any shape are tried where hypothesis is installed."""

    def calls_of_all(self) -> Iterator[Call]:
        """Calls of the methods that all axes have."""
        yield from self._checks()
        yield from self._reaches()

    def _checks(self) -> Iterator[Call]:
        for label, options in self.parsed():
            for about, policy in (*policies(), *(("a policy to be refused", one) for one in self.refused)):
                yield Call(f"check of {about} with options {label}", "check", (policy, options))

    def _reaches(self) -> Iterator[Call]:
        for label, options in self.parsed():
            yield Call(f"reaches with options {label}", "reaches", (options,))

    def test_faults_name_a_field_of_the_policy(self) -> None:
        """What `check` returns are Faults, each with the path of a field of the policy; it does not raise."""
        known = [f"spec.{field.validation_alias}" for field in RoutingPolicySpec.model_fields.values()]
        for call in self._checks():
            self.check_faults(call, known)

    def test_policies_are_refused(self) -> None:
        """`check` finds faults in the policies that the suite says it has to refuse."""
        _, options = self.parsed()[0]
        rule = "this suite's `refused`"
        for policy in self.refused:
            call = Call(f"check of {policy}", "check", (policy, options))
            if not self.faults_of(call, "a Fault", rule):
                raise self.fault(call.where, "no fault", "one at least", rule)

    def test_what_it_reaches_is_named_by_an_option(self) -> None:
        """`reaches` names options of the plugin, each with a namespace; it does not raise."""
        rule = "turnout.plugin.Plugin.reaches"
        calls = list(self._reaches())
        known = {field.alias or name for name, field in self.plugin.options.model_fields.items()}
        for call in calls:
            found = answer(self.plugin, call)
            for pair in found if isinstance(found, list) else [found]:
                match pair:
                    case [str(option), str(namespace)] if option in known and DNS_LABEL.fullmatch(namespace):
                        continue
                expected = f"pairs of an option, one of {', '.join(sorted(known)) or 'none'}, and a namespace"
                raise self.fault(call.where, shown(str(pair)), expected, rule)
