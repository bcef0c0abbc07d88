"""Toy plugins, one of each kind, unlike the built-in ones in every way that the interfaces allow.

`hosts`: a host per version, found in the object's status. `steps`: time-based, with state.
`table`: a network that can say little. `probe`: says what it is told. `naughty`: plugins that do what a plugin must not.
"""

from tests.toys.hosts import ToyHosts
from tests.toys.probe import ToyProbe
from tests.toys.steps import ToySteps
from tests.toys.table import ToyTable

__all__ = ["ToyHosts", "ToyProbe", "ToySteps", "ToyTable"]
