"""Discovery: what is served, and what is not."""

import pytest

from tests.contract.api import Api
from tests.contract.kinds import GADGET, GROUP


def test_group_lists_its_versions(api: Api) -> None:
    """A group names its versions and the one it prefers."""
    answer = api.send("GET", f"/apis/{GROUP}")
    version = {"groupVersion": f"{GROUP}/v1", "version": "v1"}
    assert answer.body["versions"] == [version]
    assert answer.body["preferredVersion"] == version


def test_groups_are_listed(api: Api) -> None:
    """/apis has every group."""
    groups = api.send("GET", "/apis").body["groups"]
    assert GROUP in [group["name"] for group in groups]


def test_version_lists_kinds_and_status_subresources(api: Api) -> None:
    """A version has its kinds, and a status only for those that have one."""
    resources = api.send("GET", f"/apis/{GROUP}/v1").body["resources"]
    found = {(one["name"], one["kind"], one["namespaced"]) for one in resources}
    assert found == {
        ("widgets", "Widget", True),
        ("widgets/status", "Widget", True),
        ("gadgets", "Gadget", True),
    }


def test_core_group_is_below_api(api: Api) -> None:
    """/api/v1 has the kinds without a group."""
    resources = api.send("GET", "/api/v1").body["resources"]
    assert {"configmaps", "events"} <= {one["name"] for one in resources}


@pytest.mark.parametrize(
    "path",
    [
        "/apis/nobody.turnout.dev",
        "/apis/nobody.turnout.dev/v1",
        f"/apis/{GROUP}/v9",
        f"/apis/{GROUP}/v1/namespaces/default/nothings",
        f"/apis/{GROUP}/v9/namespaces/default/widgets",
    ],
)
def test_what_is_not_served_is_a_page_not_found(api: Api, path: str) -> None:
    """Groups, versions and kinds that nobody serves are a 404 in plain text, without a Status."""
    answer = api.send("GET", path)
    assert (answer.status, answer.body) == (404, "404 page not found\n")


def test_unknown_kind_of_a_built_in_group_has_a_status(api: Api) -> None:
    """A group that the server itself serves answers 404 with a Status."""
    answer = api.send("GET", "/api/v1/namespaces/default/nothings")
    assert (answer.status, answer.body["reason"]) == (404, "NotFound")


def test_status_of_a_kind_without_one_is_not_found(api: Api) -> None:
    """A subresource that a kind does not have is a 404, also where the object exists."""
    api.apply("one", kind=GADGET)
    assert api.send("GET", api.path("one", kind=GADGET, subresource="status")).status == 404
