"""Toy plugins, one an axis, unlike the built-in ones in every way that the interfaces allow.

`hosts`: a host per version, found in the object's status. `steps`: time-based, with state.
`table`: a network that can say little. `naughty`: plugins that do what a plugin must not.
"""

from tests.toys.hosts import ToyHosts
from tests.toys.steps import ToySteps
from tests.toys.table import ToyTable

__all__ = ["ToyHosts", "ToySteps", "ToyTable"]
