"""An in-memory Kubernetes API server for tests, for `turnout demo`, and for plugin authors.

`tests/contract` holds it to the real one (1.35). What it does not do:

- Namespaces need not exist, and deleting one deletes nothing in it. There is no RBAC.
- Rules in CEL, `format` and `oneOf`, `anyOf`, `allOf`, `not` of a schema are not checked: give `validate`
  to `install_crd`. Built-in kinds are not checked at all, and have no schema that merges their lists.
- Several versions of a kind differ only in their schema: nothing is converted.
- JSON patches, strategic merge patches and subresources other than status are refused.
- Foreground deletion is background deletion, and garbage goes before the request is answered.
- Watches have one bookmark, at their end; the texts of some refusals are shorter.
- Empty lists and maps applied in metadata are dropped at once; the real server stores them until the
  next write, which then has a new resourceVersion for that alone.
"""

from turnout.testing.memory.answers import Answer
from turnout.testing.memory.cluster import Call, InMemoryCluster
from turnout.testing.memory.errors import StatusError

__all__ = ["Answer", "Call", "InMemoryCluster", "StatusError"]
