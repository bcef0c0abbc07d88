"""The command prints, for each values file, exactly the manifests beside it."""

import pytest
import yaml
from click.testing import CliRunner

from tests.template import golden
from turnout.cli.template import command


@pytest.mark.parametrize("name", golden.names())
def test_values_give_manifests(name: str) -> None:
    result = CliRunner().invoke(command, ["-f", str(golden.values_file(name))])
    assert (result.output, result.exit_code) == (golden.manifests(name), 0)


@pytest.mark.parametrize("name", golden.names())
def test_a_namespace_is_named_only_if_given(name: str) -> None:
    result = CliRunner().invoke(command, ["-f", str(golden.values_file(name)), "-n", "models"])
    manifest = yaml.safe_load(result.output)
    assert manifest["metadata"].pop("namespace") == "models"
    assert manifest == yaml.safe_load(golden.manifests(name))


def test_every_golden_file_has_its_values() -> None:
    manifests = {file.stem for file in golden.FOLDER.glob("*.yaml") if not file.stem.endswith(".values")}
    assert manifests == set(golden.names())
