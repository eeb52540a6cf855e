# SPDX-License-Identifier: Apache-2.0
"""A real upstream on loopback, UDP and TCP, that says what a test tells it to.

It runs in a thread of its own, as another server would; dnspython composes what
it says, so that filterd's own composer is not its own witness.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Respond = Callable[[dns.message.Message], dns.message.Message | bytes | list[bytes] | None]


@dataclass
class FakeUpstream:
    """Answers from ``records`` (zone-style lines by owner and type), or by ``respond``.

    ``asked`` holds every question in order, as ``"name TYPE"``; ``raw`` the messages.
    """

    records: dict[str, list[str]] = field(default_factory=dict)
    respond: Respond | None = None
    asked: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    port: int = 0
    silent: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> FakeUpstream:
        self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), _udp_handler(self))
        self._udp.daemon_threads = True
        self._udp.max_packet_size = 65535
        self.port = self._udp.server_address[1]
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), _tcp_handler(self))
        self._tcp.daemon_threads = True
        for server in (self._udp, self._tcp):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def add(self, *lines: str) -> None:
        """Add records: ``"www.example.com. 300 IN A 192.0.2.1"``."""
        for line in lines:
            owner, _, _, rtype, _ = line.split(None, 4)
            self.records.setdefault(f"{owner.lower().rstrip('.')} {rtype}", []).append(line)

    def answers(self, wire: bytes, port: int) -> list[bytes]:
        """Return what is sent for a query."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append(f"{name} {dns.rdatatype.to_text(question.rdtype)}")
        self.raw.append(wire)
        self.sources.append(port)
        if self.silent.is_set():
            return []
        said = self.respond(query) if self.respond else self._from_records(query, name)
        if said is None:
            return []
        messages = said if isinstance(said, list) else [said]
        return [one if isinstance(one, bytes) else one.to_wire() for one in messages]

    def _from_records(self, query: dns.message.Message, name: str) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        rtype = dns.rdatatype.to_text(query.question[0].rdtype)
        for _ in range(20):
            for line in self.records.get(f"{name} {rtype}", []):
                response.answer.append(_rrset(line))
            alias = self.records.get(f"{name} CNAME", [])
            if (
                response.answer
                and response.answer[-1].name.to_text(True).lower() == name
                or not alias
            ):
                break
            response.answer.append(_rrset(alias[0]))
            name = alias[0].split(None, 4)[4].rstrip(".").lower()
        if not any(key.split()[0] == name for key in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if not any(dns.rdatatype.to_text(one.rdtype) == rtype for one in response.answer):
            soa = "300 IN SOA ns.example. root.example. 1 3600 600 86400 60"
            zone = ".".join(name.split(".")[-2:]) or "."
            response.authority.append(_rrset(f"{zone}. {soa}"))
        return response


def _rrset(line: str) -> dns.rrset.RRset:
    owner, ttl, rclass, rtype, data = line.split(None, 4)
    return dns.rrset.from_text(owner, int(ttl), rclass, rtype, data)


def _udp_handler(upstream: FakeUpstream) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            message, opened = self.request
            for answer in upstream.answers(message, self.client_address[1]):
                if len(answer) > 1232:
                    short = dns.message.make_response(dns.message.from_wire(message))
                    short.flags |= dns.flags.TC
                    answer = short.to_wire()  # noqa: PLW2901 -- what does not fit goes by TCP
                opened.sendto(answer, self.client_address)

    return Handler


def _tcp_handler(upstream: FakeUpstream) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            opened: socket.socket = self.request
            while len(prefix := opened.recv(2, socket.MSG_WAITALL)) == 2:
                message = opened.recv(struct.unpack("!H", prefix)[0], socket.MSG_WAITALL)
                for answer in upstream.answers(message, self.client_address[1]):
                    opened.sendall(struct.pack("!H", len(answer)) + answer)

    return Handler
