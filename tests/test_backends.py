"""No line of core knows a backend: environments and routers are plugins, its own as well as others'."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import turnout

CORE = Path(turnout.__file__).parent
BACKENDS = re.compile(
    r"deployment|envoy|gateway.?api|grpcroute|httproute|inferenceservice|istio|knative|kserve|modelmesh"
    r"|serviceentr|statefulset|virtualservice|vmodel",
    re.IGNORECASE,
)
MAY = {
    "api/models.py": "the router of a policy that names none",
    "cli/migrate.py": "an example in its help",
    "cli/release.py": "an example in its help",
    "cli/run.py": "an example in its help",
    "cli/template.py": "an example in its help",
    "client/promotion/manifest.py": "an annotation that Kubernetes writes",
    "demo": "the tutorial",
    "inference/protocol.py": "the open inference protocol's service",
    "migration": "Iter8's charts, each of which is for one of them",
    "takeover": "Iter8's routes and versions",
    "template.py": "Iter8's values, whose keys are ModelMesh's",
    "template_values.py": "Iter8's values, whose keys are ModelMesh's",
    "testing/memory/resources.py": "how the kinds of a cluster's own are called in paths",
    "testing/serving": "a stand-in for ModelMesh",
    "verification/matching.py": "headers that proxies set",
}
"""Files and folders of core that name backends, and what for."""


def test_code_outside_these_files_names_none() -> None:
    found = {file.relative_to(CORE).as_posix(): sorted(named(file)) for file in CORE.rglob("*.py")}
    naming = {file: words for file, words in found.items() if words}
    assert {file: words for file, words in naming.items() if allowed(file) is None} == {}
    assert {allowed(file) for file in naming} == set(MAY)


def allowed(file: str) -> str | None:
    """The entry of MAY that allows it."""
    return next((one for one in MAY if file == one or file.startswith(f"{one}/")), None)


def named(file: Path) -> Iterator[str]:
    """Names and texts in a file's code that are of a backend; docstrings and comments may give examples."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstrings = {
        id(statement.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(tree):
        texts = [getattr(node, field, None) for field in ("id", "attr", "name", "arg", "module", "value")]
        if id(node) not in docstrings:
            yield from (text for text in texts if isinstance(text, str) and BACKENDS.search(text))
