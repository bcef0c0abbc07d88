"""What holds for environments, strategies and routers alike: they are pure, and may refuse policies."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any, ClassVar

from turnout.api.models import RoutingPolicySpec
from turnout.calling import describe
from turnout.plugin import Fault, Policy
from turnout.shapes import DNS_LABEL
from turnout.shown import shown
from turnout.testing.conformance import elsewhere
from turnout.testing.conformance.calls import Call, answer, difference, plain
from turnout.testing.conformance.policies import policies
from turnout.testing.conformance.suite import Conformance, PluginT
from turnout.testing.conformance.watching import watched

PURE = "turnout.plugin.interfaces: methods of the axes are pure"


class AxisConformance(Conformance[PluginT]):
    """What holds for environments, strategies and routers alike: they are pure, and may refuse policies."""

    refused: ClassVar[Sequence[Policy]] = ()
    """Policies that the plugin's `check` has to find faults in, under the first of `options`."""

    examples: ClassVar[int] = 100
    """How many objects of any shape are tried where hypothesis is installed."""

    def calls(self) -> Iterator[Call]:
        """Calls of all the methods that are pure, with arguments as core would give them."""
        raise NotImplementedError

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
        rule = "turnout.plugin.Fault"
        known = [f"spec.{field.validation_alias}" for field in RoutingPolicySpec.model_fields.values()]
        expected = 'Faults such as Fault("spec.modelVersions[1].weight", "found 200, expected 0..100")'
        for call in self._checks():
            for fault in self._faults(call, expected, rule):
                if not isinstance(fault, Fault) or not (fault.path and fault.message):
                    raise self.fault(call.where, shown(str(fault)), expected, rule)
                if not any(_under(fault.path, field) for field in known):
                    found = f'the path "{fault.path}"'
                    raise self.fault(call.where, found, "one that begins with a field of a policy", rule)

    def test_policies_are_refused(self) -> None:
        """`check` finds faults in the policies that the suite says it has to refuse."""
        _, options = self.parsed()[0]
        rule = "this suite's `refused`"
        for policy in self.refused:
            call = Call(f"check of {policy}", "check", (policy, options))
            if not self._faults(call, "a Fault", rule):
                raise self.fault(call.where, "no fault", "one at least", rule)

    def test_what_it_reaches_is_named_by_an_option(self) -> None:
        """`reaches` names options of the plugin, each with a namespace; it does not raise."""
        rule = "turnout.plugin.Plugin.reaches"
        known = {field.alias or name for name, field in self.plugin.options.model_fields.items()}
        for call in self._reaches():
            found = answer(self.plugin, call)
            for pair in found if isinstance(found, list) else [found]:
                match pair:
                    case [str(option), str(namespace)] if option in known and DNS_LABEL.fullmatch(namespace):
                        continue
                expected = f"pairs of an option, one of {', '.join(sorted(known)) or 'none'}, and a namespace"
                raise self.fault(call.where, shown(str(pair)), expected, rule)

    def _faults(self, call: Call, expected: str, rule: str) -> list[Any]:
        try:
            return list(self.plugin.check(*call.args))
        except Exception as error:
            raise self.fault(call.where, describe(error), expected, rule) from error

    def test_arguments_are_left_as_they_were(self) -> None:
        """No method changes what it is given."""
        for call in self.calls():
            before = plain(deepcopy(call.args))
            answer(self.plugin, call)
            if changed := difference(before, plain(call.args), "arguments"):
                raise self.fault(call.where, f"changed {changed}", "arguments as they were", PURE)

    def test_answers_do_not_depend_on_earlier_calls(self) -> None:
        """The same call has the same answer, whatever was asked before."""
        calls = list(self.calls())
        first = [answer(self.plugin, call) for call in calls]
        later = [answer(self.plugin, call) for call in reversed(calls)]
        self._compare(calls, first, reversed(later), "the second time", PURE)

    def test_answers_are_the_same_in_another_process(self) -> None:
        """The same call has the same answer in another process, where strings have other hashes."""
        calls = list(self.calls())
        here = [answer(self.plugin, call) for call in calls]
        try:
            others = elsewhere.answers(self.plugin, calls)
        except elsewhere.CannotTravel as error:
            raise self.skip(f"it cannot be sent to another process: {error}") from error
        rule = f"{PURE}; a restart must find what it has written"
        for there in others:
            self._compare(calls, here, there, "in another process, asked in another order", rule)

    def _compare(
        self, calls: Sequence[Call], one: Iterable[Any], other: Iterable[Any], when: str, rule: str
    ) -> None:
        for call, mine, theirs in zip(calls, one, other, strict=True):
            if found := difference(mine, theirs):
                raise self.fault(call.where, f"another answer {when}: {found}", "the same answer", rule)

    def test_calls_do_no_io(self) -> None:
        """No method reads or writes files, the network, the environment's variables, or tells the time."""
        if sys.getprofile() is not None:
            raise self.skip("a profiler is at work, without which this cannot be seen")
        for call in self.calls():
            with watched() as seen:
                answer(self.plugin, call)
            if seen:
                expected = "that it works with its arguments alone"
                raise self.fault(call.where, f"use of {', '.join(seen)}", expected, PURE)


def _under(path: str, field: str) -> bool:
    """Whether a path is that of a field, or of a part of it."""
    return path == field or path.startswith((f"{field}.", f"{field}["))
