"""Policies as plugins see them, with everything in them that a policy may say."""

from turnout.plugin import Match, Policy
from turnout.testing.builders import policy, spec

MATCHES = (
    Match(headers=(("x-tier", "exact", "gold"), ("x-user", "prefix", "test-"))),
    Match(query=(("tier", "regex", "gold|silver"),), path=("prefix", "/v2"), method="POST"),
)


def policies() -> tuple[tuple[str, Policy], ...]:
    """Policies, each with what it is about."""
    label = "m" * 63
    return (
        ("two versions", policy()),
        ("one version", policy("wisdom-0")),
        ("16 versions", policy(*(f"wisdom-{number}" for number in range(16)))),
        ("weights", policy(spec("wisdom-0", 20), spec("wisdom-1", 80))),
        ("the heaviest weights", policy(spec("wisdom-0", 1_000_000), spec("wisdom-1", 0))),
        ("matches", policy("wisdom-0", spec("wisdom-1", None, *MATCHES))),
        ("another primary", policy(primary="wisdom-1")),
        ("another namespace", policy(namespace="others")),
        ("a version of another namespace", policy("wisdom-0", spec("wisdom-1", namespace="others"))),
        (
            "the longest names",
            policy(f"{label[:-1]}0", f"{label[:-1]}1", name=label, model_name=label, namespace="n" * 63),
        ),
        ("a dot in its name", policy(name="wisdom.v2")),
        ("no uid, as offline", policy(uid="")),
        ("a mirror percentage", policy(mirror_percentage=12.5)),
        ("another domain", policy(cluster_domain="cluster.test")),
        ("a model of another name", policy(name="night", model_name="owl")),
    )
