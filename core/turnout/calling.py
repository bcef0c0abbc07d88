"""Calls into plugin code: which plugin is running, and what came of it when it raised.

A decision is a chain of pure calls to several plugins. Each goes through `Calls.to`, so that whoever
runs the chain knows whom to blame when it raises or does not return. No I/O and no clock here: time
limits and quarantine are `turnout.runtime.guard`'s.
"""

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Never, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MESSAGE_LIMIT = 500
"""Characters of an error's text that are kept: it ends up in a condition's message."""

LAMBDA = "<lambda>"


FOR = " for "
"""Between a plugin's name, which has no spaces, and the policy for which alone it is in quarantine."""


class Sentence(NamedTuple):
    """A plugin's quarantine: until when, in seconds of its guard's clock, for how long, and why."""

    until: float
    delay: float
    reason: str


_NOBODY: Mapping[str, Sentence] = MappingProxyType({})


class PluginError(Exception):
    """A plugin could not answer. Marks only the policies that use `plugin`."""

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(message)
        self.plugin = plugin
        self.message = message


class PluginFailed(PluginError):  # noqa: N818  named for what happened
    """Plugin code raised. `message` names the plugin, the method and the error, on one line."""

    def __init__(self, plugin: str, method: str, error: str) -> None:
        super().__init__(plugin, f"plugin {plugin}: {method} raised {error}")
        self.method = method


class Quarantined(PluginError):  # noqa: N818  the same
    """The plugin took too long, and is not called before `until`.

    `until` is in seconds of the monotonic clock of the guard that set it. `message` is the same
    until the plugin is quarantined again, so that it can stand in a status without changing it.
    """

    def __init__(self, plugin: str, until: float, reason: str) -> None:
        super().__init__(plugin, f"plugin {plugin}: {reason}")
        self.until = until


class Abandoned(BaseException):
    """Ends a call whose caller has stopped waiting. No error: nobody is there to see it."""


class Calls:
    """Makes one decision's calls into plugins, on one thread, and records whose code runs.

    `running` is the plugin whose code runs now, None while core's does; another thread may read it.
    `failed` names the plugins that raised, or returned what they may not.
    `quarantined` names the plugins that are not to be called. That and `running` say `plugin for policy`
    where that is all that a hang would tell of. A thread that sets `abandoned` ends
    the decision at its next call.
    """

    __slots__ = ("abandoned", "failed", "quarantined", "running")

    def __init__(self, quarantined: Mapping[str, Sentence] = _NOBODY) -> None:
        self.quarantined = quarantined
        self.running: str | None = None
        self.failed: list[str] = []
        self.abandoned = False

    def to(self, plugin: str, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`fn(*args, **kwargs)`, where `fn` is code of the plugin with that name.

        Raises PluginFailed for whatever it raises, SystemExit and KeyboardInterrupt included, and
        Quarantined instead of calling a plugin that is in quarantine. Code that runs later, in a
        generator that `fn` returns, is not covered.
        """
        return self._make(plugin, plugin, fn, *args, **kwargs)

    def about(self, policy: str, plugin: str, fn: Callable[[], T]) -> T:
        """As `to`; one that hangs is in quarantine for this policy, and for others is not."""
        return self._make(f"{plugin}{FOR}{policy}", plugin, fn)

    def _make(self, who: str, plugin: str, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self.abandoned:
            raise Abandoned
        for name in (plugin, who):
            if name in self.quarantined:
                raise Quarantined(name, self.quarantined[name].until, self.quarantined[name].reason)
        outer, self.running = self.running, who
        try:
            return fn(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  raised again, most of them as PluginFailed
            self._fail(plugin, fn, error)
        finally:
            self.running = outer

    def blame(self, error: PluginError) -> None:
        """Record a plugin whose answer core could not use. One that raised is recorded already."""
        if not isinstance(error, PluginFailed | Quarantined):
            self.failed.append(error.plugin)

    def _fail(self, plugin: str, fn: Callable[..., object], error: BaseException) -> Never:
        if isinstance(error, Abandoned | PluginError):
            raise error
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise error  # Ctrl-C of the user of a command; on other threads only a plugin can raise it
        self.failed.append(plugin)
        raise PluginFailed(plugin, _method(fn, error), describe(error)) from error


def describe(error: BaseException) -> str:
    """An error as `Type: text`, on one line and never too long, whatever its `__str__` does."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  the text of a plugin's error is plugin code as well
        text = "(an error whose text cannot be read)"
    if len(text) > MESSAGE_LIMIT:
        text = f"{text[: MESSAGE_LIMIT - 1]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _method(fn: Callable[..., object], error: BaseException) -> str:
    """The name of the plugin's method, also where `fn` is a lambda around it."""
    name = str(getattr(fn, "__name__", type(fn).__name__))
    frame = error.__traceback__.tb_next if error.__traceback__ else None
    while name == LAMBDA and frame is not None:
        name, frame = frame.tb_frame.f_code.co_name, frame.tb_next
    return name
