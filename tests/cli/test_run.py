"""`turnout run`: what it refuses before it looks for a cluster."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from turnout import __version__
from turnout.cli.run import command

LABEL = "expected a DNS label: 1 to 63 lower-case letters, digits and -, no - at either end"
HTTP = "expected HOST:PORT, such as 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for all interfaces"
VALUE = "expected a label's value: at most 63 letters, digits, -, _ and ., a letter or digit at either end"


@pytest.mark.parametrize(
    ("arguments", "option", "said"),
    [
        pytest.param(["-n", "Team_A"], "--namespace", f'found "Team_A", {LABEL}', id="no label"),
        pytest.param(["-n", ""], "--namespace", f'found "", {LABEL}', id="empty namespace"),
        pytest.param(["-n", "a,b"], "--namespace", f'found "a,b", {LABEL}', id="two in one"),
        pytest.param(["-n", "a\n"], "--namespace", rf'found "a\n", {LABEL}', id="line break"),
        pytest.param(["-n", "a", "-n", "b-"], "--namespace", f'found "b-", {LABEL}', id="second of two"),
        pytest.param(["-n", "a" * 64], "--namespace", LABEL, id="long namespace"),
        pytest.param(["--http", "8080"], "--http", f'found "8080", {HTTP}', id="a port alone"),
        pytest.param(["--http", ":8080"], "--http", f'found ":8080", {HTTP}', id="no host"),
        pytest.param(["--http", "127.0.0.1"], "--http", f'found "127.0.0.1", {HTTP}', id="no port"),
        pytest.param(["--http", "a:65536"], "--http", f'found "a:65536", {HTTP}', id="high port"),
        pytest.param(["--http", "::1:80"], "--http", f'found "::1:80", {HTTP}', id="IPv6 without brackets"),
        pytest.param(["--http", "http://a:80"], "--http", HTTP, id="URL"),
        pytest.param(["--instance", "a b"], "--instance", f'found "a b", {VALUE}', id="instance"),
        pytest.param(["--instance", "a" * 64], "--instance", VALUE, id="long instance"),
    ],
)
def test_a_name_that_no_cluster_can_have_is_wrong_usage(
    arguments: list[str], option: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API server would answer with nothing, for as long as the controller runs."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert option in result.stderr
    assert said in result.stderr


def test_what_the_settings_keep_out_and_what_is_wrong_in_them_is_logged(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("pluginNames: {block: [mirror, shadw]}")
    program = [sys.executable, "-c", "from turnout.cli import main; main()"]
    arguments = ["run", "--settings", str(settings), "--log-format", "json"]
    environment = {**os.environ, "KUBECONFIG": "/nowhere"}

    said = subprocess.run([*program, *arguments], env=environment, capture_output=True, text=True).stderr

    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    logged = {line["message"].partition(";")[0]: line["level"] for line in lines}
    kept_out = f"plugin kept out by the settings: mirror (turnout {__version__}): pluginNames.block"
    assert logged[kept_out] == "info"
    assert logged['settings: pluginNames.block[1]: unknown plugin "shadw"'] == "error"


def test_names_that_a_cluster_can_have_are_taken() -> None:
    arguments = ["-n", "team-a", "-n", "0", "-n", "a" * 63, "--instance", "Blue_1.x"]
    given = command.make_context("run", arguments).params
    assert given["namespaces"] == ("team-a", "0", "a" * 63)
    assert given["instance"] == "Blue_1.x"
    assert command.make_context("run", []).params["instance"] == ""


@pytest.mark.parametrize(
    ("given", "listens"),
    [
        ([], None),
        (["--http", "127.0.0.1:0"], ("127.0.0.1", 0)),
        (["--http", "[::1]:8080"], ("::1", 8080)),
        (["--http", "0.0.0.0:65535"], ("0.0.0.0", 65535)),
        (["--http", "localhost:80"], ("localhost", 80)),
    ],
)
def test_it_listens_where_it_is_told_and_else_nowhere(
    given: list[str], listens: tuple[str, int] | None
) -> None:
    assert command.make_context("run", given).params["http"] == listens


@pytest.mark.parametrize("taken", [True, False], ids=["port taken", "no such address"])
def test_an_address_that_cannot_be_had_ends_it_before_it_looks_for_a_cluster(taken: bool) -> None:
    """With one line, and no traceback; here there is no cluster, of which it would tell otherwise."""
    program = [sys.executable, "-c", "from turnout.cli import main; main()"]
    environment = {**os.environ, "KUBECONFIG": "/nowhere"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        address = f"127.0.0.1:{port}" if taken else f"192.0.2.1:{port}"
        arguments = ["run", "--namespace", "models", "--http", address, "--log-level", "error"]
        done = subprocess.run([*program, *arguments], env=environment, capture_output=True, text=True)
    host, why = (
        ("127.0.0.1", "Address already in use") if taken else ("192.0.2.1", "Cannot assign requested address")
    )
    assert (done.returncode, done.stderr) == (
        2,
        f"Error: --http: cannot listen on {host}, port {port}: {why}\n",
    )


@pytest.mark.parametrize(
    ("host", "where"),
    [
        *(pytest.param(host, "all interfaces", id=host) for host in ("0.0.0.0", "0", "00", "[::]", "[0::0]")),
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.1"),
        ("[::1]", "::1"),
    ],
)
def test_the_log_says_where_it_listens_however_all_interfaces_are_spelt(host: str, where: str) -> None:
    program = [sys.executable, "-c", "from turnout.cli import main; main()"]
    arguments = ["run", "--namespace", "models", "--http", f"{host}:0", "--log-format", "text"]
    environment = {**os.environ, "KUBECONFIG": "/nowhere"}
    done = subprocess.run([*program, *arguments], env=environment, capture_output=True, text=True)
    assert f"/metrics, /healthz and /readyz on {where}, port " in done.stderr
