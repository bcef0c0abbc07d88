"""What Istio would not match as it stands, said before a route is written."""

from collections.abc import Iterator

from turnout.plugin import Fault, Policy

IGNORED_HEADERS = frozenset({"uri", "scheme", "method", "authority"})
"""Keys that Istio's HTTPMatchRequest ignores in `headers`: a match of them alone would match every call."""


def faults(policy: Policy) -> Iterator[Fault]:
    """Faults of a policy's matches, by the paths of its document."""
    for index, version in enumerate(policy.versions):
        for number, match in enumerate(version.matches):
            for name, _, _ in match.headers:
                if name.lower() in IGNORED_HEADERS:
                    path = f"spec.modelVersions[{index}].match[{number}].headers.{name}"
                    yield Fault(path, "Istio ignores a header of this name; use path or method")
