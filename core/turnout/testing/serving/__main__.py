"""The stand-in as a process: `python -m turnout.testing.serving --namespace NS`.

It follows the InferenceServices of the cluster that KUBECONFIG names, and prints one line once it listens,
such as `listening on 127.0.0.1:8033, control on http://127.0.0.1:43210`. It runs until SIGINT or SIGTERM.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from ipaddress import IPv4Address

from turnout.inference import GrpcMissing
from turnout.shapes import DNS_LABEL
from turnout.testing.serving.control import Control, seconds
from turnout.testing.serving.follow import follow
from turnout.testing.serving.server import ModelServer

NAME = "python -m turnout.testing.serving"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a port from 0 to 65535")
    return int(text)


def _namespace(text: str) -> str:
    if not DNS_LABEL.fullmatch(text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected the name of a namespace")
    return text


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected an IPv4 address") from None


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=NAME, description=__doc__)
    parser.add_argument(
        "--namespace", type=_namespace, required=True, help="whose InferenceServices are served"
    )
    parser.add_argument("--host", type=_address, default="127.0.0.1", help="for gRPC; default: %(default)s")
    parser.add_argument("--port", type=_port, default=0, help="for gRPC; default: any")
    parser.add_argument("--control-port", type=_port, default=0, help="for HTTP; default: any")
    parser.add_argument("--load-seconds", type=_seconds, default=0.0, help="how long a model takes to load")
    parser.add_argument("--header", action="append", default=[], help="a header to tell calls apart by")
    parser.add_argument("--version-header", default="", help="a response header that names the service")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    from turnout.runtime import kube
    from turnout.runtime.client import Client

    transport = await kube.connect()
    server = ModelServer(
        load_seconds=options.load_seconds,
        headers=options.header,
        version_header=options.version_header,
        host=options.host,
        port=options.port,
    )
    control = Control(server)
    try:
        try:
            await server.start()
        except RuntimeError as error:
            raise OSError(f"--host {options.host} --port {options.port}: {error}") from None
        async with await asyncio.start_server(control.handle, "127.0.0.1", options.control_port) as listener:
            port = listener.sockets[0].getsockname()[1]
            sys.stdout.write(f"listening on {server.address}, control on http://127.0.0.1:{port}\n")
            sys.stdout.flush()
            await follow(server, Client(transport), options.namespace)
    finally:
        await server.stop()
        await transport.close()


async def _main() -> None:
    running = asyncio.ensure_future(_serve(_options()))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    from turnout.runtime.errors import NoCluster

    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    except (NoCluster, GrpcMissing, OSError) as error:
        sys.exit(f"{NAME}: {error}")


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it tells of every connection that ends
    asyncio.run(_main())
