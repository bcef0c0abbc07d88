"""Taking the finalizer off where no controller does: what is released, what is not, and what may go wrong."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.runtime.harness import fail, isvc, refuse, version
from tests.support import faketime
from turnout.names import ANNOTATION_DRAIN_FOR, FINALIZER_DRAIN
from turnout.plugin import Kind, Ref
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.marked import Found, Place
from turnout.runtime.release import AT_ONCE, TRIES, DryRun, Release
from turnout.runtime.transport import ConnectionFailed
from turnout.testing.memory import InMemoryCluster, StatusError
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

HERE = (Place(INFERENCE_SERVICE, "models"),)
EVERYWHERE = (Place(INFERENCE_SERVICE, None),)
OTHER = Kind("example.com", ("v1",), "Model", "models")


@pytest.fixture
def cluster() -> InMemoryCluster:
    """One that serves InferenceServices, and neither policies nor routes."""
    cluster = InMemoryCluster()
    cluster.install(INFERENCE_SERVICE)
    return cluster


def deploy(
    cluster: InMemoryCluster,
    name: str,
    *others: str,
    namespace: str = "models",
    deleted: bool = True,
) -> Ref:
    """A protected version, with other finalizers before ours."""
    metadata: dict[str, Any] = {
        "finalizers": [*others, FINALIZER_DRAIN],
        "annotations": {ANNOTATION_DRAIN_FOR: namespace, "team": "a"},
    }
    cluster.apply_manifest(version(name, **metadata), namespace=namespace)
    if deleted:
        cluster.delete(isvc(name, namespace))
    return isvc(name, namespace)


def release(
    cluster: InMemoryCluster, places: Iterable[Place] = HERE, **options: Any
) -> tuple[list[str], Release]:
    """Release what there is. Returns the names in their order, and what else is known."""
    told: list[Found] = []

    async def main() -> Release:
        made = Release(Client(cluster), told.append, **options)
        await made.take_off(await made.find(places))
        return made

    made = faketime.run(main())
    return [one.ref.name for one in told], made


def patches(cluster: InMemoryCluster) -> list[str]:
    return [call.name for call in cluster.calls if call.verb == "patch"]


def at_patch(act: Callable[[], object], times: int = 1) -> Callable[[Any], None]:
    """An `on_request` that does something before each of the first patches is handled."""
    done: list[int] = []

    def hook(request: Any) -> None:
        if request.method == "PATCH" and len(done) < times:
            done.append(1)
            act()

    return hook


def test_deleted_versions_go_and_living_ones_stay_protected(cluster: InMemoryCluster) -> None:
    gone = deploy(cluster, "wisdom-1")
    living = deploy(cluster, "wisdom-0", deleted=False)
    before = cluster.get(living)
    told, made = release(cluster)
    assert told == ["wisdom-1"]
    assert made.failures == []
    assert cluster.get(gone) is None
    assert cluster.get(living) == before


def test_living_ones_are_released_where_that_is_asked(cluster: InMemoryCluster) -> None:
    """Finalizer and annotation go, and nothing else does."""
    living = deploy(cluster, "wisdom-0", "kserve/own", deleted=False)
    assert release(cluster, living=True)[0] == ["wisdom-0"]
    metadata = (cluster.get(living) or {})["metadata"]
    assert metadata["finalizers"] == ["kserve/own"]
    assert metadata["annotations"] == {"team": "a"}


def test_an_annotation_that_was_left_behind_goes_too(cluster: InMemoryCluster) -> None:
    """Someone has taken the finalizer off by hand."""
    living = deploy(cluster, "wisdom-0", deleted=False)
    cluster.patch(living, {"metadata": {"finalizers": None}})
    assert release(cluster)[0] == []
    assert release(cluster, living=True)[0] == ["wisdom-0"]
    assert release(cluster, living=True)[0] == []


@pytest.mark.parametrize("others", [("kserve/own",), ("kserve/own", "example.com/b")])
def test_finalizers_of_others_are_kept(cluster: InMemoryCluster, others: tuple[str, ...]) -> None:
    """And a version that has only those is left alone."""
    ref = deploy(cluster, "wisdom-1", *others)
    told, _ = release(cluster)
    assert told == ["wisdom-1"]
    assert (cluster.get(ref) or {})["metadata"]["finalizers"] == list(others)
    assert release(cluster)[0] == []


def test_only_the_namespaces_that_are_asked_for(cluster: InMemoryCluster) -> None:
    for namespace in ("models", "others", "third"):
        deploy(cluster, "wisdom-1", namespace=namespace)
    places = [Place(INFERENCE_SERVICE, namespace) for namespace in ("models", "others")]
    assert len(release(cluster, places)[0]) == 2
    assert cluster.get(isvc("wisdom-1", "third"))
    assert len(release(cluster, EVERYWHERE)[0]) == 1
    assert cluster.objects(INFERENCE_SERVICE) == []


def test_only_what_is_held_for_the_namespaces_that_are_asked_for(cluster: InMemoryCluster) -> None:
    """One that does not say for whom is held for its own."""
    for name, holder in (("wisdom-0", "ours"), ("wisdom-1", "theirs"), ("wisdom-2", None)):
        ref = deploy(cluster, name)
        cluster.patch(ref, {"metadata": {"annotations": {ANNOTATION_DRAIN_FOR: holder}}})
    assert release(cluster, held_for=["models"])[0] == ["wisdom-2"]
    assert release(cluster, held_for=["ours"], living=True)[0] == ["wisdom-0"]
    assert release(cluster)[0] == ["wisdom-1"]


def test_only_the_names_that_are_asked_for(cluster: InMemoryCluster) -> None:
    """Only they are listed: the right to list just these is enough."""
    for name in ("wisdom-0", "wisdom-1", "wisdom-10"):
        deploy(cluster, name)
    told, _ = release(cluster, [Place(INFERENCE_SERVICE, "models", "wisdom-1")])
    assert told == ["wisdom-1"]
    (listed,) = [call for call in cluster.calls if call.verb == "list"]
    assert listed.request.query["fieldSelector"] == "metadata.name=wisdom-1"
    assert len(cluster.objects(INFERENCE_SERVICE)) == 2


def test_the_rights_to_list_and_to_patch_are_enough(cluster: InMemoryCluster) -> None:
    """Where objects are read again, too."""
    ref = deploy(cluster, "wisdom-1")
    cluster.on_request = at_patch(lambda: cluster.patch(ref, {"metadata": {"labels": {"team": "a"}}}))
    release(cluster)
    assert {call.verb for call in cluster.calls} == {"discover", "list", "patch"}


def test_thousands_are_read_page_by_page_and_changed_a_few_at_a_time(cluster: InMemoryCluster) -> None:
    for number in range(1100):
        deploy(cluster, f"wisdom-{number}", deleted=number % 2 == 0)
    running, most = 0, 0

    async def hook(request: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1

    cluster.on_request = hook
    assert len(release(cluster)[0]) == 550
    assert len(cluster.objects(INFERENCE_SERVICE)) == 550
    assert most == AT_ONCE
    assert sum(call.verb == "list" for call in cluster.calls) == 3


def test_a_kind_that_the_cluster_does_not_serve_is_no_obstacle(cluster: InMemoryCluster) -> None:
    deploy(cluster, "wisdom-1")
    told, made = release(cluster, [Place(OTHER, "models"), *HERE])
    assert told == ["wisdom-1"]
    assert made.missing == {OTHER}
    assert made.failures == []


def test_a_kind_that_goes_meanwhile_is_no_obstacle(cluster: InMemoryCluster) -> None:
    deploy(cluster, "wisdom-1")
    cluster.on_request = at_patch(lambda: cluster.uninstall(INFERENCE_SERVICE))
    told, made = release(cluster)
    assert told == []
    assert made.failures == []


def test_a_namespace_that_is_denied_does_not_keep_the_others(cluster: InMemoryCluster) -> None:
    deploy(cluster, "wisdom-1")
    deploy(cluster, "secret-1", namespace="secret")

    def hook(request: Any) -> None:
        if "/namespaces/secret/" in request.path:
            raise StatusError(403, "Forbidden", "no")

    cluster.on_request = hook
    told, made = release(cluster, [Place(INFERENCE_SERVICE, "secret"), *HERE])
    assert told == ["wisdom-1"]
    (failure,) = made.failures
    assert (failure.kind, failure.namespace) == (INFERENCE_SERVICE, "secret")
    assert str(failure.error) == "list inferenceservices.serving.kserve.io in secret: no (403 Forbidden)"


def test_an_object_that_is_denied_does_not_keep_the_others(cluster: InMemoryCluster) -> None:
    """And is tried once: nobody grants anything meanwhile."""
    for name in ("wisdom-0", "wisdom-1"):
        deploy(cluster, name)
    cluster.on_request = refuse(verb="patch", name="wisdom-0")
    told, made = release(cluster)
    assert told == ["wisdom-1"]
    assert [str(failure.error).partition(":")[0] for failure in made.failures] == [
        "patch InferenceService models/wisdom-0"
    ]
    assert sorted(patches(cluster)) == ["wisdom-0", "wisdom-1"]


# what happens meanwhile


def test_an_object_that_has_gone_meanwhile_is_fine(cluster: InMemoryCluster) -> None:
    ref = deploy(cluster, "wisdom-1")
    cluster.on_request = at_patch(lambda: cluster.patch(ref, {"metadata": {"finalizers": None}}))
    told, made = release(cluster)
    assert told == []
    assert made.failures == []


def test_an_object_that_has_changed_is_read_again(cluster: InMemoryCluster) -> None:
    """A finalizer that somebody has put on meanwhile stays."""
    ref = deploy(cluster, "wisdom-1", "kserve/own", "example.com/b")
    change = {"metadata": {"finalizers": ["example.com/b", FINALIZER_DRAIN]}}
    cluster.on_request = at_patch(lambda: cluster.patch(ref, change))
    told, made = release(cluster)
    assert told == ["wisdom-1"]
    assert made.failures == []
    assert (cluster.get(ref) or {})["metadata"]["finalizers"] == ["example.com/b"]


def test_an_object_that_keeps_changing_is_given_up_at_last(cluster: InMemoryCluster) -> None:
    ref, count = deploy(cluster, "wisdom-1"), iter(range(100))
    cluster.on_request = at_patch(
        lambda: cluster.patch(ref, {"metadata": {"labels": {"at": str(next(count))}}}), times=100
    )
    told, made = release(cluster)
    assert told == []
    assert len(patches(cluster)) == TRIES
    (failure,) = made.failures
    assert isinstance(failure.error, ApiError)
    assert failure.error.status == 409


def test_a_living_object_that_has_taken_the_name_is_left_alone(cluster: InMemoryCluster) -> None:
    ref = deploy(cluster, "wisdom-1")

    def replace() -> None:
        cluster.patch(ref, {"metadata": {"finalizers": None}})
        deploy(cluster, "wisdom-1", deleted=False)

    cluster.on_request = at_patch(replace)
    told, _ = release(cluster)
    assert told == []
    assert (cluster.get(ref) or {})["metadata"]["finalizers"] == [FINALIZER_DRAIN]


def test_a_busy_api_server_is_asked_again(cluster: InMemoryCluster) -> None:
    """For the list and for the patch."""
    deploy(cluster, "wisdom-1")
    failing = iter([500, 429, 500])
    busy = {"GET": True, "PATCH": True}

    def hook(request: Any) -> None:
        if busy.pop(request.method, False):
            raise StatusError(next(failing), "InternalError", "etcdserver: leader changed")

    cluster.on_request = hook
    assert release(cluster)[0] == ["wisdom-1"]


@pytest.mark.parametrize("living", [False, True])
def test_a_write_whose_answer_was_lost_counts(cluster: InMemoryCluster, living: bool) -> None:
    """It is gone, or has no finalizer any more, and that is what was asked for."""
    deploy(cluster, "wisdom-1", deleted=not living)
    lost: list[int] = []

    def hook(request: Any, response: object) -> None:
        if request.method == "PATCH" and not lost:
            lost.append(1)
            fail()

    cluster.on_response = hook
    told, made = release(cluster, living=living)
    assert told == ["wisdom-1"]
    assert made.failures == []


def test_a_cluster_that_is_not_there_is_tried_for_no_longer_than_needed(cluster: InMemoryCluster) -> None:
    """Not once for each of many objects."""
    for number in range(100):
        deploy(cluster, f"wisdom-{number}")

    def hook(request: Any) -> None:
        if request.method == "PATCH":
            fail("no connection")

    cluster.on_request = hook
    told, made = release(cluster)
    assert told == []
    assert len(set(patches(cluster))) <= AT_ONCE
    assert {type(failure.error) for failure in made.failures} == {ConnectionFailed}


# ends and dry runs


def test_when_it_is_ended_what_has_begun_is_finished(cluster: InMemoryCluster) -> None:
    """And told; nothing else is touched."""
    for number in range(100):
        deploy(cluster, f"wisdom-{number}")
    told: list[Found] = []

    async def main() -> None:
        made = Release(Client(cluster), told.append)
        found = await made.find(HERE)
        cluster.latency = 1.0
        task = asyncio.create_task(made.take_off(found))
        await asyncio.sleep(1.5)
        made.end()
        await task

    faketime.run(main())
    assert len(told) == 2 * AT_ONCE
    assert len(cluster.objects(INFERENCE_SERVICE)) == 100 - len(told)


def test_when_it_is_ended_nothing_is_tried_again(cluster: InMemoryCluster) -> None:
    """What failed last is left, and is no failure."""
    deploy(cluster, "wisdom-1")
    cluster.on_request = refuse(verb="patch", code=500, reason="InternalError")

    async def main() -> Release:
        made = Release(Client(cluster), lambda found: None)
        found = await made.find(HERE)
        cluster.latency = 1.0
        task = asyncio.create_task(made.take_off(found))
        await asyncio.sleep(0.5)
        made.end()
        await task
        return made

    assert faketime.run(main()).failures == []
    assert patches(cluster) == ["wisdom-1"]


@pytest.mark.parametrize("dry_run", [DryRun.CLIENT, DryRun.SERVER])
@pytest.mark.parametrize("living", [False, True])
def test_a_dry_run_says_the_same_and_changes_nothing(
    cluster: InMemoryCluster, dry_run: DryRun, living: bool
) -> None:
    for name in ("wisdom-0", "wisdom-1"):
        deploy(cluster, name, deleted=name == "wisdom-1")
    before = cluster.objects(INFERENCE_SERVICE)
    told, _ = release(cluster, dry_run=dry_run, living=living)
    assert cluster.objects(INFERENCE_SERVICE) == before
    assert sorted(patches(cluster)) == (sorted(told) if dry_run is DryRun.SERVER else [])
    assert told == release(cluster, living=living)[0]


def test_a_dry_run_on_the_server_finds_what_the_server_refuses(cluster: InMemoryCluster) -> None:
    deploy(cluster, "wisdom-1")
    cluster.on_request = refuse(verb="patch")
    assert release(cluster, dry_run=DryRun.CLIENT)[1].failures == []
    assert len(release(cluster, dry_run=DryRun.SERVER)[1].failures) == 1
