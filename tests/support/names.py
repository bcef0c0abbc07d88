"""A DNS server on this machine that knows the names of Services, as that of a cluster does."""

from typing import Any

from dnslib import QTYPE, RR, A
from dnslib.server import DNSLogger, DNSServer

TTL = 60
"""Seconds that an answer holds: names do not move."""


class Names:
    """Serves what it is told, from `start` to `stop`."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._server = DNSServer(self, address="127.0.0.1", port=0, logger=DNSLogger("-log"))

    def start(self) -> None:
        self._server.start_thread()

    def stop(self) -> None:
        self._server.stop()
        self._server.server.server_close()

    @property
    def server(self) -> tuple[str, int]:
        """Its address and port."""
        address, port = self._server.server.server_address[:2]
        return str(address), int(port)

    def tell(self, name: str, address: str) -> None:
        """From now on a name has this IPv4 address."""
        self._known[name.lower()] = address

    def resolve(self, request: Any, handler: object) -> Any:
        """Answer a request, for dnslib."""
        answer, asked = request.reply(), request.q
        address = self._known.get(str(asked.qname).rstrip(".").lower())
        if address is None:
            answer.header.rcode = 3  # NXDOMAIN
        elif asked.qtype == QTYPE.A:
            answer.add_answer(RR(asked.qname, QTYPE.A, rdata=A(address), ttl=TTL))
        return answer
