"""From the objects of Iter8 (0.13 to 1.1) to policies and traffic weights: documents in, documents out.

`artifacts` sorts the documents, `routemap` reads a ConfigMap, `gotemplate` executes its routing template as
Iter8 does, `chart` says what the charts' templates yield, `environments` and `strategies` recognize what was
meant by it, `weights` knows which weights Iter8 counts, and `carry` makes the manifests. What cannot be
carried over is a `Finding`. So is a routing template that no chart of Iter8's makes: nothing is made of it.
What reads from a cluster and writes to it is in `turnout.takeover`.
"""

from turnout.migration.artifacts import Artifacts
from turnout.migration.carry import Carried, carry
from turnout.migration.findings import Finding

__all__ = ["Artifacts", "Carried", "Finding", "carry"]
