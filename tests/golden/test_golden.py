"""What `turnout plan -o yaml` prints for each case is what its file says."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.golden.cases import FOLDER, Case, cases
from turnout.cli.plan import command

CASES = list(cases())


def printed(case: Case, folder: Path) -> str:
    """What the command prints, for a case and the routes that are in force then."""
    given = [case.documents]
    if case.after:
        before = next(one for one in CASES if (one.strategy, one.name) == (case.strategy, case.after))
        given.append(list(yaml.safe_load_all(printed(before, folder))))
    file = folder / "given.yaml"
    file.write_text(yaml.safe_dump_all(document for documents in given for document in documents))
    settings = folder / "settings.yaml"
    settings.write_text("allowNamespaces: {'*': [edge]}\n")  # whose gateway some cases use
    arguments = ["-f", str(file), "--settings", str(settings), "-o", "yaml"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def read(path: str) -> dict[str, dict[str, Any]]:
    """The objects of a file, by kind."""
    documents = yaml.safe_load_all((FOLDER / path).read_text())
    return {document["kind"]: document for document in documents}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.strategy}/{case.name}" for case in CASES])
def test_plan_prints(case: Case, tmp_path: Path) -> None:
    found = printed(case, tmp_path)
    if os.environ.get("UPDATE_GOLDEN"):
        case.file.parent.mkdir(exist_ok=True)
        case.file.write_text(found)

    assert found == case.file.read_text()


def test_every_file_is_of_a_case() -> None:
    assert {case.file for case in CASES} == set(FOLDER.glob("*/*.yaml"))


HOSTS = [
    "wisdom.modelmesh-serving",
    "wisdom.modelmesh-serving.svc",
    "wisdom.modelmesh-serving.svc.cluster.local",
]


def route(version: str) -> dict[str, Any]:
    return {
        "destination": {
            "host": "modelmesh-serving.modelmesh-serving.svc.cluster.local",
            "port": {"number": 8033},
        },
        "headers": {"request": {"set": {"mm-vmodel-id": version}}},
    }


def test_the_tutorials_virtual_service_is_as_its_readers_know_it() -> None:
    """To the letter: no weight where there is one version."""
    found = read("blue-green/primary-only.yaml")["VirtualService"]

    assert found["apiVersion"] == "networking.istio.io/v1"
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("wisdom", "modelmesh-serving")
    assert found["spec"] == {
        "gateways": ["mm-gateway", "mesh"],
        "hosts": HOSTS,
        "http": [{"route": [route("wisdom-0")]}],
    }


@pytest.mark.parametrize(
    ("file", "weights"), [("all-ready", (50, 50)), ("weights", (20, 80))], ids=["halves", "weights"]
)
def test_the_tutorials_split_has_weights(file: str, weights: tuple[int, int]) -> None:
    found = read(f"blue-green/{file}.yaml")["VirtualService"]

    assert found["spec"]["http"] == [
        {
            "route": [
                {**route("wisdom-0"), "weight": weights[0]},
                {**route("wisdom-1"), "weight": weights[1]},
            ]
        }
    ]


def test_the_tutorials_gateway_serves_every_model() -> None:
    found = read("blue-green/primary-only.yaml")["Gateway"]

    assert found["metadata"]["name"] == "mm-gateway"
    assert found["spec"] == {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    }


def test_the_tutorials_service_entry_is_for_clients_inside_the_mesh() -> None:
    found = read("blue-green/primary-only.yaml")["ServiceEntry"]

    assert found["metadata"]["name"] == "wisdom"
    assert found["spec"] == {
        "hosts": HOSTS,
        "location": "MESH_INTERNAL",
        "ports": [{"number": 8033, "name": "http", "protocol": "HTTP"}],
        "resolution": "DNS",
        "workloadSelector": {"labels": {"modelmesh-service": "modelmesh-serving"}},
    }


def test_canarys_default_match_comes_before_the_primarys_rule() -> None:
    found = read("canary/all-ready.yaml")["VirtualService"]

    assert found["spec"]["http"] == [
        {"match": [{"headers": {"traffic": {"exact": "test"}}}], "route": [route("wisdom-1")]},
        {"route": [route("wisdom-0")]},
    ]
