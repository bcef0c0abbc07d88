"""What all suites check: a plugin's shape, its name, and its options."""

import inspect
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from turnout import shapes
from turnout.calling import Calls, PluginError
from turnout.loading import load
from turnout.plugin import Options, Plugin
from turnout.settings import Settings
from turnout.shown import shown

PluginT = TypeVar("PluginT", bound=Plugin[Any])
T = TypeVar("T")

ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    -1,
    10**30,
    0.5,
    "",
    "no such value",
    [],
    ["x"],
    {},
    {"x": {"y": 1}},
)
"""What somebody may write where an option expects something else."""


class Needed:
    """An attribute that a subclass has to give. One check tells of all that is missing; the others skip."""

    def __init__(self, what: str, example: str) -> None:
        self.what = what
        self.example = example
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, suite: "Conformance[Any] | None", owner: type) -> Any:
        if suite is None:
            return self
        raise unittest.SkipTest(f"{owner.__name__} has no `{self.name}`")

    def lacking(self, value: object) -> str | None:
        """What is to be said of a value that is none."""
        if value is not self and (value or not isinstance(value, str | Mapping | Sequence | None)):
            return None
        found = "is missing" if value is self else f"found {value!r}"
        return f"{self.name}: {found}, expected {self.what}, such as {self.example}"


def needed(what: str, example: str) -> Any:
    """A stand-in for what a subclass has to give."""
    return Needed(what, example)


class Conformance(Generic[PluginT]):
    """What a suite is given, and how its checks complain."""

    plugin: PluginT = needed("an instance of your plugin", "plugin = MyPlugin()")
    """The plugin to check."""

    options: ClassVar[Sequence[Mapping[str, Any]]] = ({},)
    """Options to check it with, each as a policy's `spec.config` would give them."""

    axis: ClassVar[shapes.Axis]

    def fault(self, where: str, found: str, expected: str, rule: str) -> AssertionError:
        """What a check raises. `rule`: where it is written what is right."""
        return AssertionError(f"{self.plugin.name}, {where}: found {found}; expected {expected} ({rule})")

    def skip(self, why: str) -> unittest.SkipTest:
        """What a check raises that cannot tell."""
        return unittest.SkipTest(f"{getattr(self.plugin, 'name', self.plugin)}: {why}")

    def core(self, where: str, expected: str, rule: str, step: Callable[[], T]) -> T:
        """What a step of core gives, which finds the plugin's faults itself."""
        try:
            return step()
        except PluginError as error:
            raise self.fault(where, error.message, expected, rule) from error

    def parsed(self) -> list[tuple[str, Any]]:
        """The options as the plugin gets them, each with its document for messages."""
        if not self.options:
            raise self.skip("the suite has no `options` to check it with")
        if next(shapes.problems(self.plugin, self.axis), None):
            raise self.skip("it is no plugin yet, as test_it_is_a_plugin says")
        return [(shown(dict(document)), self.parse(document)) for document in self.options]

    def parse(self, document: Mapping[str, Any]) -> Options:
        """Options from their document."""
        parsed, problems = self._validate(document)
        if parsed is None:
            found = "; ".join(map(str, problems))
            raise self.fault(
                "the suite's options", found, "options that it accepts", "this suite's `options`"
            )
        return parsed

    def _validate(self, document: Mapping[str, Any]) -> tuple[Options | None, Sequence[Any]]:
        calls = Calls()
        return calls.to(self.plugin.name, Settings().options_for, self.plugin, document)

    def lacking(self) -> Iterator[str]:
        """What the subclass does not give, without which nothing or little is checked."""
        names = dict.fromkeys(name for base in reversed(type(self).__mro__) for name in vars(base))
        for name in names:
            stand_ins = (vars(base).get(name) for base in type(self).__mro__)
            if stand_in := next((one for one in stand_ins if isinstance(one, Needed)), None):
                told = stand_in.lacking(inspect.getattr_static(self, name))
                yield from (told,) if told else ()
        if not self.options:
            expected = "documents of options, such as options = ({},) for none"
            yield f"options: found {self.options!r}, expected {expected}"

    # checks

    def test_the_suite_has_what_it_needs(self) -> None:
        """The subclass gives what nothing can be checked without, each by its name and with an example."""
        if found := list(self.lacking()):
            told = "; ".join(found)
            raise AssertionError(f"{type(self).__name__}: {told} (turnout.testing.conformance)")

    def test_it_is_a_plugin(self) -> None:
        """An instance with a DNS label as its name, options that refuse unknown keys, no async methods."""
        for problem in shapes.problems(self.plugin, self.axis):
            raise AssertionError(f"{problem} (turnout.plugin.Plugin)")

    def test_its_name_is_its_own(self) -> None:
        """No other installed plugin of any axis has its name, by which `spec.config` is keyed."""
        if shapes.name_of(self.plugin) is None:
            raise self.skip("it has no name, as test_it_is_a_plugin says")
        registry = load()
        theirs = next((one for one in registry if one.name == self.plugin.name), None)
        told = next((one for one in registry.failures if one.plugin == self.plugin.name), None)
        if told or (theirs and type(theirs.plugin).__qualname__ != type(self.plugin).__qualname__):
            found = f'"{self.plugin.name}", which is {theirs}\'s too' if theirs else str(told)
            raise self.fault("name", found, "a name of its own", "turnout.plugin.Plugin.name")

    def test_wrong_options_are_refused_by_their_path(self) -> None:
        """An unknown key and a value of a wrong type are refused, with the path of the field."""
        rule = "turnout.plugin.Options"
        self.parsed()  # or there is nothing to begin from
        prefix = f"spec.config.{self.plugin.name}"
        fields = [str(field.validation_alias) for field in self.plugin.options.model_fields.values()]
        for document in self.options:
            for key in ("noSuchOption", *fields):
                for value in ODD_VALUES:
                    changed = {**document, key: value}
                    where = f"options {shown(changed)}"
                    problems = partial(self._validate, changed)
                    paths = [
                        one.path for one in self.core(where, "a problem with its path", rule, problems)[1]
                    ]
                    if not paths and key == "noSuchOption":
                        raise self.fault(where, "no problem", f'"{key}" to be refused', rule)
                    for path in paths:
                        if not path.startswith(prefix):
                            raise self.fault(where, f"a problem of {path}", f"a path under {prefix}", rule)
