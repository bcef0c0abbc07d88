"""The reflector on a real API server, behind a network and an administrator that do their worst."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import ControlPlane
from tests.support.faultproxy import FaultProxy, answer, refusal
from tests.support.identities import Credentials, kubeconfig
from tests.support.recording import RecordingSink
from turnout.plugin import Kind, Ref
from turnout.runtime.client import Client
from turnout.runtime.kube import KubeTransport, connect
from turnout.runtime.reflector import Cause, Reflector

CONFIG_MAP = Kind("", ("v1",), "ConfigMap", "configmaps")
WATCH_SECONDS = 3.0
NOTICED = WATCH_SECONDS * 1.25 * 1.2 + 1 + 2
"""Seconds until a connection that died without a word is replaced, and two more."""


@dataclass
class Scene:
    """A reflector of the ConfigMaps of a namespace, behind a proxy, and somebody who writes them."""

    proxy: FaultProxy
    sink: RecordingSink
    client: Client
    namespace: str

    async def write(self, name: str, value: str = "") -> None:
        """Write a ConfigMap, past the proxy."""
        ref = Ref(CONFIG_MAP, self.namespace, name)
        meta = {"name": name, "namespace": self.namespace}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"value": value}}
        await self.client.apply(ref, body)

    async def delete(self, name: str) -> None:
        await self.client.delete(Ref(CONFIG_MAP, self.namespace, name))

    async def sees(self, *names: str, within: float = 10.0) -> None:
        await until(lambda: set(names) <= self.sink.objects.keys(), f"seen: {names}", within=within)

    def watches(self) -> int:
        return sum("watch=1" in seen for seen in self.proxy.seen)

    def lists(self) -> int:
        return sum("watch=1" not in seen and "/configmaps" in seen for seen in self.proxy.seen)


async def until(condition: Callable[[], bool], what: str, *, within: float = 10.0) -> None:
    try:
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 - of plain data; there is nobody to set an event
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"not within {within:g} s: {what}")


async def transport(monkeypatch: pytest.MonkeyPatch, config: Path) -> KubeTransport:
    monkeypatch.setenv("KUBECONFIG", str(config))
    return await connect()


@pytest.fixture
def scenery(
    control_plane: ControlPlane, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """A context that sets the scene: with `user` (default: the admin), and a `kind` of one's own."""

    @asynccontextmanager
    async def set_scene(user: Credentials | None = None, kind: Kind = CONFIG_MAP) -> AsyncIterator[Scene]:
        async with FaultProxy(control_plane.url, control_plane.ca_file) as proxy:
            config = tmp_path / "proxied.kubeconfig"
            config.write_text(kubeconfig(proxy.url, token=(user or control_plane.admin).token))
            proxied = await transport(monkeypatch, config)
            direct = await transport(monkeypatch, control_plane.admin.kubeconfig)
            sink = RecordingSink()
            reflector = Reflector(Client(proxied), kind, namespace, sink, watch_seconds=WATCH_SECONDS)
            task = asyncio.create_task(reflector.run())
            try:
                yield Scene(proxy, sink, Client(direct), namespace)
                assert not task.done(), task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await proxied.close()
                await direct.close()

    return set_scene


def test_follows_what_happens(scenery: Callable[..., Any]) -> None:
    async def main() -> None:
        async with scenery() as scene:
            await scene.write("a")
            await scene.write("b")
            await scene.sees("a", "b")
            await scene.delete("a")
            await until(lambda: scene.sink.deleted == ["a"], "deleted: a")
            before = scene.watches()
            await until(lambda: scene.watches() > before, "the next watch")
            await scene.write("c")
            await scene.sees("c")
            assert scene.lists() == 1
            assert scene.sink.reasons == []

    asyncio.run(main())


def test_a_list_of_many_pages_is_complete(scenery: Callable[..., Any], namespace: str) -> None:
    """And so it is when the snapshot is forgotten in the middle of it."""

    async def main() -> None:
        async with scenery() as scene:
            names = [f"n{number}" for number in range(1100)]
            for at in range(0, len(names), 50):
                await asyncio.gather(*map(scene.write, names[at : at + 50]))
            await scene.sees(*names)
            scene.proxy.fault = lambda _, target: (
                refusal(410, "Expired") if "watch=1" in target or "continue=" in target else None
            )
            await until(lambda: scene.sink.diary.count("begin") == 3, "listed again")  # restarted once
            scene.proxy.fault = None
            await until(lambda: len(scene.sink.diary[-1]) > 1000, "the list's end")
            assert len(scene.sink.objects) >= 1100
            assert scene.sink.deleted == []

    asyncio.run(main())


def test_a_connection_that_is_dead_without_a_word_is_found_and_replaced(
    scenery: Callable[..., Any],
) -> None:
    async def main() -> None:
        async with scenery() as scene:
            await scene.write("a")
            await scene.sees("a")
            scene.proxy.stall()
            await scene.write("b")
            await scene.sees("b", within=NOTICED)
            assert scene.lists() == 1

    asyncio.run(main())


def test_events_are_neither_lost_nor_garbled_when_lines_are_cut(scenery: Callable[..., Any]) -> None:
    async def main() -> None:
        async with scenery() as scene:
            await scene.write("first")
            await scene.sees("first")
            for number in range(20):
                scene.proxy.tear()
                await scene.write(f"n{number}", "x" * 1000)
                await scene.write(f"m{number}")
                await scene.sees(f"n{number}", f"m{number}")
            assert scene.watches() > 15  # or nothing was cut
            assert scene.lists() == 1
            assert scene.sink.deleted == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "causes", "lists"),
    [
        pytest.param(refusal(410, "Expired"), [], True, id="410"),
        pytest.param(refusal(429, "TooManyRequests", Retry_After="1"), [], False, id="429"),
        pytest.param(answer(200), [Cause.UNREACHABLE], False, id="empty-200"),
        pytest.param(refusal(403, "Forbidden"), [Cause.FORBIDDEN], False, id="403"),
        pytest.param(refusal(500, "InternalError"), [Cause.UNREACHABLE], False, id="500"),
        pytest.param(b"HTTP/1.1 nonsense\r\n\r\n", [Cause.UNREACHABLE], False, id="not-http"),
        pytest.param(b"", [Cause.UNREACHABLE], False, id="hangs-up"),
    ],
)
def test_watches_that_are_answered_badly_for_a_while(
    scenery: Callable[..., Any], fault: bytes, causes: list[Cause], lists: bool
) -> None:
    """Objects stay known, requests stay few, and what happened meanwhile is caught up with."""

    async def main() -> None:
        async with scenery() as scene:
            await scene.write("a")
            await scene.sees("a")
            scene.proxy.fault = lambda _, target: fault if "watch=1" in target else None
            before = scene.watches()
            # A fifth 429 in a row would be told, and comes 2 s after the third at the earliest.
            await until(lambda: scene.watches() >= before + 3, "several tries", within=20)
            await asyncio.sleep(1)
            assert scene.watches() < before + 12
            await scene.write("b")
            scene.proxy.fault = None
            await scene.sees("a", "b", within=15)
            await until(lambda: not causes or "available" in scene.sink.diary, "available", within=10)
            assert scene.sink.causes == causes
            assert (scene.lists() > 1) is lists
            assert scene.sink.deleted == []

    asyncio.run(main())


def test_refused_connections_are_an_outage_and_nothing_more(scenery: Callable[..., Any]) -> None:
    async def main() -> None:
        async with scenery() as scene:
            await scene.write("a")
            await scene.sees("a")
            await scene.proxy.refuse()
            await until(lambda: scene.sink.causes == [Cause.UNREACHABLE], "the outage is reported")
            await scene.write("b")
            await scene.proxy.accept()
            await scene.sees("b", within=15)
            assert scene.sink.diary[-2:] in (["available", "ADDED b"], ["ADDED b", "available"])
            assert scene.lists() == 1

    asyncio.run(main())


@pytest.mark.parametrize("kill", [False, True], ids=["in-order", "killed"])
def test_an_api_server_that_is_restarted(
    scenery: Callable[..., Any], control_plane: ControlPlane, kill: bool
) -> None:
    async def main() -> None:
        async with scenery() as scene:
            await scene.write("a")
            await scene.sees("a")
            await asyncio.to_thread(control_plane.stop_apiserver, kill=kill)
            await until(lambda: Cause.UNREACHABLE in scene.sink.causes, "the outage is reported")
            assert list(scene.sink.objects.keys() - {"kube-root-ca.crt"}) == ["a"]
            await asyncio.to_thread(control_plane.start_apiserver)
            await scene.write("b")
            await scene.sees("a", "b", within=20)
            assert scene.sink.deleted == []
            assert Cause.CRD_MISSING not in scene.sink.causes

    asyncio.run(main())


WIDGET = Kind("faults.example.com", ("v1",), "Widget", "widgets")


def widget_crd() -> str:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": WIDGET.kind, "plural": WIDGET.plural}
    spec = {"group": WIDGET.group, "scope": "Namespaced", "names": names, "versions": [version]}
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": str(WIDGET)},
            "spec": spec,
        }
    )


def test_a_kind_that_is_installed_removed_and_installed_again(
    scenery: Callable[..., Any], control_plane: ControlPlane, namespace: str
) -> None:
    async def kubectl(*arguments: str, text: str | None = None) -> None:
        await asyncio.to_thread(control_plane.kubectl, *arguments, input=text)

    async def widget(scene: Scene, name: str) -> None:
        body = {"apiVersion": f"{WIDGET.group}/v1", "kind": WIDGET.kind}
        meta = {"name": name, "namespace": namespace}
        await scene.client.apply(Ref(WIDGET, namespace, name), {**body, "metadata": meta})

    async def install() -> None:
        await kubectl("apply", "--filename=-", text=widget_crd())
        await kubectl("wait", "--for=condition=Established", f"crd/{WIDGET}")

    async def main() -> None:
        async with scenery(kind=WIDGET) as scene:
            await until(lambda: scene.sink.causes == [Cause.CRD_MISSING], "it is missing")
            await install()
            await until(lambda: scene.sink.diary[-1] == "available", "it is there", within=15)
            await widget(scene, "a")
            await scene.sees("a")

            scene.sink.diary.clear()
            await kubectl("delete", f"crd/{WIDGET}")
            await until(lambda: "CRDMissing" in scene.sink.diary, "it is missing again", within=NOTICED)
            # The API server deletes the objects first, one by one; the reflector adds nothing to that.
            assert scene.sink.diary in (["DELETED a", "CRDMissing"], ["CRDMissing"])

            await install()
            await until(lambda: scene.sink.diary[-1] == "available", "it is there again", within=20)
            scene.client.forget(WIDGET)
            await widget(scene, "b")
            await scene.sees("b")
            assert list(scene.sink.objects) == ["b"]

    asyncio.run(main())
    control_plane.kubectl("delete", f"crd/{WIDGET}")


def test_rbac_that_is_taken_away_and_granted_again(
    scenery: Callable[..., Any], control_plane: ControlPlane, namespace: str
) -> None:
    reader = control_plane.service_account(namespace, "reader")
    grant = ("rolebinding", "reader", f"--namespace={namespace}")
    # The role "view" itself is empty here: nothing runs that would aggregate it.
    who = ("--clusterrole=system:aggregate-to-view", f"--serviceaccount={namespace}:reader")

    async def main() -> None:
        async with scenery(user=reader) as scene:
            await until(lambda: scene.sink.causes == [Cause.FORBIDDEN], "forbidden from the start")
            assert "configmaps" in scene.sink.reasons[0].message
            await asyncio.to_thread(control_plane.kubectl, "create", *grant, *who)
            await scene.write("a")
            await scene.sees("a", within=15)

            await asyncio.to_thread(control_plane.kubectl, "delete", *grant)
            await until(lambda: scene.sink.diary[-1] == "Forbidden", "forbidden again", within=NOTICED)
            await scene.write("b")
            assert "a" in scene.sink.objects
            await asyncio.to_thread(control_plane.kubectl, "create", *grant, *who)
            await scene.sees("a", "b", within=15)
            assert scene.sink.deleted == []

    asyncio.run(main())
