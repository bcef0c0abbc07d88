"""What one Envoy is told: addresses, headers, matches, copies; and that it is the same each time."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from turnout.plugin import Backend, Frontend, Manifest, Match, Mirror, Role, RoutePlan, Rule, Share, Version
from turnout.testing.builders import FRONTEND, backend, plan, policy, version
from turnout_envoy.deployment import bootstrap, manifests
from turnout_envoy.options import EnvoyOptions
from turnout_envoy.router import LIMIT, Envoy
from turnout_envoy.routes import NAME

ROUTER = Envoy()
HTTP = Frontend("http", "models", ("wisdom.example.com",), 80, "http", virtual=False)
PLAN = plan({"wisdom-0": 20, "wisdom-1": 80})


def render(of: RoutePlan, **options: Any) -> list[Manifest]:
    return list(ROUTER.render(of, EnvoyOptions(**options)))


def routes(of: RoutePlan, **options: Any) -> list[dict[str, Any]]:
    """The routes of the first frontend."""
    (resource,) = json.loads(render(of, **options)[0].body["data"]["routes.json"])["resources"]
    (host,) = resource["virtual_hosts"]
    found: list[dict[str, Any]] = host["routes"]
    return found


def clusters(of: RoutePlan, **options: Any) -> list[dict[str, Any]]:
    """Where the last route leads."""
    found: list[dict[str, Any]] = routes(of, **options)[-1]["route"]["weighted_clusters"]["clusters"]
    return found


def mirrors(*of: Mirror, share: Version | None = None) -> list[dict[str, Any]]:
    """What is copied of the primary's calls."""
    rule = Rule("default", (Share(share or version("wisdom-0"), 1),), mirrors=of)
    found: list[dict[str, Any]] = routes(plan(rule))[0]["route"]["request_mirror_policies"]
    return found


def own(name: str, **fields: Any) -> Version:
    """A version with a Service of its own: no header tells it apart."""
    return version(name, backends={FRONTEND.name: Backend(name, "models", 8080, **fields)})


def address(cluster: Mapping[str, Any]) -> str:
    config = cluster["typed_per_filter_config"]["envoy.filters.http.set_filter_state"]
    values = [
        one["format_string"]["text_format_source"]["inline_string"] for one in config["on_request_headers"]
    ]
    return ":".join(values)


def test_a_policy_has_one_config_map() -> None:
    (manifest,) = render(PLAN)

    assert (manifest.kind.kind, manifest.name, manifest.role) == ("ConfigMap", "wisdom-envoy", Role.ROUTE)
    assert list(manifest.body["data"]) == ["routes.json"]


def test_each_frontend_has_a_config_map_of_its_own() -> None:
    both = version("wisdom-0", backends={"inference": backend("a"), "http": Backend("b", "models", 80)})
    first, second = render(plan(Rule("default", (Share(both, 1),)), frontends=(FRONTEND, HTTP)))

    assert (first.name, second.name) == ("wisdom-envoy", "wisdom-envoy-http")
    assert '"name": "grpc"' in first.body["data"]["routes.json"]
    assert '"name": "http"' in second.body["data"]["routes.json"]


def test_equal_plans_are_equal_to_the_byte_and_others_have_another_version() -> None:
    first, again, other = (
        render(one)[0].body for one in (PLAN, plan({"wisdom-0": 20, "wisdom-1": 80}), plan({"wisdom-0": 1}))
    )

    assert first == again
    versions = {json.loads(one["data"]["routes.json"])["version_info"] for one in (first, other)}
    assert len(versions) == 2


def test_shares_have_their_weights_addresses_and_headers() -> None:
    first, second = clusters(PLAN)

    assert (first["weight"], second["weight"]) == (20, 80)
    assert address(first) == "model-server.models.svc.cluster.local:8033"
    assert first["request_headers_to_add"] == [
        {
            "header": {"key": "x-model-version", "value": "wisdom-0"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    ]
    assert "host_rewrite_literal" not in first


def test_a_services_full_name_has_the_clusters_domain_and_what_is_no_service_its_own() -> None:
    local = plan({"wisdom-0": 1}, policy=policy(cluster_domain="cluster.test"))
    other = plan(Rule("default", (Share(own("models.example.com", kind="ServiceEntry"), 1),)))

    assert address(clusters(local)[0]) == "model-server.models.svc.cluster.test:8033"
    assert address(clusters(other)[0]) == "models.example.com:8080"


def test_an_authority_is_set_and_leaves_the_address_alone() -> None:
    (cluster,) = clusters(plan(Rule("default", (Share(own("a", authority="a.example.com"), 1),))))

    assert cluster["host_rewrite_literal"] == "a.example.com"
    assert address(cluster) == "a.models.svc.cluster.local:8080"


def test_a_percent_sign_is_no_command() -> None:
    headers = (("x-a", "100%REQ(:path)%"),)
    (cluster,) = clusters(plan(Rule("default", (Share(own("a", set_headers=headers), 1, headers),))))

    for field in ("request_headers_to_add", "response_headers_to_add"):
        assert cluster[field][0]["header"]["value"] == "100%%REQ(:path)%%"


@pytest.mark.parametrize(
    ("app_version", "told"), [("v1", ["v1"]), (None, []), ("100%REQ(:path)%", []), ("v1\n", [])]
)
def test_clients_are_told_the_app_version_where_it_may_stand_in_a_header(
    app_version: str | None, told: list[str]
) -> None:
    of = plan(Rule("default", (Share(replace(own("a"), app_version=app_version), 1),)))

    (cluster,) = clusters(of, app_version_header="app-version")
    headers = [one["header"] for one in cluster.get("response_headers_to_add", ())]
    assert headers == [{"key": "app-version", "value": value} for value in told]
    assert "response_headers_to_add" not in clusters(of)[0]


@pytest.mark.parametrize(
    ("match", "said"),
    [
        pytest.param(
            Match((("X-A", "exact", "1"),)),
            {"prefix": "/", "headers": [{"name": "x-a", "string_match": {"exact": "1"}}]},
            id="header",
        ),
        pytest.param(
            Match((("a", "prefix", "1"),)),
            {"prefix": "/", "headers": [{"name": "a", "string_match": {"prefix": "1"}}]},
            id="header prefix",
        ),
        pytest.param(
            Match((("a", "regex", "1+"),)),
            {"prefix": "/", "headers": [{"name": "a", "string_match": {"safe_regex": {"regex": "1+"}}}]},
            id="header regex",
        ),
        pytest.param(
            Match(query=(("A", "exact", "1"),)),
            {"prefix": "/", "query_parameters": [{"name": "A", "string_match": {"exact": "1"}}]},
            id="query",
        ),
        pytest.param(Match(path=("exact", "/v2")), {"path": "/v2"}, id="path"),
        pytest.param(Match(path=("prefix", "/v2")), {"prefix": "/v2"}, id="path prefix"),
        pytest.param(Match(path=("regex", "/v.")), {"safe_regex": {"regex": "/v."}}, id="path regex"),
        pytest.param(
            Match(method="POST"),
            {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
            id="method",
        ),
    ],
)
def test_matches_in_envoys_words(match: Match, said: Mapping[str, Any]) -> None:
    of = plan(Rule("one", (Share(version("wisdom-1"), 1),), (match, Match(method="GET"))), {"wisdom-0": 1})

    first, second, last = routes(of)

    assert first["match"] == said
    assert first["route"] == second["route"] != last["route"]
    assert last["match"] == {"prefix": "/"}


def test_a_copy_has_the_candidates_address_and_headers_and_none_of_the_primarys() -> None:
    share = own("wisdom-0", set_headers=(("x-model-version", "wisdom-0"), ("X-Primary", "yes")))
    copied = Mirror(version("wisdom-1"), 30)

    assert mirrors(copied, share=share) == [
        {
            "cluster": "grpc",
            "runtime_fraction": {"default_value": {"numerator": 300_000, "denominator": "MILLION"}},
            "host_rewrite_literal": "model-server.models.svc.cluster.local:8033",
            "request_headers_mutations": [
                {"remove": "x-primary"},
                {
                    "append": {
                        "header": {"key": "x-model-version", "value": "wisdom-1"},
                        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                    }
                },
            ],
        }
    ]


def test_each_mirror_has_its_own_percentage_and_the_smallest_is_not_nothing() -> None:
    found = mirrors(*(Mirror(own(f"v{n}"), percentage) for n, percentage in enumerate((100, 0.1, 0.00001))))

    assert [one["runtime_fraction"]["default_value"]["numerator"] for one in found] == [1_000_000, 1000, 1]


def test_routes_that_no_config_map_holds_are_refused_with_their_size() -> None:
    match = Match((("a", "exact", "é" * (LIMIT // 12)),))
    of = plan(Rule("one", (Share(version("wisdom-1"), 1),), (match, match)), {"wisdom-0": 1})

    with pytest.raises(ValueError, match=r"wisdom-envoy have \d{7} bytes, expected at most 1048576"):
        render(of)


def test_what_is_deployed_asks_for_what_is_written() -> None:
    """The name of the ConfigMap, its key and the name of the routes in it are the router's."""
    documents = {one["kind"]: one for one in yaml.safe_load_all(manifests("sage"))}
    sage = plan({"wisdom-0": 1}, policy=policy(model_name="sage"))
    (manifest,) = render(sage)
    rds = yaml.safe_load(bootstrap())["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    rds = rds["typed_config"]["rds"]
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    mounts = {one["name"]: one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    volumes = {one["name"]: one["configMap"]["name"] for one in pod["volumes"]}

    assert volumes == {"bootstrap": documents["ConfigMap"]["metadata"]["name"], "routes": manifest.name}
    assert rds["config_source"]["path_config_source"] == {
        "path": f"{mounts['routes']}/{next(iter(manifest.body['data']))}",
        "watched_directory": {"path": mounts["routes"]},
    }
    assert rds["route_config_name"] == NAME
    assert documents["Service"]["metadata"]["name"] == "sage"
    assert (
        documents["Service"]["spec"]["selector"] == documents["Deployment"]["spec"]["selector"]["matchLabels"]
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["sage"], ""), ([], "usage: python -m turnout_envoy MODEL"), (["A b"], 'found the model "A b"')],
    ids=["a model", "none", "no name"],
)
def test_the_manifests_are_printed_for_a_model(arguments: list[str], said: str) -> None:
    done = subprocess.run([sys.executable, "-m", "turnout_envoy", *arguments], capture_output=True, text=True)

    assert said in done.stderr
    assert (done.returncode, done.stdout) == ((1, "") if said else (0, manifests("sage")))
