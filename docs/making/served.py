"""The tutorial's rollout on a cluster in memory, which commands reach over HTTP as they reach any cluster.

For pictures of what commands print: the controller is the real one, and so are the commands.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue

from aiohttp import web

from turnout import loading
from turnout.demo.play import STEPS, running
from turnout.demo.stage import NAMESPACE, Stage
from turnout.registry import OWN
from turnout.runtime.transport import Request

DEPLOYED = 3
"""So many steps of the tutorial have been made: two versions share the calls by halves."""


@contextmanager
def served(kubeconfig: Path) -> Iterator[None]:
    """Serve the rollout on a port of this machine, until the end of the context. Writes a kubeconfig."""
    answers, down = SimpleQueue[int | BaseException](), threading.Event()

    def run() -> None:
        try:
            asyncio.run(_serve(answers, down))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answers.put(error)

    thread = threading.Thread(target=run, name="served")
    thread.start()
    try:
        match answers.get():
            case int(port):
                kubeconfig.write_text(json.dumps(_kubeconfig(port)), encoding="utf-8")
            case error:
                raise error
        yield
    finally:
        down.set()
        thread.join()


async def _serve(ports: SimpleQueue[int | BaseException], down: threading.Event) -> None:
    """Tell the port once the rollout is there, and go on until `down` is set."""
    stage = Stage(loading.load(allow=[OWN]))

    async def answer(asked: web.Request) -> web.StreamResponse:
        body = await asked.read()
        request = Request(
            asked.method,
            asked.rel_url.raw_path,
            dict(asked.query),
            json.loads(body) if body else None,
            content_type=asked.content_type,
            stream=asked.query.get("watch") in ("1", "true"),
        )
        response = await stage.cluster.send(request)
        try:
            if not request.stream or response.status != 200:
                headers = {"Content-Type": response.headers["Content-Type"]}
                return web.Response(status=response.status, body=await response.read(), headers=headers)
            stream = web.StreamResponse()
            with suppress(ConnectionResetError):  # the command has seen enough
                await stream.prepare(asked)
                async for chunk in response.chunks():
                    await stream.write(chunk)
            return stream
        finally:
            response.close()

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with running(stage.controller.run()):
            for step in STEPS[:DEPLOYED]:
                await step.do(stage)
            ports.put(runner.addresses[0][1])
            await asyncio.to_thread(down.wait)
    finally:
        await stage.cluster.close()
        await runner.cleanup()


def _kubeconfig(port: int) -> dict[str, object]:
    name = "memory"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": name, "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": NAMESPACE}}],
        "current-context": name,
    }
