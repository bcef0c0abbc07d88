"""`turnout migrate` with files: what goes to stdout, what to stderr, and the exit code."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.migration.charts import KSERVE, Chart, Object
from turnout.cli import main


def run(*arguments: str, documents: list[Object] | None = None) -> Result:
    stdin = yaml.safe_dump_all(documents) if documents is not None else None
    return CliRunner().invoke(main, ["migrate", *arguments], input=stdin)


def test_manifests_go_to_stdout_and_the_report_to_stderr() -> None:
    chart = Chart()
    configs = [chart.weight_config("wisdom-0", 20), chart.weight_config("wisdom-1", 80)]
    done = run("-f", "-", documents=[chart.routemap(), *configs])
    assert done.exit_code == 0
    policy, weights = yaml.safe_load_all(done.stdout)
    assert (policy["kind"], weights["kind"]) == ("RoutingPolicy", "TrafficWeights")
    assert done.stderr == (
        "RoutingPolicy modelmesh-serving/wisdom of ConfigMap wisdom-routemap, "
        "TrafficWeights wisdom-0=20 wisdom-1=80\n"
    )


def test_what_documents_hold_reaches_no_terminal_as_more_than_characters() -> None:
    chart = Chart()
    named = {**chart.routemap(), "metadata": {**chart.routemap()["metadata"], "name": "a\x1b[2J"}}
    spec = yaml.safe_load(named["data"]["strSpec"])
    (template,) = spec["routingTemplates"].values()
    template["template"] = template["template"].replace(
        "gateways: [mm-gateway", r'gateways: [mm-gateway, "\e[31m"'
    )
    done = run("-f", "-", documents=[{**named, "data": {"strSpec": yaml.safe_dump(spec)}}])
    assert "the gateway \\u001b[31m: a policy has one" in done.stderr
    assert "ConfigMap modelmesh-serving/a\\u001b[2J" in done.stderr
    assert "\x1b" not in done.output
    del named["metadata"]["namespace"]
    done = run("-f", "-", documents=[named])
    assert (done.exit_code, "\x1b" in done.output) == (2, False)
    named["data"] = {}
    done = run("-f", "-", "-n", "models", "mill", documents=[named])
    assert (done.exit_code, "\x1b" in done.output) == (2, False)


def test_what_is_not_carried_over_has_exit_code_1() -> None:
    done = run("-f", "-", documents=Chart("1.1", KSERVE).documents())
    assert done.exit_code == 1
    assert yaml.safe_load(done.stdout)["spec"]["targetEnv"] == "kserve"
    assert "Not carried over: ConfigMap modelmesh-serving/wisdom-routemap: the rewritten path" in done.stderr
    assert "\nNote: ConfigMap modelmesh-serving/wisdom-routemap: the Service wisdom" in done.stderr


def test_nothing_is_printed_of_what_is_refused() -> None:
    done = run("-f", "-", documents=[{**Chart().routemap(), "data": {}}])
    told = "ConfigMap modelmesh-serving/wisdom-routemap: data.strSpec: missing, expected a routemap as text"
    assert (done.stdout, done.stderr, done.exit_code) == ("", f"Not carried over: {told}\n", 1)


def test_both_are_data() -> None:
    done = run("-f", "-", "-o", "json", documents=Chart("1.1", KSERVE, "canary").documents())
    (found,) = json.loads(done.stdout)["models"]
    assert (found["namespace"], found["name"], found["routemap"]) == (
        "modelmesh-serving",
        "wisdom",
        "wisdom-routemap",
    )
    assert [one["kind"] for one in found["manifests"]] == ["RoutingPolicy"]
    assert found["findings"][0]["carriedOver"] is False


def test_only_the_models_that_are_named() -> None:
    documents = [Chart().routemap(), Chart(model="mill", names=("mill-0", "mill-1")).routemap()]
    done = run("mill", "-f", "-", documents=documents)
    assert yaml.safe_load(done.stdout)["metadata"]["name"] == "mill"
    assert "wisdom" not in done.stderr


def test_folders_and_documents_without_a_namespace(tmp_path: Path) -> None:
    document = Chart().routemap()
    del document["metadata"]["namespace"]
    (tmp_path / "routemap.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    done = run("-f", str(tmp_path), "-n", "models")
    assert yaml.safe_load(done.stdout)["metadata"]["namespace"] == "models"
    done = run("-f", str(tmp_path))
    assert (done.stdout, done.exit_code, done.stderr.count("\n")) == ("", 2, 1)
    assert "ConfigMap wisdom-routemap names no namespace" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("-f", "nowhere"), "nowhere: is neither a file nor a folder", id="no file"),
        pytest.param(
            ("-f", "-", "mill"), 'there is no routemap of a model "mill"; there is wisdom', id="no model"
        ),
        pytest.param(("-A", "-n", "models"), "exclude each other", id="one and all"),
        pytest.param(("-f", "-", "-A"), "--filename reads no cluster", id="files and a cluster"),
        pytest.param(("-f", "-", "--context", "a"), "--filename reads no cluster", id="files and a context"),
        pytest.param(("-n", "Models"), 'found "Models", expected a DNS label', id="no namespace"),
    ],
)
def test_bad_input_is_told(arguments: tuple[str, ...], told: str) -> None:
    done = run(*arguments, documents=Chart().documents())
    assert (done.stdout, done.exit_code) == ("", 2)
    assert told in done.stderr


def test_documents_without_a_routemap_are_told() -> None:
    done = run("-f", "-", documents=[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}])
    assert (done.stdout, done.exit_code) == ("", 2)
    assert done.stderr == (
        "Error: standard input: no document is a routemap: "
        "a ConfigMap with the label iter8.tools/kind: routemap\n"
    )
