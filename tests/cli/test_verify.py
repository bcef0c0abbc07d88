"""`turnout verify`: asks a stand-in for ModelMesh over loopback, and tells what it counted."""

import asyncio
import io
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.answering import Answering
from tests.support.openssl import needs_openssl
from tests.support.waiting import free_port, wait_until
from turnout.cli import main, verify_run
from turnout.cli.exits import BadInput, NoCluster, NotFound
from turnout.client import Client
from turnout.names import ROUTING_POLICY
from turnout.runtime.transport import ConnectionFailed, Request
from turnout.settings import Settings
from turnout.testing.memory import InMemoryCluster, StatusError
from turnout.verification.split import Share

EXPECT = "wisdom-0=20,wisdom-1=80"
FEW = ("--requests=500", "--tolerance=10", "--confidence=99")
"""Enough for a verdict of less strictness."""
RUN = [sys.executable, "-c", "from turnout.cli import main; main()", "verify", "wisdom"]


@pytest.fixture(scope="module")
def shared() -> Iterator[Answering]:
    """20 of 100 calls to wisdom go to wisdom-0, 80 to wisdom-1."""
    with Answering(_0=20, _1=80) as running:
        yield running


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "KUBECONFIG": "/nowhere",
    }
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, input=stdin, env=environment)


def verify(where: Answering, *arguments: str, expect: str = EXPECT) -> subprocess.CompletedProcess[str]:
    there = ("--address", where.address, "--namespace", "models", "--expect", expect)
    return run(*there, *FEW, *arguments)


class TestOverGrpc:
    def test_the_decided_split_matches(self, shared: Answering) -> None:
        done = verify(shared)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines[0] == f"wisdom: 500 calls to {shared.address} as wisdom.models, 500 answered"
        assert lines[2].split()[:4] == ["wisdom-0", "20%", "100", "20%"]
        assert lines[3].split()[:4] == ["wisdom-1", "80%", "400", "80%"]
        assert lines[4] == "matches: no share is off by more than 10 points, with 99% confidence"
        assert done.stderr == f"asking {shared.address} for wisdom.models, 500 times …\n"

    def test_another_split_differs(self, shared: Answering) -> None:
        done = verify(shared, expect="wisdom-0=1,wisdom-1=1")
        assert done.returncode == 1
        assert done.stdout.splitlines()[-1].startswith("differs: wisdom-0 gets 15.")

    def test_one_answer_of_a_version_without_a_share_differs(self, shared: Answering) -> None:
        done = verify(shared, "--requests=10", expect="wisdom-1=1")
        assert done.returncode == 1
        told = "differs: wisdom-0 answered 2 calls, and is no version of the split; wisdom-1 gets "
        assert done.stdout.splitlines()[-1].startswith(told)

    def test_too_few_answers_are_no_evidence(self, shared: Answering) -> None:
        done = verify(shared, "--requests=50")
        assert done.returncode == 4
        assert "not enough evidence: " in done.stdout
        assert done.stdout.endswith("; try --requests 800\n")

    def test_as_many_calls_as_are_needed_are_made(self, shared: Answering) -> None:
        arguments = ("--address", shared.address, "--expect", EXPECT, "-n", "models", "-o", "json")
        done = run(*arguments)
        found = json.loads(done.stdout)
        assert (done.returncode, found["verdict"], found["requests"]) == (0, "matches", 3600)

    def test_a_response_header_may_name_the_version(self, shared: Answering) -> None:
        assert verify(shared, "--header=App-Version").returncode == 0
        done = verify(shared, "--header=x-version", "--requests=10")
        assert done.returncode == 4
        assert "not enough evidence: no answer has the header x-version" in done.stdout

    def test_a_tolerance_that_no_number_of_calls_decides_is_refused(self, shared: Answering) -> None:
        arguments = ("--address", shared.address, "--expect", EXPECT, "-n", "models", "--tolerance=0.1")
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        told = "Error: --tolerance: found 0.1, expected 0.29 or more: for less, 1000000 calls are too few\n"
        assert done.stderr == told
        assert run(*arguments, "--requests=10").stdout.endswith("too few; try --tolerance 0.29\n")

    def test_a_header_that_is_another_one_each_time_is_told_in_a_few_lines(self) -> None:
        with Answering(**{f"_{number}": 1 for number in range(40)}) as many:
            done = verify(many, "--header=app-version", "--requests=80", expect="wisdom-0=1")
        assert "… 29 other names" in done.stdout
        assert len(done.stdout.splitlines()) == 15

    def test_a_host_that_nobody_serves_is_a_question(self) -> None:
        with Answering(_0=1) as running:
            running.do(lambda server: server.faults.fail("wisdom-0", "UNIMPLEMENTED"))
            done = verify(running)
        hint = f"; does {running.address} serve wisdom.models? see --authority\n"
        assert done.stdout.endswith(f"nothing was answered{hint}")

    @pytest.mark.parametrize(("requests", "rest"), [("20", ""), ("1000", ": the rest was not sent")])
    def test_a_rest_that_was_not_sent_is_told_if_there_was_one(
        self, shared: Answering, requests: str, rest: str
    ) -> None:
        there = ("--address", f"127.0.0.1:{free_port()}", "--authority=wisdom.models", "--expect=x=1")
        done = run(*there, "--concurrency=1", "--requests", requests)
        assert done.stderr.splitlines()[1:] == [f"Error: not one call was answered{rest}"]

    def test_request_headers_are_sent(self) -> None:
        with Answering(_0=1) as canary:
            done = verify(canary, "-H", "traffic=test", "--requests=300", expect="wisdom-0=1")
            assert done.returncode == 0, done.stdout
            (key,) = canary.do(lambda server: server.received.counts())
            assert key.headers == ("test",)

    def test_inputs_are_sent(self, shared: Answering, tmp_path: Path) -> None:
        file = tmp_path / "request.json"
        tensor = {"name": "x", "datatype": "FP32", "shape": [2], "data": [1, 2]}
        file.write_text(json.dumps({"model_name": "other", "inputs": [tensor]}), encoding="utf-8")
        assert verify(shared, "--data", str(file)).returncode == 0

    def test_failed_calls_are_counted_and_are_not_well(self) -> None:
        with Answering(_0=10, _1=10, _2=1) as failing:
            failing.do(lambda server: server.faults.fail("wisdom-2", "INTERNAL", "out of\norder"))
            done = verify(failing, "--requests=420", expect="wisdom-0=1,wisdom-1=1")
        assert done.returncode == 1
        assert '  failed: 20 x INTERNAL: "out of\\norder"\n' in done.stdout
        assert done.stdout.splitlines()[-1].startswith("matches: ")

    def test_where_nobody_answers_it_stops_soon(self) -> None:
        began = time.monotonic()
        done = run(
            "--address", f"127.0.0.1:{free_port()}", "--expect=wisdom-0=1", "--authority=wisdom.models"
        )
        assert done.returncode == 1
        assert "Error: not one call was answered: the rest was not sent" in done.stderr
        assert "x UNAVAILABLE: " in done.stdout
        assert done.stdout.endswith("not enough evidence: nothing was answered\n")
        assert time.monotonic() - began < 60

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ctrl_c_prints_what_was_counted(self, shared: Answering, number: signal.Signals) -> None:
        arguments = (
            "--address",
            shared.address,
            "--expect",
            EXPECT,
            "-n",
            "models",
            "-o",
            "json",
            "--rate=100",
        )
        shared.do(lambda server: server.received.reset())
        with subprocess.Popen(
            [*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as asking:
            assert asking.stderr
            assert asking.stderr.readline().startswith("asking ")
            wait_until(
                lambda: shared.do(lambda server: server.received.counts().total()) > 30,
                timeout=60,
                what="calls",
            )
            asking.send_signal(number)
            printed, said = asking.communicate(timeout=60)
        found = json.loads(printed)
        assert (asking.returncode, found["verdict"], said) == (130, "interrupted", "")
        assert 10 < found["answered"] < 2000

    def test_colour_is_for_terminals(self, shared: Answering) -> None:
        assert "\x1b[" not in verify(shared, "--requests=1").stdout


class Http:
    """Answers by turns as wisdom-0 and wisdom-1, in JSON over HTTP; and as `statuses` says, first."""

    def __init__(self, *statuses: int, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.statuses = list(statuses)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.address = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Http"]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls) as listener:
            self.address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.asked.append((first, headers, body))
                status = self.statuses.pop() if self.statuses else 200
                version = f"wisdom-{len(self.asked) % 2}"
                said = json.dumps({"model_name": f"{version}__isvc-0123456789", "outputs": []})
                if status != 200:
                    said = "no healthy upstream"
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(said)}\r\napp-version: {version}\r\n\r\n"
                writer.write((head + said).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class TestOverHttp:
    def ask(self, http: Http, *arguments: str) -> dict[str, Any]:
        async def main() -> dict[str, Any]:
            async with http.listening():
                there = ("--address", http.address, "-n", "models", "--http", "-o", "json")
                asking = await asyncio.create_subprocess_exec(
                    *RUN, *there, *FEW, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
                printed, said = await asking.communicate()
                assert asking.returncode is not None
                assert printed, said.decode()
                return {"code": asking.returncode, **json.loads(printed)}

        return asyncio.run(main())

    @pytest.mark.parametrize("header", [(), ("--header", "App-Version")], ids=["by name", "by header"])
    def test_the_models_path_is_asked_under_its_host(self, header: tuple[str, ...], tmp_path: Path) -> None:
        file, tensor = (
            tmp_path / "request.json",
            {"name": "x", "datatype": "FP32", "shape": [1], "data": [0.5]},
        )
        file.write_text(json.dumps({"inputs": [tensor]}), encoding="utf-8")
        http = Http()
        expected = "--expect=wisdom-0=1,wisdom-1=1"
        done = self.ask(http, expected, "--data", str(file), "-H", "X-User: me", *header)
        assert (done["code"], done["verdict"], len(http.asked)) == (0, "matches", 500)
        first, headers, body = http.asked[0]
        assert first == "POST /v2/models/wisdom/infer HTTP/1.1"
        assert (headers["host"], headers["x-user"]) == ("wisdom.models", "me")
        assert body == {"inputs": [tensor]}

    def test_failures_have_their_status(self) -> None:
        done = self.ask(Http(503, 503, 429), "--expect=wisdom-0=1,wisdom-1=1")
        assert done["code"] == 1
        assert done["failures"] == [
            {"code": "HTTP 503", "count": 2, "message": "no healthy upstream"},
            {"code": "HTTP 429", "count": 1, "message": "no healthy upstream"},
        ]


@pytest.mark.parametrize("address", ["a..b:80", f"{'a' * 64}:80", "999.1.1.1:80"])
def test_an_address_that_no_host_can_have_is_told(address: str) -> None:
    given = ("--address", address, "--authority=wisdom.models", "--expect=x=1", "--requests=1")
    for done in (run(*given, "--http"), run(*given)):
        assert done.returncode == 1, done.stderr
        assert "not enough evidence: nothing was answered" in done.stdout
    assert "no connection: no host can have that name" in run(*given, "--http").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "Missing option '--address'", id="no address"),
        pytest.param(["--address=localhost"], 'found "localhost", expected HOST:PORT', id="no port"),
        pytest.param(["--address=localhost:0"], 'found "localhost:0", expected HOST:PORT', id="port 0"),
        pytest.param(["--address=http://a:80"], "expected HOST:PORT", id="a URL"),
        pytest.param(["--address=a:80", "--authority=a b"], 'found "a b", expected a host', id="authority"),
        pytest.param(["--address=a:80", "--expect=x"], 'found "x", expected VERSION=WEIGHT', id="no weight"),
        pytest.param(["--address=a:80", "--expect=x=nan"], 'found "x=nan", expected', id="no number"),
        pytest.param(["--address=a:80", "--expect=x=-1"], 'found "x=-1", expected', id="negative"),
        pytest.param(["--address=a:80", "--expect=x=1,x=2"], "x comes twice", id="twice"),
        pytest.param(["--address=a:80", "--expect=\x1b=1,\x1b=2"], '"\\u001b" comes', id="unprintable"),
        pytest.param(["--address=a:80", "--expect=x=0"], "expected a weight above 0", id="nothing"),
        pytest.param(["--address=a:80", "--expect=x=1e308,y=1e308"], "from 0 to 1000000", id="heavy"),
        *(
            pytest.param(["--address=a:80", f"--{option}", value], said, id=f"{option} {value}")
            for option in ("tolerance", "confidence", "rate", "timeout")
            for value, said in (
                ("nan", "expected a finite number"),
                ("inf", f"Invalid value for '--{option}'"),
            )
        ),
        pytest.param(["--address=a:80", "-H", "x"], 'found "x", expected NAME=VALUE', id="header"),
        pytest.param(
            ["--address=a:80", "-H", "Host=x"], "the header Host is not yours", id="reserved header"
        ),
        pytest.param(
            ["--address=a:80", "--header=a b"], 'found "a b", expected the name', id="answer's header"
        ),
        pytest.param(["--address=a:80", "-n", "Team A"], "expected a DNS label", id="namespace"),
        pytest.param(["--address=a:80", "--confidence=100"], "50<=x<100", id="certainty"),
        pytest.param(["--address=a:80", "--data=/nowhere"], "/nowhere: cannot be read", id="no file"),
        pytest.param(["--address=a:80", "--settings=/nowhere"], "'--settings'", id="no settings"),
        pytest.param(["--address=a:80", "--data=-"], "standard input: is not JSON", id="no JSON"),
        pytest.param(
            ["--address=a:80", "--cacert=/dev/null"],
            "/dev/null: holds no certificate in PEM",
            id="no CA",
        ),
        pytest.param(["--address=a:80"], "/nowhere", id="no cluster"),
    ],
)
def test_what_cannot_be_used_is_told(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(SystemExit) as ended:
        main(["verify", "wisdom", *arguments])
    assert ended.value.code == (3 if said == "/nowhere" else 2)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "Wisdom", "a b", "a\x1b[31m", "a/b", "-a", "a" * 254])
def test_a_name_that_no_policy_can_have_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--address=a:80", "--expect=x=1", "--", name])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "expected the name of a policy" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "inputs: missing, expected a list of tensors"),
        ('{"inputs": [{"datatype": "FP32"}]}', "inputs[0]: data: expected a list"),
        (
            '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [null]}]}',
            'inputs[0] "x": data[0]: found null, expected a number',
        ),
    ],
)
def test_inputs_that_are_none_are_told(body: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(body, encoding="utf-8")
    done = run("--address=a:80", "--data", str(file), "--expect=x=1")
    assert done.returncode == 2
    assert f"Error: {file}: {said}" in done.stderr


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("none", encoding="utf-8")
    done = run("--address=a:80", "--cacert", str(file), "--expect=x=1")
    assert (done.returncode, done.stderr) == (2, f"Error: {file}: holds no certificate in PEM\n")


@needs_openssl
@pytest.mark.parametrize(("namespace", "code"), [("models", 0), ("elsewhere", 1)])
def test_a_certificate_has_to_be_the_hosts(namespace: str, code: int, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    how = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test"
    named = ["-addext", "subjectAltName=DNS:wisdom.models", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *how.split(), *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    trusting = ("--cacert", str(certificate), "--expect=wisdom-0=1,wisdom-1=1", "-n", namespace)
    done = TestOverHttp().ask(Http(tls=context), *trusting)
    assert done["code"] == code
    assert bool(done["answered"]) == (code == 0)
    assert code == 0 or "certificate verify failed" in done["failures"][0]["message"]


def test_help_imports_neither_grpc_nor_the_cluster() -> None:
    heavy = "('grpc', 'google.protobuf', 'kubernetes', 'aiohttp')"
    code = f"import sys\ntry: main(['verify', '-h'])\nexcept SystemExit: print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"from turnout.cli import main\n{code}"], capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


class TestPolicy:
    """What is taken from the policy in the cluster."""

    PLACE = verify_run.Place("wisdom", "models")
    ASKED = verify_run.Asked("a:80", None, (), (), "", False, 5.0, over_http=False)

    def policy(self, *shares: str, routed: str = "True") -> dict[str, Any]:
        return {
            "apiVersion": "turnout.dev/v1alpha1",
            "kind": "RoutingPolicy",
            "metadata": {"name": "wisdom", "namespace": "models", "generation": 1},
            "spec": {
                "targetEnv": "kserve-modelmesh",
                "trafficStrategy": "blue-green",
                "modelVersions": [{"name": f"wisdom-{number}"} for number, _ in enumerate(shares)],
            },
            "status": {
                "observedGeneration": 1,
                "versions": [{"name": f"wisdom-{n}", "share": share} for n, share in enumerate(shares)],
                "conditions": [{"type": "Routed", "status": routed, "reason": "NotYet", "message": "soon"}],
            },
        }

    def test_is_its_split_model_and_host(self) -> None:
        question, split = verify_run.prepare(self.PLACE, self.ASKED, self.policy("100%", "0%"), None)
        assert (question.authority, question.model) == ("wisdom.models", "wisdom")
        assert split == {"wisdom-0": Share(1, 1), "wisdom-1": Share(0, 0)}

    def test_has_its_host_under_the_controllers_settings(self) -> None:
        fixed = {"kserve-modelmesh": {"fixed": {"namespace": "serving"}}}
        settings = Settings.of({"allowNamespaces": {"*": ["serving"]}, "plugins": fixed})
        asked = replace(self.ASKED, settings=settings)
        question, _ = verify_run.prepare(self.PLACE, asked, self.policy("100%", "0%"), None)
        assert question.authority == "wisdom.serving"

    def test_has_its_host_where_its_environment_is_kept_out_by_name(self) -> None:
        """The routes stay in force."""
        asked = replace(self.ASKED, settings=Settings.of({"pluginNames": {"block": ["kserve-modelmesh"]}}))
        question, _ = verify_run.prepare(self.PLACE, asked, self.policy("100%", "0%"), None)
        assert question.authority == "wisdom.models"

    def test_may_have_no_host_that_can_be_told(self) -> None:
        policy = self.policy("100%")
        policy["spec"]["targetEnv"] = "elsewhere"
        with pytest.raises(BadInput, match="give the controller's --settings"):
            verify_run.prepare(self.PLACE, self.ASKED, policy, None)

    def test_must_say_shares(self) -> None:
        with pytest.raises(BadInput, match="RoutingPolicy wisdom: no share is decided yet: NotYet: soon"):
            verify_run.prepare(self.PLACE, self.ASKED, self.policy(routed="False"), None)

    def test_must_say_shares_even_if_it_says_no_reason(self) -> None:
        with pytest.raises(BadInput, match=r"no share is decided yet$"):
            verify_run.prepare(self.PLACE, self.ASKED, self.policy(), None)

    @pytest.mark.parametrize(
        ("match", "metadata", "whose"),
        [
            pytest.param(None, (("traffic", "test"),), "its strategy's own match", id="a header"),
            pytest.param({"method": "POST"}, (), r"spec.modelVersions\[1\].match\[0\]", id="all calls"),
            pytest.param({"path": {"prefix": "/inference."}}, (), "spec.modelVersions", id="gRPC"),
            pytest.param({"path": {"exact": "/v2/models/wisdom/infer"}}, (), "", id="HTTP"),
            pytest.param({"headers": {"traffic": {"exact": "test"}}}, (("x", "y"),), "", id="other headers"),
        ],
    )
    def test_cannot_tell_who_answers_calls_that_a_match_may_take(
        self, match: dict[str, Any] | None, metadata: tuple[tuple[str, str], ...], whose: str
    ) -> None:
        policy, asked = self.policy("100%", "match"), replace(self.ASKED, metadata=metadata)
        policy["spec"]["trafficStrategy"] = "canary"
        policy["spec"]["modelVersions"][1] |= {"match": [match]} if match else {}
        if not whose:
            assert verify_run.prepare(self.PLACE, asked, policy, None)
            return
        with pytest.raises(BadInput, match=f"may be those of wisdom-1, by {whose}.*; say with --expect who"):
            verify_run.prepare(self.PLACE, asked, policy, None)

    def test_is_noted_when_its_routes_have_not_followed(self, capsys: pytest.CaptureFixture[str]) -> None:
        verify_run.prepare(self.PLACE, self.ASKED, self.policy("100%", routed="False"), None)
        assert capsys.readouterr().err == "Note: the routes may not be the decided ones: NotYet: soon\n"

    def get(self, cluster: InMemoryCluster) -> Any:
        async def read() -> Any:
            with verify_run.told_errors():
                return await Client(cluster, "models").document("wisdom")

        return asyncio.run(read())

    def test_is_all_that_is_read(self) -> None:
        cluster = InMemoryCluster()
        cluster.install(ROUTING_POLICY)
        cluster.create(self.policy("100%"), namespace="models")
        assert self.get(cluster)["metadata"]["name"] == "wisdom"
        assert [(call.verb, call.name) for call in cluster.calls] == [("discover", ""), ("get", "wisdom")]

    def test_may_be_missing(self) -> None:
        cluster = InMemoryCluster()
        cluster.install(ROUTING_POLICY)
        with pytest.raises(NotFound, match="there is no RoutingPolicy models/wisdom"):
            self.get(cluster)

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (StatusError(403, "Forbidden", "not for you", {}), "not for you"),
            (ConnectionFailed("cut"), "cut"),
        ],
    )
    def test_may_be_out_of_reach(self, error: Exception, said: str) -> None:
        def refuse(_: Request) -> None:
            raise error

        cluster = InMemoryCluster()
        cluster.on_request = refuse
        with pytest.raises(NoCluster, match=said):
            self.get(cluster)

    def test_may_be_of_no_kind_that_the_cluster_knows(self) -> None:
        with pytest.raises(NoCluster, match="is its CRD installed"):
            self.get(InMemoryCluster())
